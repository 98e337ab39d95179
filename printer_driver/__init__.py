"""Printers. One process streams one g-code file to one printer; it knows nothing of queues."""
