"""What ends a command with a message instead of a traceback."""


class ToolError(Exception):
    """Something that the person at the terminal can mend; its text says what and how."""
