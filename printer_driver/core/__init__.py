"""Pure protocol: g-code, replies, streaming, a virtual firmware. No I/O, no clock, no threads."""
