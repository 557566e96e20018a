"""Work on two threads with the results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4
"""Results that wait or are being made while the caller is busy with another one."""
THREADS = min(2, len(os.sched_getaffinity(0)))
"""What inflating and deflating make use of; beyond two the interpreter is the limit."""


def in_order(work: Callable[[Item, Event], Result], items: Iterable[Item]) -> Generator[Result]:
    """``work(item, stop)`` of each item, a few ahead of the caller.

    ``stop`` is set when the caller leaves or an item fails; long work should look at it. The
    threads have ended when the generator is closed, so close it (`contextlib.closing`).
    """
    stop = Event()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="maps")
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item, stop))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
