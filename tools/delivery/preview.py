"""Pulumi's own preview, for the comment on a pull request."""

import subprocess
import sys
from html import escape
from pathlib import Path

from tools.code_spans import fenced, plain
from tools.errors import ToolError
from tools.paths import PROJECT


def preview(stack: str, markdown: Path) -> int:
    """Runs `make preview`'s command, shows what it prints, and writes it as Markdown that folds.

    Args:
        stack: The stack.
        markdown: The file to write.

    Returns:
        The command's exit status.

    Raises:
        ToolError: The file cannot be written.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tools", "preview", "--stack", stack],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout)
    try:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        markdown.write_text(page(stack, done.stdout, failed=done.returncode != 0), encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{markdown} cannot be written: {error.strerror}") from None
    return done.returncode


def page(stack: str, shown: str, *, failed: bool) -> str:
    """What a preview shows, as Markdown that folds."""
    how = "which failed" if failed else "as Pulumi shows it"
    name = escape(plain(stack))
    return f"<details><summary>Preview of stack {name}, {how}</summary>\n\n{fenced(shown)}\n\n</details>\n"
