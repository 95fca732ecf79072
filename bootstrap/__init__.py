"""The second program: the identities with which a pipeline runs the stacks."""
