"""Which peer may print a job: the claim protocol and the rules around it."""
