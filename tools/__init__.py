"""The commands behind `make`: servers, Pulumi, checks and proof."""
