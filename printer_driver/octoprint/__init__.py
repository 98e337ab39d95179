"""Printing through OctoPrint, over its REST and push API; nothing is installed there."""
