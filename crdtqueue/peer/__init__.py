"""The peer process: thin shells that run the cores on one asyncio loop."""
