"""What does I/O: the document's backends, the store, the files, the links, the printers."""
