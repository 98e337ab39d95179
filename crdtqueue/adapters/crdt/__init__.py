"""The replicated document, in front of whichever CRDT library this Python has."""
