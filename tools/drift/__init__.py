"""Drift: what differs between a stack's settings, its state, and what Vault and AWS hold."""
