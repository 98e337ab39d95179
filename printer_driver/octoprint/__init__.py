"""Printing through an OctoPrint, over its REST and push API; nothing of ours is installed there."""
