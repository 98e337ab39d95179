"""The HTTP face of a peer: the API and the web page."""
