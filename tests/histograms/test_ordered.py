"""Two threads, one order, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest

from sctcalib.histograms.ordered import in_order


def _workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("maps")]


def test_results_come_in_the_order_of_the_items() -> None:
    with closing(in_order(lambda item, _stop: item * item, range(50))) as results:
        assert list(results) == [item * item for item in range(50)]
    assert not _workers()


def test_only_a_few_items_are_taken_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    with closing(in_order(lambda item, _stop: item, items())) as results:
        next(results)
        assert len(taken) < 10


def test_failure_of_a_worker_ends_the_others() -> None:
    seen = []

    def work(item: int, stop: Event) -> int:
        if item == 2:
            msg = "no more"
            raise OSError(msg)
        if item == 3:
            seen.append(stop.wait(20))
        return item

    with pytest.raises(OSError, match="no more"), closing(in_order(work, range(100))) as results:
        list(results)
    assert seen in ([], [True])
    assert not _workers()


def test_interrupt_of_the_caller_ends_the_workers() -> None:
    stopped = []

    def work(item: int, stop: Event) -> int:
        if item:
            stopped.append(stop.wait(20))
        return item

    def interrupted() -> None:
        with closing(in_order(work, range(100))) as results:
            for _ in results:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(stopped)
    assert len(stopped) < 10
    assert not _workers()
