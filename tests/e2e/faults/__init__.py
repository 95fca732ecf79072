"""What happens when something breaks while a stack is changed, and what the next `make up` makes of it."""
