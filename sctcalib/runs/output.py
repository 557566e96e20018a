"""The files of a query: QueryResult.txt, MyLBCollection.xml, atlrunquery.json (A7), and CSV.

They are byte for byte those of the original, but for times of writing.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sctcalib.job.errors import OutputFileError
from sctcalib.runs.columns import UNKNOWN
from sctcalib.runs.query import Entry, Result, Selected
from sctcalib.runs.ranges import NANOSECOND, contains
from sctcalib.runs.records import PHYSICS, Run, Stream

QUERY_RESULT, RUN_LIST, JSON_RESULT = "QueryResult.txt", "MyLBCollection.xml", "atlrunquery.json"
FORM = "CoolRunQuery-00-04-62"
"""Version of the original whose form the run list has."""
NAME = "MyLBCollection"
_WIDTH = 40


@dataclass(frozen=True)
class RunList:
    """What the XML run list says beside its runs."""

    query: str
    """The arguments of the query, as given."""
    created: str
    """``2015-06-11 16:20:01.123456``, UTC."""
    script: str = "sctcalib"
    version: str = FORM
    name: str = NAME


def write_files(folder: Path, result: Result, run_list: RunList | None, xml_name: str) -> None:
    """Write the files of a query whole; those that an earlier query left do not stay.

    Without a run there is no QueryResult.txt and no JSON. Raises OutputFileError (exit 11).
    """
    texts = {QUERY_RESULT: "", JSON_RESULT: ""}
    if result.runs:
        texts = {QUERY_RESULT: query_result(result), JSON_RESULT: as_json(result)}
    texts[xml_name] = xml_run_list(result, run_list) if run_list else ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _write(folder / name, text)
    except OSError as error:
        msg = f"{error.filename or folder}: cannot be written: {error.strerror}"
        raise OutputFileError(msg) from error


def _write(path: Path, text: str) -> None:
    if not text:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def keys(result: Result) -> list[str]:
    """Names of the columns, in order."""
    shows = result.query.shows
    first = ["Run", "Links", "#LB"] if "run" in shows else []
    times = ["Start and endtime"] if "time" in shows else []
    duration = ["Duration"] if "duration" in shows else []
    return first + times + duration + [column.key for column in result.columns]


def query_result(result: Result) -> str:
    """The text of QueryResult.txt (A7.1)."""
    lines = [f"data keys: {', '.join(keys(result))}", f"number of runs: {len(result.runs)}"]
    for selected in result.runs:
        plain = {**_plain(selected.run), "Links": ""}
        entries = {c.key: result.entries(c, selected.run) for c in result.columns}
        for key in keys(result):
            value = _entries_text(entries[key]) if key in entries else plain[key]
            lines.append(f"{key:>{_WIDTH}}: {value}")
        lines += ["", ""]
    return "\n".join(lines) + "\n"


def _plain(run: Run) -> dict[str, str]:
    """The columns that say one thing of the whole run, as text."""
    return {
        "Run": str(run.run),
        "#LB": str(run.n_blocks),
        "Start and endtime": times_text(run),
        "Duration": duration_text(run.duration),
    }


def times_text(run: Run) -> str:
    """Start and end in seconds since 1970."""
    return ", ".join(
        UNKNOWN if time is None else f"{time / NANOSECOND:12.3f}" for time in (run.start, run.end)
    )


def duration_text(seconds: int | None) -> str:
    """``1d 2h 3m 4s``; days only if there are any."""
    if seconds is None:
        return UNKNOWN
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return (f"{days}d " if days else "") + f"{hour}h {minute}m {second}s"


def shown(value: Any) -> Any:
    """A value as results have it."""
    return UNKNOWN if value is None else value


def _entries_text(entries: Iterable[Entry]) -> str:
    texts = (
        f"<DataEntry [{e.first}-{e.end}) {'a' if e.accepted else 'r'} {shown(e.value)!r}>"
        for e in entries
    )
    return f"[{', '.join(texts)}]"


def as_json(result: Result) -> str:
    """The content of the original's pickle as JSON; run numbers are texts as keys (A7.3)."""
    table: dict[str, Any] = {"Run": result.numbers}
    for selected in result.runs:
        run = selected.run
        plain = {
            "Run": run.run,
            "Links": "",
            "#LB": [run.n_blocks, block_offsets(run)],
            "Start and endtime": times_text(run),
            "Duration": duration_text(run.duration),
        }
        entries = {c.key: _entry_objects(result.entries(c, run), run) for c in result.columns}
        table[str(run.run)] = {key: entries.get(key, plain.get(key)) for key in keys(result)}
    return json.dumps(table, indent=1) + "\n"


def _entry_objects(entries: Iterable[Entry], run: Run) -> list[dict[str, Any]]:
    return [
        {
            "firstlb": e.first,
            "lastlb": (e.end or run.n_blocks + 1) - 1,
            "value": shown(e.value),
            "accepted": e.accepted,
        }
        for e in entries
    ]


def block_offsets(run: Run) -> list[float]:
    """Starts of the lumi blocks and the end of the last, in seconds from the first; or nothing."""
    starts = run.block_starts
    if not starts and run.n_blocks == 1 and run.start is not None:
        starts = (run.start,)
    if not starts:
        return []
    edges = [*starts, *([run.end] if run.end is not None else [])]
    return [round((edge - starts[0]) / NANOSECOND, 3) for edge in edges]


def xml_run_list(result: Result, about: RunList) -> str:
    """The text of the run list (A7.2): the lumi blocks in which all conditions hold."""
    lines = [
        '<?xml version="1.0" ?>',
        "<!DOCTYPE LumiRangeCollection",
        "  SYSTEM 'http://atlas-runquery.cern.ch/LumiRangeCollection.dtd'>",
        f"<!-- Good-runs-list created by {about.script} on {about.created} -->",
        "<LumiRangeCollection>",
        "   <NamedLumiRange>",
        f"      <Name>{escape(about.name)}</Name>",
        "      <Version>2.1</Version>",
        *_metadata("Query", about.query.partition("/")[0].rstrip()),
        *_metadata("RQTSVNVersion", about.version),
        *_metadata("RunList", ",".join(map(str, result.numbers))),
        '      <Metadata Name="StreamListInfo">',
        *(f"         {line}" for line in _stream_lines(result)),
        "      </Metadata>",
    ]
    for selected in result.runs:
        lines += [
            "      <LumiBlockCollection>",
            f'         <Run Cut0="0" Cut1="0" Cut2="0" Cut3="0">{selected.run.run}</Run>',
            *(f'         <LBRange Start="{a}" End="{b}"/>' for a, b in selected.blocks),
            "      </LumiBlockCollection>",
        ]
    return "\n".join([*lines, "   </NamedLumiRange>", "</LumiRangeCollection>", ""])


def _metadata(name: str, text: str) -> list[str]:
    return [f'      <Metadata Name="{name}">{escape(text)}</Metadata>']


def _stream_lines(result: Result) -> Iterator[str]:
    """Physics streams with their events, in all and in the selected lumi blocks.

    The second number is left out where it is not known.
    """
    names = {name for each in result.runs for name in each.run.streams or {}}
    for name in sorted(name for name in names if name.startswith(PHYSICS)):
        held = [(s, (s.run.streams or {}).get(name)) for s in result.runs]
        streams = [(selected, stream) for selected, stream in held if stream]
        total = sum(stream.events for _, stream in streams)
        parts = [selected_events(selected, stream) for selected, stream in streams]
        known = [part for part in parts if part is not None]
        count = f' NumOfSelectedEvents="{sum(known)}"' if len(known) == len(parts) else ""
        yield f'<Stream Name={quoteattr(name)} TotalNumOfEvents="{total}"{count}/>'


def selected_events(selected: Selected, stream: Stream) -> int | None:
    """Events of a stream in the selected lumi blocks; None if they are not known by blocks."""
    if selected.blocks == ((1, selected.run.n_blocks),):
        return stream.events
    inside = 0
    for block in stream.blocks:
        ends = contains(selected.blocks, block.first), contains(selected.blocks, block.last)
        within = any(a <= block.first and block.last <= b for a, b in selected.blocks)
        overlaps = any(a <= block.last and block.first <= b for a, b in selected.blocks)
        if overlaps and not (all(ends) and within):
            return None
        inside += block.value if within else 0
    in_blocks = sum(block.value for block in stream.blocks)
    return inside if in_blocks == stream.events else None


def table_rows(result: Result) -> tuple[list[str], list[list[str]]]:
    """Header and rows for a screen: what holds for a whole run is one word."""
    names = [key for key in keys(result) if key != "Links"]
    rows = []
    for selected in result.runs:
        cells = _plain(selected.run)
        for column in result.columns:
            cells[column.key] = _short(result.entries(column, selected.run))
        rows.append([cells[name] for name in names])
    return names, rows


def _short(entries: list[Entry]) -> str:
    if len(entries) == 1:
        value = shown(entries[0].value)
        return str(value[0] if isinstance(value, tuple) else value)
    return " ".join(f"{e.first}-{e.end - 1}:{shown(e.value)}" for e in entries)


def as_csv(result: Result) -> str:
    """The rows for a screen as CSV."""
    names, rows = table_rows(result)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()
