"""The query language (A4): ``find run 267000+ and st *SCTNoise 10k+ / show run and events``.

It is translated to the options of `Asked`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sctcalib.runs.asked import Asked
from sctcalib.runs.conditions import truth
from sctcalib.runs.ranges import QueryError, parse_duration

_COMMANDS = ("f(ind)", "sh(ow)")
_CONDITIONS = (
    "r(uns)", "t(ime)", "dur(ation)", "ev(ents)", "ptag", "p(artition)", "ready(forphysics)",
    "det(ector)", "st(reams)", "lhc", "db", "ctag",
)  # fmt: skip
_SHOWS = {
    "r(uns)": "run", "t(ime)": "time", "dur(ation)": "duration", "ev(ents)": "events",
    "ptag": "projecttag", "p(artition)": "partition", "ready(forphysics)": "readyforphysics",
    "det(ector)": "detmask", "st(reams)": "streams", "lhc": "lhc",
}  # fmt: skip
_ELSEWHERE = (
    "alle(vents)", "m(agnet)", "smk", "trigk(eys)", "tr(igger)", "rel(ease)", "dq",
    "lu(minosity)", "olc", "bs", "bpm", "da(tasets)", "ami", "lar(cond)", "trigr(ates)", "all",
    "summary", "dqsum(mary)", "dqpl(ots)", "dqeff",
)  # fmt: skip
_EXTRAS = ("v", "noroot", "root", "nohtml", "html", "utc", "nogrl", "grl", "xmlfile", "nodef")
DEFAULT_PARTITION, DEFAULT_PROJECTS = "ATLAS", "data0*,data1*"
DEFAULT_SHOWS = ("run", "events", "time")


@dataclass(frozen=True)
class Sentence:
    """A query in the language, translated."""

    asked: Asked
    run_list: bool = True
    """Whether the XML run list is wanted."""
    xml_file: str | None = None


@dataclass
class _Found:
    """What conditions say, by the names of `Asked`."""

    many: dict[str, list[str]] = field(default_factory=dict)
    one: dict[str, str] = field(default_factory=dict)
    is_simulation: bool = False

    def add(self, name: str, text: str) -> None:
        self.many.setdefault(name, []).append(text)

    def set(self, name: str, text: str) -> None:
        if name in self.one:
            msg = f"{name} is asked for twice"
            raise QueryError(msg)
        self.one[name] = text


def translate(text: str) -> Sentence:
    """The options of a sentence; raises QueryError."""
    parts = [part.strip() for part in text.replace("%", "*").split("/")]
    found = _Found()
    shows: list[str] = []
    extras: dict[str, str] = {}
    for part in parts:
        command, _, rest = part.partition(" ")
        name = _keyword(command, _COMMANDS)
        if name == "f(ind)":
            for clause in _clauses(rest):
                _condition(clause, found)
        elif name == "sh(ow)":
            shows += [_show(clause) for clause in _clauses(rest)]
        elif part is parts[0]:
            msg = f"a query begins with find or show, not {command!r}"
            raise QueryError(msg)
        else:
            extras |= _extras(part)
    if "nodef" not in extras and not found.is_simulation:
        found.one.setdefault("partition", DEFAULT_PARTITION)
        found.one.setdefault("projecttag", DEFAULT_PROJECTS)
    options: dict[str, Any] = {name: tuple(texts) for name, texts in found.many.items()}
    options |= found.one
    asked = Asked(**options, show=tuple(shows) or DEFAULT_SHOWS)
    return Sentence(asked, "nogrl" not in extras, extras.get("xmlfile"))


def _keyword(word: str, forms: tuple[str, ...]) -> str:
    """The form that a word stands for, such as ``r(uns)`` for ``run``; empty if none."""
    for form in forms:
        least, _, rest = form.rstrip(")").partition("(")
        if word.lower().startswith(least) and (least + rest).startswith(word.lower()):
            return form
    return ""


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in re.split(r"\band\b", text) if clause.strip()]


def _condition(clause: str, found: _Found) -> None:
    word, _, rest = clause.partition(" ")
    negated = word == "not"
    if negated:
        word, _, rest = rest.strip().partition(" ")
    name, rest = _keyword(word, _CONDITIONS), rest.strip()
    if not name:
        raise QueryError(_unknown(word, _CONDITIONS))
    if not rest:
        msg = f"{word!r} needs a value"
        raise QueryError(msg)
    if negated and name not in ("st(reams)", "det(ector)"):
        msg = f"'not' is understood before streams and detector, not before {word!r}"
        raise QueryError(msg)
    if negated and name == "st(reams)":
        rest = f"!{rest}"
    _TRANSLATIONS[name](found, rest, negated)


def _unknown(word: str, forms: tuple[str, ...]) -> str:
    if _keyword(word, _ELSEWHERE):
        return f"{word!r}: the run database holds nothing of that kind"
    return f"{word!r} is none of {', '.join(forms)}"


def _duration(found: _Found, text: str) -> None:
    sign = text[-1] if text[-1] in "+-" else "+"
    found.set("duration", f"{parse_duration(text.rstrip('+-'))}{sign}")


def _detector(found: _Found, text: str, negated: bool) -> None:
    words = [word for word in text.split() if word != "any"]
    if len(words) != 1:
        msg = f"detector {text!r}: expected one mask, such as 240, or 'any 240'"
        raise QueryError(msg)
    suffix = "A" if "any" in text.split() else ""
    found.add("detmaskout" if negated else "detmaskin", words[0] + suffix)


def _lhc(found: _Found, text: str) -> None:
    name, _, value = text.partition(" ")
    if name.lower() == "stablebeams":
        value = "TRUE" if truth(name, value or "1") else "FALSE"
    found.add("lhc", f"{name} {value}")


def _database(found: _Found, text: str) -> None:
    found.is_simulation = text.upper() == "MC"


_TRANSLATIONS: dict[str, Callable[[_Found, str, bool], None]] = {
    "r(uns)": lambda found, text, _: found.add("run", text.replace(" ", "")),
    "t(ime)": lambda found, text, _: found.add("time", text),
    "dur(ation)": lambda found, text, _: _duration(found, text),
    "ev(ents)": lambda found, text, _: found.set("events", text),
    "ptag": lambda found, text, _: found.set("projecttag", text),
    "p(artition)": lambda found, text, _: found.set("partition", text),
    "ready(forphysics)": lambda found, text, _: found.set("readyforphysics", text),
    "det(ector)": _detector,
    "st(reams)": lambda found, text, _: found.add("streams", text),
    "lhc": lambda found, text, _: _lhc(found, text),
    "db": lambda found, text, _: _database(found, text),
    "ctag": lambda found, text, _: None,
}


def _show(clause: str) -> str:
    word, _, rest = clause.partition(" ")
    name = _keyword(word, tuple(_SHOWS))
    if not name:
        raise QueryError(_unknown(word, tuple(_SHOWS)))
    return f"{_SHOWS[name]} {rest.strip()}".strip()


def _extras(text: str) -> dict[str, str]:
    """Words of the last part; ``xmlfile`` is followed by a name."""
    found = {}
    words = iter(text.split())
    for word in words:
        if word not in _EXTRAS:
            msg = f"{word!r} is none of {', '.join(_EXTRAS)}"
            raise QueryError(msg)
        found[word] = next(words, "") if word == "xmlfile" else ""
    return found
