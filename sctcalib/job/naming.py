"""Dataset names, the working prefix and attempt suffixes (reference/transform.md 2.3, 3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

MIN_DOTS = 4
"""Dots that a dataset name must have before its fields are believed."""
MAX_RUN = 2**31 - 1
_ATTEMPT = re.compile(r"(?P<name>.+)\.(?P<attempt>[0-9]{1,9})", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Dataset:
    """The fields of ``project.run.stream.step.type.version``; None or empty where unknown."""

    name: str
    project: str = ""
    run: int | None = None
    stream: str = ""
    input_type: str = ""

    @classmethod
    def parse(cls, name: str) -> Dataset:
        """Split a name; one with fewer than four dots, or without a run number, stays whole."""
        fields = name.split(".")
        if len(fields) <= MIN_DOTS or not (fields[1].isascii() and fields[1].isdigit()):
            return cls(name)
        digits = fields[1].lstrip("0")
        if not digits or len(digits) > len(str(MAX_RUN)) or int(digits) > MAX_RUN:
            return cls(name)
        return cls(name, fields[0], int(digits), fields[2], fields[4])


def split_item(item: str) -> tuple[str, str]:
    """Dataset and file name of a text in one of the forms of transform.md 2.3.

    ``ds##name`` is the file ``dsname``; ``ds#file`` the file after the mark; otherwise the text is
    the file, and its last path component stands for the dataset.
    """
    if "##" in item:
        return item.partition("##")[0], item.replace("##", "")
    if "#" in item:
        dataset, name, *_ = item.split("#")
        return dataset, name
    return item.rpartition("/")[2], item


def with_storage(name: str) -> str:
    """The name with which a file in CASTOR or EOS is read."""
    if name.startswith("/castor/"):
        return f"root://castoratlas/{name}"
    if name.startswith("/eos/"):
        return f"root://eosatlas.cern.ch/{name}"
    return name


def is_remote(name: str) -> bool:
    """Whether a name is an address rather than a local path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", name) is not None


def split_attempt(name: str) -> tuple[str, int]:
    """The name without its attempt suffix, and the attempt (-1 if it has none)."""
    found = _ATTEMPT.fullmatch(name)
    return (found["name"], int(found["attempt"])) if found else (name, -1)


def working_prefix(prefix: str) -> str:
    """The one prefix that declared and written names share (transform.md 3.1, recommended)."""
    stem, mark, rest = prefix.partition("#")
    if not mark:
        return prefix
    start = rest.find("._")
    if start >= 0:
        job = rest[start + 1 :]
    else:
        tail = rest.rpartition("#")[2]
        job = tail if tail.startswith("_") else ""
    return f"{stem}.{job}" if job else stem


def output_name(prefix: str, suffix: str) -> str:
    """The final name of an output."""
    return f"{prefix}.{suffix}" if prefix else suffix
