"""Signals end a job in order: temporary files go, the report is written, the exit is 128 + n."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HANDLED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGXCPU,
    signal.SIGABRT,
    signal.SIGSYS,
    signal.SIGIO,
    signal.SIGUSR1,
)


class Interrupted(BaseException):
    """A signal arrived. Not an Exception, so that no handler of errors swallows it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"Transform received signal {number}")


class SignalGuard:
    """Raises Interrupted in the main thread on the first signal, and ignores further ones.

    The signal mask would not do for deferring: another thread may take the signal, and Python
    runs the handler in the main thread all the same. Signals are deferred until `start`.
    """

    def __init__(self) -> None:
        self._deferring = True
        self._settled = False
        self._pending = 0

    def start(self) -> None:
        """Raise signals from now on, one that has already arrived at once."""
        self._deferring = False
        self.check()

    @contextmanager
    def installed(self) -> Iterator[SignalGuard]:
        """Handle the signals of the table; a hang-up that the caller ignores stays ignored."""
        before = {}
        for each in HANDLED:
            current = signal.getsignal(each)
            if each == signal.SIGHUP and current == signal.SIG_IGN:
                continue
            before[each] = current
            signal.signal(each, self._on_signal)
        try:
            yield self
        finally:
            for each, handler in before.items():
                signal.signal(each, signal.SIG_DFL if handler is None else handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only remember a signal; `check` raises it, and so does the end of an orderly block."""
        self._deferring = True
        try:
            yield
            self.check()
        finally:
            self._deferring = False

    def check(self) -> None:
        """Raise Interrupted if a signal arrived."""
        if self._pending:
            number = self._pending
            self.settle()
            raise Interrupted(number)

    def settle(self) -> None:
        """Ignore signals from now on, those that wait too: the job is as good as over."""
        self._settled, self._pending = True, 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._settled or self._pending:
            return
        # it stays pending too: raised in a finalizer, it would be lost until the next `check`
        self._pending = number
        if not self._deferring:
            raise Interrupted(number)
