"""The replicated document, with either of two CRDT libraries behind one interface."""
