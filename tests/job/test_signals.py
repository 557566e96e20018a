"""The guard that turns signals into an orderly end."""

from __future__ import annotations

import os
import signal

import pytest

from sctcalib.job.signals import HANDLED, Interrupted, SignalGuard


@pytest.fixture
def guard():
    guard = SignalGuard()
    with guard.installed():
        yield guard


def send(number: int = signal.SIGTERM) -> None:
    """The handler has run when this returns, or has raised."""
    os.kill(os.getpid(), number)


def test_a_signal_raises_with_its_number(guard):
    guard.start()
    with pytest.raises(Interrupted, match="Transform received signal 15") as caught:
        send()
    assert caught.value.number == signal.SIGTERM


def test_it_is_no_error_that_a_handler_of_errors_could_swallow():
    assert not issubclass(Interrupted, Exception)


def test_a_signal_before_the_start_waits_for_it(guard):
    send(signal.SIGHUP)
    with pytest.raises(Interrupted) as caught:
        guard.start()
    assert caught.value.number == signal.SIGHUP


def test_only_the_first_signal_counts(guard):
    guard.start()
    with pytest.raises(Interrupted):
        send()
    send(signal.SIGINT)
    send(signal.SIGHUP)


def test_a_deferred_signal_comes_at_the_end_of_the_block(guard):
    guard.start()
    done = []
    with pytest.raises(Interrupted) as caught, guard.deferred():  # noqa: PT012
        send(signal.SIGINT)
        send(signal.SIGTERM)
        done.append("all of the block")
    assert done
    assert caught.value.number == signal.SIGINT


def test_a_deferred_signal_can_be_asked_for(guard):
    guard.start()
    with pytest.raises(Interrupted), guard.deferred():  # noqa: PT012
        guard.check()
        send()
        guard.check()
        pytest.fail("check did not raise")


def test_an_error_in_a_deferring_block_goes_before_the_signal(guard):
    guard.start()
    with pytest.raises(ZeroDivisionError), guard.deferred():  # noqa: PT012
        send()
        raise ZeroDivisionError


def test_after_settling_signals_have_no_effect(guard):
    guard.start()
    with guard.deferred():
        send()
        guard.settle()
    send()
    guard.check()


def test_a_signal_that_a_finalizer_swallows_is_not_lost(guard, recwarn):
    """Python only prints what is raised in ``__del__``; the next check has to raise it again."""

    class Finalized:
        def __del__(self) -> None:
            send()

    import sys

    ignored = []
    hook, sys.unraisablehook = sys.unraisablehook, ignored.append
    try:
        guard.start()
        Finalized()
    finally:
        sys.unraisablehook = hook
    assert [each.exc_type for each in ignored] == [Interrupted]
    with pytest.raises(Interrupted):
        guard.check()


def test_handlers_are_put_back():
    before = {each: signal.getsignal(each) for each in HANDLED}
    with SignalGuard().installed():
        assert all(signal.getsignal(each) != before[each] for each in HANDLED)
    assert {each: signal.getsignal(each) for each in HANDLED} == before


def test_an_ignored_hang_up_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with SignalGuard().installed():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
