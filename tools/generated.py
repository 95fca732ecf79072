"""Pages of which a part is generated, between two lines that mark it."""

from tools.errors import ToolError


def replace_part(text: str, begin: str, end: str, part: str, name: str) -> str:
    """A page with a generated part in its place.

    Args:
        text: The page.
        begin: The line before the part.
        end: The line after it.
        part: What goes between them.
        name: The page's name, for the error.

    Raises:
        ToolError: The page does not have both lines, once each and in this order.
    """
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ToolError(f"{name} has no place for the table; write the lines {begin!r} and {end!r} in it, once each")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{part}\n{end}{rest.partition(end)[2]}"
