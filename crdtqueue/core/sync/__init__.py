"""What goes over a link between two peers: frames, messages, the sync session, the relay."""
