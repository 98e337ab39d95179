"""What the queue decides: pure code, with no I/O, clock, thread or chance in it."""
