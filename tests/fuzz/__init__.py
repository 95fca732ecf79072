"""Settings and policy documents that nobody would write on purpose, and many of them."""
