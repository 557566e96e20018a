"""JSON files that are seen whole or not at all."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sctcalib.cool.errors import DatabaseError


def write_json(path: Path, value: Any) -> None:
    """Replace a file; raises DatabaseError, and then it is as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise DatabaseError(msg) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
