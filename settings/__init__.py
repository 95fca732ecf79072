"""Settings of a stack: what its configuration may say, read once and typed."""
