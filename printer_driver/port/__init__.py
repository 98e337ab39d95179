"""The serial port: found, opened, read, written and logged."""
