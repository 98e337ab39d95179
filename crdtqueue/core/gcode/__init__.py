"""What a g-code file says about itself."""
