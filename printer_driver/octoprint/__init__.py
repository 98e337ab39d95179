"""Printing through an OctoPrint, over its REST API; nothing of ours is installed there."""
