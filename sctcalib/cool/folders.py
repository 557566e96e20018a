"""The folders that the SCT calibration loop writes, as data (cool-folders.md 2, 3, 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sctcalib.cool.errors import NodeError, nearest
from sctcalib.cool.schema import Versioning

if TYPE_CHECKING:
    from sctcalib.cool.database import Database
    from sctcalib.cool.folder import Folder

_DESCRIPTION = (
    "<timeStamp>run-lumi</timeStamp><addrHeader>"
    '<address_header service_type="{}" clid="1238547719" /></addrHeader>'
    "<typeName>CondAttrListCollection</typeName>"
)
JOB_DESCRIPTION = _DESCRIPTION.format(256)
"""Of the folders in the file that a job writes; clid and type are those of the collection class."""
DESTINATION_DESCRIPTION = _DESCRIPTION.format(71)
"""Of the folders in a database that uploads go to; ``--ignoredesc`` hides the difference."""

INSTANCE = "CONDBR2"
"""Name of the database in a job's file, whatever the production instance is."""


class ChannelKind(Enum):
    """What the channel numbers of a folder are; all are 32-bit identifiers."""

    MODULE = "module"
    WAFER = "wafer"
    LORENTZ = "lorentz"
    """Wafer identifiers of (barrel, layer, phi 0, eta 0, side), which no module has."""


@dataclass(frozen=True)
class SctFolder:
    """One folder of the calibration loop."""

    part: str
    path: str
    instance: str
    """Name of the production database."""
    tag_option: str
    """Option of the configuration that holds the tag."""
    default_tag: str
    fields: tuple[tuple[str, str], ...]
    channels: ChannelKind

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the payload fields, in order."""
        return tuple(name for name, _ in self.fields)


def _positioned(subdetector: str, *own: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    common = ("SampleSize", subdetector, "Layer", "Eta", "Phi")
    return (*((name, "Int32") for name in common), *own)


def _defects() -> tuple[tuple[str, str], ...]:
    own = (("DefectType", "String4k"), ("Threshold", "Float"), ("DefectList", "String4k"))
    return _positioned("BarrelEndcap", *own)


_LORENTZ = (
    *((n, "Int32") for n in ("SampleSize", "barrel_endcap", "Layer", "Side", "moduleType")),
    *((n, "Float") for n in ("lorentzAngle", "err_lorentzAngle", "chisq", "fitParam_a", "err_a")),
    *((n, "Float") for n in ("fitParam_b", "err_b", "fitParam_sigma", "err_sigma")),
    *((n, "Float") for n in ("minClusterWidth", "err_minClusterWidth")),
)
_BS_ERRORS = _positioned("barrel_endcap", ("BSErrors", "String4k"), ("BadFraction", "String4k"))

SCT_FOLDERS = {
    folder.part: folder
    for folder in (
        SctFolder(
            "doNoisyStrip",
            "/SCT/Derived/Monitoring",
            "CONDBR2",
            "TagID4NoisyStrips",
            "SctDerivedMonitoring-RUN2-UPD4-005",
            _defects(),
            ChannelKind.MODULE,
        ),
        SctFolder(
            "doDeadStrip",
            "/SCT/Derived/DeadStrips",
            "MONP200",
            "TagID4DeadStrips",
            "SctDerivedDeadStrips-003-00",
            _defects(),
            ChannelKind.MODULE,
        ),
        SctFolder(
            "doDeadChip",
            "/SCT/Derived/DeadChips",
            "MONP200",
            "TagID4DeadChips",
            "SctDerivedDeadChips-003-00",
            _defects(),
            ChannelKind.MODULE,
        ),
        SctFolder(
            "doNoiseOccupancy",
            "/SCT/Derived/NoiseOccupancy",
            "MONP200",
            "TagID4NoiseOccupancy",
            "SctDerivedNoiseOccupancy-003-01",
            _positioned("barrel_endcap", ("NoiseOccupancy", "Float")),
            ChannelKind.WAFER,
        ),
        SctFolder(
            "doRawOccupancy",
            "/SCT/Derived/RawOccupancy",
            "MONP200",
            "TagID4RawOccupancy",
            "SctDerivedRawOccupancy-003-00",
            _positioned("barrel_endcap", ("RawOccupancy", "Float")),
            ChannelKind.WAFER,
        ),
        SctFolder(
            "doEfficiency",
            "/SCT/Derived/Efficiency",
            "MONP200",
            "TagID4Efficiency",
            "SctDerivedEfficiency-003-00",
            _positioned("barrel_endcap", ("Efficiency", "Float")),
            ChannelKind.WAFER,
        ),
        SctFolder(
            "doBSErrorDB",
            "/SCT/Derived/BSErrorsRun2",
            "MONP200",
            "TagID4BSErrors",
            "SctDerivedBSErrorsRun2-001-00",
            _BS_ERRORS,
            ChannelKind.WAFER,
        ),
        SctFolder(
            "doLorentzAngle",
            "/SCT/Derived/LorentzAngleRun2_v2",
            "MONP200",
            "TagID4LorentzAngle",
            "SctDerivedLorentzAngleRun2_v2-001-00",
            _LORENTZ,
            ChannelKind.LORENTZ,
        ),
    )
}
"""By part."""


def folder_of_part(part: str) -> SctFolder:
    """The folder that a part writes; raises NodeError for a part without one."""
    if part not in SCT_FOLDERS:
        msg = f"the part {part!r} writes no folder{nearest(part, SCT_FOLDERS)}"
        raise NodeError(msg)
    return SCT_FOLDERS[part]


def sct_folder(path: str) -> SctFolder:
    """The folder of a path; raises NodeError that names the nearest one."""
    by_path = {folder.path: folder for folder in SCT_FOLDERS.values()}
    if path not in by_path:
        msg = f"{path!r} is no folder of the SCT calibration loop{nearest(path, by_path)}"
        raise NodeError(msg)
    return by_path[path]


def create_sct_folder(db: Database, path: str, description: str = JOB_DESCRIPTION) -> Folder:
    """Create one of the folders, multi version with a payload table; or return it if it is there.

    Raises NodeError if the path is none of them, or exists with other fields or versioning.
    """
    known = sct_folder(path)
    if not db.has_folder(path):
        return db.create_folder(path, known.fields, description=description)
    folder = db.folder(path)
    found = (folder.fields, folder.versioning)
    if found != (known.fields, Versioning.MULTI):
        msg = f"{folder} exists with other fields or versioning: {folder.node.specification}"
        raise NodeError(msg)
    return folder
