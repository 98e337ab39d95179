"""Writes small files that only OctoPrint's own user may read, completely or not at all."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Puts `text` in the place of what was at `path`, readable by nobody else."""
    new = path.with_suffix(path.suffix + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
