"""What the stack declares: from the settings and documents of a stack to its components."""
