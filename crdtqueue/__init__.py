"""One print queue for all the 3D printers on a network, with no server."""

__version__ = "0.1.0"
