"""Text of others: plain, and in Markdown as code, in which none of it is a link, a mention, a tag or a cell's end."""

import re


def plain(text: str) -> str:
    """Text on one line in which every sign can be seen: what cannot be printed stands as its number."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in " ".join(text.split()))


def printable(text: str) -> str:
    """Lines of text for a terminal: what cannot be printed stands as its number, be it a colour or a new title."""
    return "".join(sign if sign.isprintable() or sign == "\n" else f"\\u{ord(sign):04x}" for sign in text)


def code_span(text: str, *, cell: bool) -> str:
    """Text as inline code.

    Args:
        text: Anything.
        cell: Whether it stands in a table, where GitHub takes a backslash off each pipe, also in code
            (https://github.github.com/gfm/#tables-extension-).
    """
    line = plain(text) or "(empty)"
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    padded = f" {line} " if line.startswith("`") or line.endswith("`") else line
    span = f"{fence}{padded}{fence}"
    return span.replace("|", "\\|") if cell else span


def fenced(text: str) -> str:
    """Lines of text as a block of code, what cannot be printed left out but for the ends of lines."""
    lines = "\n".join("".join(sign for sign in line if sign.isprintable()) for line in text.splitlines())
    fence = "`" * max(3, max(map(len, re.findall("`+", lines)), default=0) + 1)
    return f"{fence}text\n{lines}\n{fence}"
