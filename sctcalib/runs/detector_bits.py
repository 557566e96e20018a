"""The bits of the Run-2 detector mask (run-query-and-upload.md A6)."""

from __future__ import annotations


def _numbered(first: int, names: str, system: str = "") -> dict[int, str]:
    return {first + i: f"{system} {name}".strip() for i, name in enumerate(names.split(","))}


BITS: dict[int, str] = {
    **_numbered(0, "Barrel,Disks,B-Layer", "Pix"),
    **_numbered(4, "BA,BC,EA,EC", "SCT"),
    **_numbered(8, "BA,BC,EA,EC", "TRT"),
    **_numbered(12, "EMBA,EMBC,EMECA,EMECC,HECA,HECC,FCALA,FCALC", "LAr"),
    **_numbered(20, "BA,BC,EA,EC", "Tile"),
    **_numbered(24, "1,2,3,4", "MDT"),
    **_numbered(28, "1,2", "RPC"),
    **_numbered(30, "1,2", "TGC"),
    **_numbered(32, "1,2", "CSC"),
    **_numbered(34, "1,2,3,4,5", "L1Calo"),
    **_numbered(39, "MUCTPI,CTP"),
    **_numbered(45, "HLT,BCM,Lucid,ZDC,Alfa"),
    54: "FTK",
    56: "L1Topo",
    **_numbered(60, "1,2", "MMEGA"),
    **_numbered(62, "IBL,DBM", "Pix"),
}
"""Names by bit number; the others mean nothing."""


def bits_of(mask: int) -> list[tuple[int, str]]:
    """The set bits of a mask that mean something, with their names."""
    return [(bit, name) for bit, name in BITS.items() if mask >> bit & 1]
