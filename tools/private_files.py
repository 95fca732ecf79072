"""Files that hold secrets: 0600 from the moment they exist."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes a file that its owner alone may read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
