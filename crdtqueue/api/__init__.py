"""The operations of a peer, for every face: page, command line, plugin, programs."""
