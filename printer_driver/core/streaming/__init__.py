"""Streaming one file to one printer: handshake, numbered lines, pause, recovery, emergency stop."""
