"""A print in OctoPrint, from its answers and its push messages."""
