"""I/O behind the cores: documents, the store, files, links and printers."""
