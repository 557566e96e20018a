"""Throw damaged input at the decoder: 16-bit words, ROD fragments, events and whole files.

    python tests/bytestream/fuzz.py [--inputs 250000] [--seconds 300] [--seed 1]

Whatever the bytes, decoding has to end, stay inside its arrays and say what it skipped. Array
bounds are checked in the compiled code, and space behind the buffers is watched. A find is printed
with what reproduces it, the exit code is then 1; add it to `FINDS`, which the ordinary tests run
(test_fuzz.py), as they do some rounds of each kind.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

FINDS: tuple[tuple[str, int], ...] = (("files", 10_000_142),)
"""Kind and seed of inputs that once were not survived."""


def _prepare() -> None:
    """Compile with checks of array bounds, apart from the ordinary machine code."""
    os.environ["NUMBA_BOUNDSCHECK"] = "1"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "sctcalib-fuzz"))
    sys.path.insert(0, str(CHECKOUT))


if __name__ == "__main__":
    _prepare()

import numpy as np  # noqa: E402 - numba reads its settings when it is imported
from numpy.typing import NDArray  # noqa: E402

from sctcalib.bytestream import filling, fragments  # noqa: E402
from sctcalib.bytestream.accumulate import accumulate  # noqa: E402
from sctcalib.bytestream.layout import ERROR_TYPES  # noqa: E402
from sctcalib.bytestream.maps import RawSettings, empty_maps  # noqa: E402
from sctcalib.bytestream.tables import decoding_tables  # noqa: E402
from sctcalib.bytestream.workspace import arrays_of, new_event_buffers, new_workspace  # noqa: E402
from sctcalib.detector.readout import default_swap  # noqa: E402
from sctcalib.job.errors import InputFileError  # noqa: E402
from tests.bytestream.raw_files import Event, rob, rod, write_raw  # noqa: E402
from tests.bytestream.reading import small_cabling  # noqa: E402

Words = NDArray[np.uint32]

_LINKS = (0x2100, 0x2101, 0x2000, 0x2018, 0x2118, 0x217C, 0x210C, 0x3F80)
_INSIDE = (0x8050, 0x8051, 0xC050, 0x87F1, 0xEFF0, 0xB000, 0x8088, 0x8008, 0x0001, 0x0041, 0x6000)
_SIZES = (0, 1, 6, 7, 8, 9, 12, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8)
_SETTINGS = RawSettings(8, 3, default_swap(), hv_bin_seconds=5.0)
_GUARD = 64


class Fuzzer:
    """Makes inputs from seeds, and checks what the decoder did with them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "fuzzed.data"
        cabling = small_cabling()
        self._n_rods = len(cabling.rod_ids)
        self._tables = decoding_tables(cabling, _SETTINGS.swap, None)
        self._maps = empty_maps(_SETTINGS, cabling.rod_ids)
        self._arrays = arrays_of(self._maps)
        self._work = new_workspace(_SETTINGS, self._n_rods)
        self._files = [path.read_bytes() for path in _seed_files(folder)]

    def words(self, seed: int) -> None:
        """Random 16-bit words in a sound ROD."""
        rng = np.random.default_rng(seed)
        halves = _halves(rng, int(rng.integers(0, 200)))
        detector_type = int(rng.integers(0, 4)) << 20
        self._decode(_event(rng, [rob(rod(halves, detector_type=detector_type))]), damaged=False)

    def rods(self, seed: int) -> None:
        """ROD fragments with damaged words."""
        rng = np.random.default_rng(seed)
        fragments_ = []
        for _ in range(rng.integers(1, 4)):
            fragment = np.array(rod(_halves(rng, 20)), dtype=np.uint32)
            fragments_.append(rob(_changed(rng, fragment, int(rng.integers(0, 4))).tolist()))
        self._decode(_event(rng, fragments_), damaged=False)

    def events(self, seed: int) -> None:
        """Events with damaged words anywhere, cut or lengthened, or nothing but noise."""
        rng = np.random.default_rng(seed)
        if rng.random() < 0.05:
            noise = rng.integers(0, 1 << 32, rng.integers(0, 300), dtype=np.uint64)
            self._decode(noise.astype(np.uint32), damaged=True)
            return
        robs = [rob(rod(_halves(rng, 20)), source=0x210000 + i % 3) for i in range(4)]
        event = _changed(rng, _event(rng, robs), int(rng.integers(1, 5)))
        if rng.random() < 0.3:
            event = event[: rng.integers(0, len(event) + 1)]
        self._decode(event, damaged=True)

    def files(self, seed: int) -> None:
        """Whole files with flipped bits, cuts, spliced parts and wrong sizes."""
        rng = np.random.default_rng(seed)
        content = bytearray(self._files[rng.integers(len(self._files))])
        for _ in range(rng.integers(1, 6)):
            _damage_bytes(rng, content)
        self._path.write_bytes(content)
        try:
            maps = accumulate([self._path], small_cabling(), _SETTINGS)
        except InputFileError:
            return
        assert maps.n_events <= maps.events_read
        assert maps.n_events == maps.lb_events.sum()
        assert maps.counts.sum() == maps.chip_hits.sum()
        assert maps.counters["groups"] * 128 >= maps.counts.sum()

    def _decode(self, words: Words, *, damaged: bool) -> None:
        """Decode one event; its results must be possible, and nothing written beyond its place."""
        event = new_event_buffers(self._n_rods)
        size = 4 * len(words) + 4
        groups, incidents = (np.full(size + _GUARD, -7, dtype=np.int64) for _ in range(2))
        event = event._replace(groups=groups[:size], incidents=incidents[:size])
        guarded = np.concatenate([words, np.full(_GUARD, 0x80508050, dtype=np.uint32)])
        state = self._work.state
        read, skipped = state[filling.EVENTS_READ], state[filling.EVENTS_DAMAGED]
        while True:
            stop = filling.fill_event(
                guarded, 0, len(words), self._tables, event, self._arrays, self._work
            )
            state[[filling.N_FAULTS, filling.N_SLOTS, filling.N_CARRIES]] = 0
            if stop in (filling.EVENT_DONE, filling.Stop.COMPRESSED):
                break
            assert stop in (filling.Stop.TIME_BINS, filling.Stop.FAULTS, filling.Stop.CARRIES)
        assert (groups[size:] == -7).all()
        assert (incidents[size:] == -7).all()
        if stop == filling.EVENT_DONE:
            assert state[filling.EVENTS_READ] == read + 1
        assert damaged or state[filling.EVENTS_DAMAGED] == skipped
        self._check(event)

    def _check(self, event: fragments.EventBuffers) -> None:
        """The errors of an event are errors of wafers."""
        marks = event.errors.marks
        assert 0 <= marks[0] <= 8176
        touched = event.errors.touched[: marks[0]]
        assert len(np.unique(touched)) == len(touched)
        bits = event.errors.words[touched]
        assert ((bits > 0) & (bits < 1 << len(ERROR_TYPES))).all()


def _halves(rng: np.random.Generator, n: int) -> list[int]:
    """16-bit words: links as they should be, and anything else."""
    kind = rng.random(n)
    words = rng.integers(0, 1 << 16, n)
    words = np.where(kind < 0.25, rng.choice(_LINKS, n), words)
    words = np.where((kind >= 0.25) & (kind < 0.65), rng.choice(_INSIDE, n), words)
    words = np.where((kind >= 0.65) & (kind < 0.8), 0x4000, words)
    return [int(word) for word in words]


def _event(rng: np.random.Generator, robs: list[list[int]]) -> Words:
    fields = rng.integers(0, 1 << 16, 2)
    version = 0x05000000 if rng.random() < 0.7 else 0x04000000
    event = Event(tuple(robs), lumi_block=int(fields[0]) % 20, time=int(fields[1]), version=version)
    return np.array(event.words(), dtype=np.uint32)


def _changed(rng: np.random.Generator, words: Words, n: int) -> Words:
    """Words with some replaced by sizes, neighbours, noise, or themselves with a flipped bit."""
    words = words.copy()
    for at in rng.integers(0, len(words), n):
        kind = rng.integers(4)
        if kind == 0:
            words[at] = rng.choice(np.array(_SIZES, dtype=np.uint32))
        elif kind == 1:
            words[at] ^= np.uint32(1 << int(rng.integers(32)))
        elif kind == 2:
            words[at] = words[rng.integers(len(words))]
        else:
            words[at] = np.uint32((int(words[at]) + int(rng.integers(-2, 3))) & 0xFFFFFFFF)
    return words


def _damage_bytes(rng: np.random.Generator, content: bytearray) -> None:
    """One damage to a file."""
    if not content:
        return
    at = int(rng.integers(len(content)))
    kind = rng.integers(6)
    if kind == 0:
        content[at] ^= 1 << int(rng.integers(8))
    elif kind == 1 and rng.random() < 0.3:
        del content[at:]
    elif kind == 2:
        begin = int(rng.integers(len(content)))
        content[at:at] = content[begin : begin + 4 * int(rng.integers(1, 20))]
    elif kind == 3:
        del content[at : at + int(rng.integers(1, 40))]
    else:
        value = int(rng.choice(np.array(_SIZES)))
        content[at // 4 * 4 : at // 4 * 4 + 4] = value.to_bytes(4, "little")


def _seed_files(folder: Path) -> Iterator[Path]:
    """Small files of all kinds."""
    halves = [0x2100, 0x8050, 0x8071, 0x4000, 0x2000, 0x8050, 0x8088, 0x4000]
    robs = (rob(rod(halves)), rob(rod(halves, source=0x210001), source=0x210001))
    events = [Event(robs, lumi_block=i, time=1000 + i) for i in range(3)]
    packed = [Event(robs, lumi_block=i, compress=True) for i in range(3)]
    yield write_raw(folder / "plain", events)
    yield write_raw(folder / "old", [Event(robs, version=0x04000000)] * 3, version=5, order=">")
    yield write_raw(folder / "packed", packed)
    yield write_raw(folder / "packed-file", events, compress=True)


SHARES = {"words": 0.35, "rods": 0.25, "events": 0.36, "files": 0.04}
"""How many of the inputs are of each kind."""


def run(kind: str, seeds: range, folder: Path, deadline: float = float("inf")) -> int:
    """Try inputs of a kind until the deadline: how many."""
    fuzzer = Fuzzer(folder)
    attempt: Callable[[int], None] = getattr(fuzzer, kind)
    for n, seed in enumerate(seeds):
        if time.monotonic() > deadline:
            return n
        try:
            attempt(seed)
        except Exception as error:
            msg = f"{kind}, seed {seed}: {error!r}"
            raise AssertionError(msg) from error
    return len(seeds)


def main() -> int:
    """Try many inputs and tell the rate."""
    import logging

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=250_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    start, total = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, share in SHARES.items():
            begin = time.monotonic()
            first = options.seed * 10_000_000
            seeds = range(first, first + int(share * options.inputs))
            try:
                n = run(kind, seeds, Path(folder), begin + options.seconds / len(SHARES))
            except AssertionError as error:
                sys.stderr.write(f"FOUND: {error}\n")
                return 1
            seconds = time.monotonic() - begin
            total += n
            sys.stdout.write(f"{kind:8} {n:8} inputs {n / seconds:8.0f} per second\n")
    seconds = time.monotonic() - start
    sys.stdout.write(
        f"all      {total:8} inputs {total / seconds:8.0f} per second, nothing found\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
