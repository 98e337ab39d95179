"""The queue as a document: its keys, how they are read, and what follows from them."""
