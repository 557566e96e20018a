"""``LorentzAngleSummaryFile.xml`` and ``LorentzAngleFile.xml`` (algorithms-hist.md 5.4, 5.5).

Two deviations from the original: ``<address_header>`` is closed, so that the file is XML, and the
summary has the values ``Attempts`` and ``chisq`` after those of the original. Readers take both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sctcalib.summary.fragments import attribute, number, value, values, write_text
from sctcalib.summary.lorentz_records import LorentzRecord, arranged, check_records
from sctcalib.summary.parsing import Node, any_real, one_of, parse
from sctcalib.summary.run_values import RunValues, run_fields, run_opening, section

STYLE_SHEET = "LorentzAngleInfo.xsl"
FLAGS = {"G": "green", "R": "red"}
"""All fits converged, or not."""
FOLDER = "SCT/Derived/LorentzAngleRun2_v2"
_SUMMARY_NUMBERS = (("lorentzAngle", "angle"), ("minClusterWidth", "min_width"))
_PAYLOAD = (
    ("lorentzAngle", "angle"),
    ("err_lorentzAngle", "angle_error"),
    ("chisq", "chi2"),
    ("fitParam_a", "a"),
    ("err_a", "a_error"),
    ("fitParam_b", "b"),
    ("err_b", "b_error"),
    ("fitParam_sigma", "sigma"),
    ("err_sigma", "sigma_error"),
    ("minClusterWidth", "min_width"),
    ("err_minClusterWidth", "min_width_error"),
)
"""Names in LorentzAngleFile.xml after moduleType, and of the attributes."""
_PLACE = ("part", "layer", "Side", "Module")
_REQUIRED = (*_PLACE, *(name for name, _ in _SUMMARY_NUMBERS), "Fit")
_OPTIONAL = ("Attempts", "chisq")


@dataclass(frozen=True, eq=False, kw_only=True)
class LorentzSummary(RunValues):
    """The content of LorentzAngleSummaryFile.xml."""

    flag: str
    """``G`` or ``R``."""
    records: tuple[LorentzRecord, ...]
    """16 of them, in the order of `PROFILES`."""

    def __post_init__(self) -> None:
        if self.flag not in FLAGS:
            msg = f"flag {self.flag!r} is not one of {', '.join(FLAGS)}"
            raise ValueError(msg)
        check_records(self.records)


def write_lorentz_summary(path: Path, summary: LorentzSummary) -> None:
    """Write LorentzAngleSummaryFile.xml; raises OutputFileError (exit 11)."""
    opening = run_opening(STYLE_SHEET, summary) + value("Flag", summary.flag, 2)
    blocks = "".join(_part_text(record) for record in summary.records)
    write_text(path, f"{opening}  <data>\n{blocks}  </data>\n</run>\n")


def _part_text(record: LorentzRecord) -> str:
    place: tuple[str | int, ...] = ("Barrel", record.layer, record.side, record.module_type)
    outcome: list[tuple[str, str | int]] = [("Fit", int(bool(record.converged)))]
    if record.attempts is not None:
        outcome.append(("Attempts", record.attempts))
    if record.chi2 is not None:
        outcome.append(("chisq", number(record.chi2)))
    fields = [
        *zip(_PLACE, place, strict=True),
        *((name, number(getattr(record, key))) for name, key in _SUMMARY_NUMBERS),
        *outcome,
    ]
    # Two blanks, not six, as the original has it.
    return f"    <parts>\n{values(fields, 2)}    </parts>\n"


def read_lorentz_summary(path: Path) -> LorentzSummary:
    """Read LorentzAngleSummaryFile.xml, also the original's; raises InputFileError (exit 74)."""
    return lorentz_summary_of(Node(path, parse(path)))


def lorentz_summary_of(root: Node) -> LorentzSummary:
    """The content below the root element of a parsed file; raises as `read_lorentz_summary`."""
    content, fields = run_fields(root, "Flag")
    flag = fields.convert("Flag", one_of({flag: flag for flag in FLAGS}))
    records = [(node, _part_record(node)) for node in section(root, "data", "parts")]
    return LorentzSummary(**content, flag=flag, records=arranged(root, records))


def _part_record(node: Node) -> LorentzRecord:
    node.attributes()
    node.children("value")
    fields = node.fields(_REQUIRED, _OPTIONAL)
    fields.convert("part", one_of({"Barrel": 0}))
    return LorentzRecord(
        layer=fields.convert("layer", _LAYER),
        side=fields.convert("Side", _SIDE),
        module_type=fields.convert("Module", _TYPE),
        angle=fields.convert("lorentzAngle", any_real),
        min_width=fields.convert("minClusterWidth", any_real),
        converged=fields.convert("Fit", one_of({"0": False, "1": True})),
        attempts=fields.convert("Attempts", _ATTEMPTS) if fields.has("Attempts") else None,
        chi2=fields.convert("chisq", any_real) if fields.has("chisq") else None,
    )


def _choice(*numbers: int) -> Callable[[str], int]:
    return one_of({str(number): number for number in numbers})


_LAYER, _SIDE, _TYPE = _choice(0, 1, 2, 3), _choice(0, 1), _choice(100, 111)
_ATTEMPTS = _choice(0, 1, 2, 3)


@dataclass(frozen=True, eq=False)
class LorentzAngleFile:
    """The content of LorentzAngleFile.xml."""

    records: tuple[LorentzRecord, ...]
    """16 of them, in the order of `PROFILES`; all numbers, no outcome."""
    folder: str = FOLDER
    """Without a leading slash, as in the original's files."""

    def __post_init__(self) -> None:
        check_records(self.records)


_DESCRIPTION = """\
  <folderDescription>
     <timeStamp>run-lumi</timeStamp>
     <addrHeader>
        <address_header service_type="71" clid="1238547719" />
     </addrHeader>
     <typeName>CondAttrListCollection</typeName>
  </folderDescription>
"""


def write_lorentz_file(path: Path, file: LorentzAngleFile) -> None:
    """Write LorentzAngleFile.xml; raises OutputFileError (exit 11), ValueError without numbers."""
    opening = f'<folderDefinition folder="{attribute(file.folder)}" version="multi">\n'
    blocks = [f"{opening}{_DESCRIPTION}{_payload_text(record)}" for record in file.records]
    write_text(path, "".join(["<folder>\n", *blocks, "</folder>\n"]))


def _payload_text(record: LorentzRecord) -> str:
    lines = [f'    <payloadType name="moduleType">{record.module_type}</payloadType>\n']
    for name, key in _PAYLOAD:
        real = getattr(record, key)
        if real is None:
            msg = f"the record of layer {record.layer}, side {record.side} has no {key}"
            raise ValueError(msg)
        lines.append(f'    <payloadType name="{name}">{number(real)}</payloadType>\n')
    # The original's channels are all 0, and their names end with a blank.
    channel = f'  <channel id="0" name="{record.layer}_{record.side} " />\n'
    body = "".join(["  <payloadDescription>\n", *lines, "  </payloadDescription>\n", channel])
    return f"{body}</folderDefinition>\n"


def read_lorentz_file(path: Path) -> LorentzAngleFile:
    """Read LorentzAngleFile.xml, also the original's, which is not XML (5.4).

    Raises InputFileError (exit 74) naming file and line.
    """
    return lorentz_file_of(Node(path, parse(path)))


def lorentz_file_of(root: Node) -> LorentzAngleFile:
    """The content below the root element of a parsed file; raises as `read_lorentz_file`."""
    if root.name != "folder":
        root.fail(f"the root element is <{root.name}>, not <folder>")
    root.attributes()
    nodes = root.children("folderDefinition")
    folders = {node.attributes("folder", "version")["folder"] for node in nodes}
    if len(folders) > 1:
        root.fail(f"the blocks belong to different folders: {', '.join(sorted(folders))}")
    records = arranged(root, [(node, _payload_record(node)) for node in nodes])
    return LorentzAngleFile(records, *folders)


def _payload_record(node: Node) -> LorentzRecord:
    _, payload, channel = node.only_children("folderDescription", "payloadDescription", "channel")
    payload.children("payloadType")
    fields = payload.fields(("moduleType", *(name for name, _ in _PAYLOAD)), tag="payloadType")
    name = channel.attributes("id", "name")["name"]
    layer, _, side = name.strip().partition("_")
    try:
        place = _LAYER(layer), _SIDE(side)
    except ValueError as error:
        channel.fail(f"name {name!r} is not <layer>_<side>: {error}")
    numbers: dict[str, Any] = {key: fields.convert(name, any_real) for name, key in _PAYLOAD}
    return LorentzRecord(*place, fields.convert("moduleType", _TYPE), **numbers)
