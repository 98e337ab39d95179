"""Printers: one process streams one g-code file to one printer, and knows nothing of queues."""
