"""Small layouts and files for tests: sound ones, and ones with one thing wrong."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cramjam
import numpy as np
import xxhash
from numpy.typing import ArrayLike

from sctcalib.histograms.filling import Fills, fill
from sctcalib.histograms.layouts import Axis, Family, events_family
from sctcalib.histograms.merge import Summed, write_sums
from sctcalib.histograms.rootfile import RootFile
from sctcalib.histograms.rootwriter import BIG, Packed, key_texts, new_root_file
from sctcalib.histograms.sources import Source, locate
from sctcalib.histograms.stacks import Stack
from sctcalib.histograms.templates import empty_stack, streamer_info

WAFERS = Family("SCTB", "TH1F", ("a", "bb", "ccc"), "plane {}", (Axis(4, -0.5, 3.5),))
WINDOWS = Family(
    "SCTB",
    "TH2F",
    ("a__2D", "bb__2D"),
    "map {}_",
    (Axis(4, -0.5, 3.5), Axis(2, 0.5, 6.5)),
    suffix="__2D",
)
SMALL = (events_family(), WAFERS)
"""A layout with three wafers of four strips."""

Edit = Callable[[str, bytes], bytes | None]


def keep(_name: str, streamed: bytes) -> bytes:
    return streamed


def block(tag: bytes, packed: bytes, expanded: int) -> bytes:
    """A compressed block with its nine bytes in front."""
    sizes = len(packed).to_bytes(3, "little") + expanded.to_bytes(3, "little")
    return tag + b"\x08" + sizes + packed


def lz4(data: bytes) -> bytes:
    packed = bytes(cramjam.lz4.compress_block(data, store_size=False))
    return xxhash.xxh64_digest(packed) + packed


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "ZL": lambda data: block(b"ZL", zlib.compress(data, 1), len(data)),
    "ZS": lambda data: block(b"ZS", bytes(cramjam.zstd.compress(data)), len(data)),
    "L4": lambda data: block(b"L4", lz4(data), len(data)),
    "XZ": lambda data: block(b"XZ", lzma.compress(data), len(data)),
    "CS": lambda data: block(b"CS", raw_deflate(data), len(data)),
    "none": lambda data: data,
}


def filled(family: Family, contents: ArrayLike) -> Stack:
    """Histograms with some in-range contents, each count a fill with weight one."""
    values = np.asarray(contents, dtype=np.int64).reshape(len(family.names), -1)
    stack = empty_stack(family, slice(0, len(family.names)))
    row, cell = np.nonzero(values)
    nx = family.axes[0].n
    at = [np.rint(family.axes[0].low + 0.5 + cell % nx).astype(np.int64)]
    if len(family.axes) == 2:
        axis = family.axes[1]
        width = int((axis.high - axis.low) / axis.n)
        at.append(1 + cell // nx * width)
    fill(stack, Fills(row, tuple(at), values[row, cell]))
    return stack


def write_stacks(
    path: Path,
    stacks: Sequence[Stack],
    *,
    edit: Edit = keep,
    pack: Callable[[bytes], bytes] = PACKERS["ZL"],
    extra: Sequence[Packed] = (),
    big: int = BIG,
) -> Path:
    """Write histograms; ``edit`` may change the bytes of each, or leave it out with None."""
    directory = ""
    with new_root_file(path, "small.root", big=big) as writer:
        for stack in stacks:
            family = stack.family
            if family.directory != directory:
                directory = family.directory
                writer.directory(directory)
            for name, title, whole in zip(
                family.names, family.titles, stack.streamed(), strict=True
            ):
                streamed = edit(name, bytes(whole))
                if streamed is not None:
                    stored = pack(streamed)
                    texts = key_texts(family.class_name, name, title)
                    writer.add([Packed(texts, len(streamed), stored)])
        writer.add(extra)
        writer.finish(streamer_info())
    return path


def write_small(path: Path, contents: ArrayLike, n_events: int = 10, **kwargs: object) -> Path:
    """A file of the layout SMALL with contents of shape (3, 4)."""
    stacks = [filled(SMALL[0], [n_events]), filled(WAFERS, contents)]
    return write_stacks(path, stacks, **kwargs)  # type: ignore[arg-type]


def sources(paths: Sequence[Path], families: tuple[Family, ...] = SMALL) -> list[Source]:
    return [locate(RootFile(path), families) for path in paths]


def merge_small(
    paths: Sequence[Path], output: Path, families: tuple[Family, ...] = SMALL
) -> list[Summed]:
    """Merge files of a small layout; one sum for each family."""
    sums: list[Summed] = []
    write_sums(sources(paths, families), output, "small.root", sink=sums.append)
    return sums
