"""The table of options in docs/configuration.md, made from the schema.

    python -m sctcalib.configuration.table docs/configuration.md

rewrites the part of the page between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sctcalib.configuration.options import Option, options, schema, tables

BEGIN = "<!-- options: made by python -m sctcalib.configuration.table -->"
END = "<!-- end of options -->"
_HEADER = "| Option | Value | Allowed | Unit | Meaning | Reference |\n|---|---|---|---|---|---|\n"


def option_tables() -> str:
    """A Markdown table for each table of the configuration."""
    parts = []
    for table in tables():
        title = f"### `[{table}]`\n\n{schema()['$defs'][table]['description']}\n\n"
        rows = [_row(option) for option in options().values() if option.table == table]
        parts.append(title + _HEADER + "".join(rows))
    return "\n".join(parts)


def updated(page: str) -> str:
    """The page with its table of options made anew; raises ValueError if its marks are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        msg = f"the page lacks {BEGIN if not begin else END!r}"
        raise ValueError(msg)
    return f"{before}{BEGIN}\n\n{option_tables()}\n{END}{after}"


def main(arguments: list[str]) -> None:
    """Rewrite the pages that are named."""
    for name in arguments:
        page = Path(name)
        page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")


def _row(option: Option) -> str:
    cells = (
        f"`{option.name}`",
        f"`{json.dumps(option.default)}`",
        _allowed(option),
        option.unit,
        option.description,
        option.reference,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _allowed(option: Option) -> str:
    words = {"path": "file", "database": "file or COOL connection string"}
    return words.get(option.kind) or option.accepted()


if __name__ == "__main__":
    main(sys.argv[1:])
