"""Pulumi's own preview, for the comment on a pull request."""

import subprocess
import sys
from pathlib import Path

from tools.code_spans import fenced
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
    how = "as Pulumi shows it" if done.returncode == 0 else "which failed"
    text = f"<details><summary>Preview of stack {stack}, {how}</summary>\n\n{fenced(done.stdout)}\n\n</details>\n"
    try:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        markdown.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{markdown} cannot be written: {error.strerror}") from None
    return done.returncode
