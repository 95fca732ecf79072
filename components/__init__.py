"""The component resources of the stack, one a file."""
