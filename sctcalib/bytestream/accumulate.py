"""Read RAW files into maps (reference/raw-bytestream.md 3.17, algorithms-hitmaps.md 2, 5).

```python
settings = RawSettings(n_lumi_blocks=500, lbs_per_window=30, swap=default_swap())
maps = accumulate(paths, default_cabling(), settings, jobs=2)
```
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from sctcalib.bytestream.files import RawFileInfo, count_blocks, read_file_info
from sctcalib.bytestream.maps import RawMaps, RawSettings
from sctcalib.detector.cabling import Cabling
from sctcalib.job.errors import InputFileError, raise_problems

if TYPE_CHECKING:
    from sctcalib.bytestream.decoder import Decoder

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and those of all files."""

_ALL = 1 << 62
_WAIT_SECONDS = 0.1
_SHOWN = 10
"""Damaged places that are logged; the result lists more."""
_Task = tuple[RawFileInfo, int, int]
"""A file, data blocks to pass over, data blocks to read."""


def accumulate(
    paths: Sequence[Path],
    cabling: Cabling,
    settings: RawSettings,
    *,
    max_events: int = -1,
    skip_events: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> RawMaps:
    """Read RAW files and sum up what ``settings`` asks for.

    Parameters
    ----------
    paths
        The files, in the order in which ``skip_events`` and ``max_events`` count.
    max_events, skip_events
        Events to read, -1 for all, after passing over the first ones. Both count data blocks.
    jobs
        Files read at the same time, each by a thread of its own. The result does not depend on it;
        each has its own maps.
    progress
        Called in this thread from time to time.

    Raises InputFileError (several at once) for files that are no RAW files or contain data blocks
    none of which can be read, and ArgumentError where numba is missing. Damage that leaves readable
    events is a warning, counted and listed in the result.
    """
    from sctcalib.bytestream.decoder import Decoder

    infos = file_infos(paths)
    shares = shares_of_files(infos, max_events, skip_events)
    work = [(info, *share) for info, share in zip(infos, shares, strict=True) if share[1] > 0]
    n_threads = max(1, min(jobs, len(work)))
    maps = _Pool([Decoder(cabling, settings) for _ in range(n_threads)], work).run(progress)
    _report(maps)
    return maps


def file_infos(paths: Sequence[Path]) -> list[RawFileInfo]:
    """The records of all files; InputFileError, or ProblemsError of them, for those without."""
    infos, problems = [], []
    for path in paths:
        try:
            infos.append(read_file_info(Path(path)))
        except InputFileError as error:
            problems.append(error)
    raise_problems(problems)
    return infos


def shares_of_files(
    infos: Sequence[RawFileInfo], max_events: int, skip_events: int
) -> list[tuple[int, int]]:
    """Blocks to skip and then to read of each file."""
    if max_events < 0 and skip_events <= 0:
        return [(0, _ALL)] * len(infos)
    left = max_events if max_events >= 0 else _ALL
    shares = []
    for info in infos:
        n_blocks = count_blocks(info)
        skip = min(skip_events, n_blocks)
        skip_events -= skip
        take = min(left, n_blocks - skip)
        left -= take
        # a file that is read to its end is also looked at beyond its last block
        to_the_end = take == n_blocks - skip and (take > 0 or n_blocks == 0)
        shares.append((skip, _ALL if to_the_end else take))
    return shares


class _Pool:
    """Threads that read files; decoding is compiled code that lets the others run."""

    def __init__(self, decoders: Sequence[Decoder], work: Sequence[_Task]) -> None:
        self._decoders = decoders
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        for task in work:
            self._tasks.put(task)
        self._total = sum(info.size for info, _, _ in work)
        self._done: dict[int, int] = {}
        self._stop = Event()
        self._problems: list[BaseException] = []

    def run(self, progress: Progress | None) -> RawMaps:
        """Read all files and add up the results."""
        threads = [Thread(target=self._work, args=(each,)) for each in self._decoders]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(_WAIT_SECONDS)
                    self._tell(progress)
        finally:
            # after an interruption too: the threads look at this after every portion of a file
            self._stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        self._raise_problems()
        self._tell(progress)
        maps = self._decoders[0].result()
        for decoder in self._decoders[1:]:
            maps.merge(decoder.result())
        return maps

    def _work(self, decoder: Decoder) -> None:
        """Read files until there are none left."""
        while not self._stop.is_set():
            try:
                info, skip, take = self._tasks.get_nowait()
            except Empty:
                return
            try:
                file = id(info)
                decoder.read(info, skip, take, partial(self._reached, file))
                self._done[file] = info.size
            except InputFileError as error:
                self._problems.append(error)
            except BaseException as error:
                self._problems.append(error)
                self._stop.set()

    def _reached(self, file: int, offset: int) -> bool:
        self._done[file] = offset
        return not self._stop.is_set()

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None:
            progress(min(sum(list(self._done.values())), self._total), self._total)

    def _raise_problems(self) -> None:
        for problem in self._problems:
            if not isinstance(problem, InputFileError):
                raise problem
        found = [problem for problem in self._problems if isinstance(problem, InputFileError)]
        raise_problems(sorted(found, key=str))


def _report(maps: RawMaps) -> None:
    """Warnings about what was left out of the maps, or lies at their edges."""
    for number, text in (
        (maps.events_damaged, "events could not be read and are in no map"),
        (maps.events_unknown, "events with more than 10 unknown OnlineIds are in no map"),
        (maps.counters["damaged_rods"], "ROD fragments were damaged and skipped"),
        (maps.counters["missing_link_headers"], "SCT Missing Link Headers found"),
        (maps.counters["unknown_ids"], "SCT unknown onlineId found"),
        (
            maps.events_outside_lbs,
            f"events have a lumi block outside 1-{maps.n_lumi_blocks}: only in the total hit maps",
        ),
    ):
        if number:
            log.warning("%d %s", number, text)
    for damage in maps.damage.sorted()[:_SHOWN]:
        log.warning("%s", damage)
    if maps.damage.count > _SHOWN:
        log.warning("%d more places like these", maps.damage.count - _SHOWN)
