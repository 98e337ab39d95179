"""The bytes of Yjs: the encoding, checked updates, and a document loaded from stored updates."""
