"""What a pipeline does beside `make`: which stacks a change touches, how a job logs in, where it reports."""
