"""The decisions of the queue: pure code without I/O, clock, threads or random numbers."""
