"""The pure part of the driver: g-code, replies, streaming, OctoPrint. No I/O, clock or threads."""
