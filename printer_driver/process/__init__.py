"""The printer process: its loop, its socket, its requests."""
