"""The peer process: asyncio shells that run the state machines of the core."""
