"""What people and programs may ask of a peer, whatever the face that they use."""
