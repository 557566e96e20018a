"""log.sctcalib and its echo."""

from __future__ import annotations

import io
import logging

import pytest

from sctcalib.job.logfile import MAX_DETAILS, JobLog


@pytest.fixture
def logger():
    logger = logging.getLogger("sctcalib.room")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def echo() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(logger, echo) -> JobLog:
    handler = JobLog("sctcalib", echo)
    logger.addHandler(handler)
    return handler


def test_form_of_a_line_in_the_log_and_on_the_terminal(logger, log, echo):
    logger.info("noisy strips: %d", 5)
    assert echo.getvalue() == "sctcalib " + log.text()
    stamp, rest = log.text().split(" ", 1)
    assert [len(field) for field in stamp.split(":")] == [2, 2, 2]
    assert rest == "room INFO noisy strips: 5\n"


def test_names_of_severities_are_those_of_the_field(logger, log):
    logger.critical("end")
    assert "room FATAL end" in log.text()
    assert log.summary()["countSummary"]["FATAL"] == 1


def test_only_what_is_severe_enough_is_echoed(logger, log, echo):
    logger.debug("detail")
    log.set_echo_level(logging.ERROR)
    logger.warning("hm")
    logger.error("no")
    assert "detail" not in echo.getvalue()
    assert "hm" not in echo.getvalue()
    assert "no" in echo.getvalue()
    assert "detail" in log.text()


def test_equal_messages_are_one_entry_and_the_rest_is_limited(logger, log):
    for number in range(MAX_DETAILS + 5):
        for _ in range(2):
            logger.warning("number %d", number)
    details = log.summary()["details"]["WARNING"]
    assert len(details) == MAX_DETAILS
    assert {entry["count"] for entry in details} == {2}
    assert log.summary()["countSummary"]["WARNING"] == 2 * (MAX_DETAILS + 5)


def test_first_error_is_the_worst(logger, log):
    assert log.first_error() is None
    logger.warning("w")
    assert log.first_error() is None
    logger.error("e1")
    logger.error("e2")
    assert log.first_error() == "e1"
    logger.critical("f")
    assert log.first_error() == "f"


def test_a_traceback_is_in_the_log_and_not_on_the_terminal(logger, log, echo):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logger.exception("failed")
    logger.error("next")
    assert "Traceback" in log.text()
    assert "Traceback" not in echo.getvalue()
    entry = log.summary()["details"]["ERROR"][1]
    assert log.text().splitlines()[entry["firstLine"] - 1].endswith("next")


def test_a_terminal_of_few_characters_gets_escapes():
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    log = JobLog("sctcalib", terminal)
    log.emit(logging.makeLogRecord({"name": "x", "levelno": logging.INFO, "msg": "ü \udcff"}))
    assert raw.getvalue().endswith(b"\\xfc \\udcff\n")
    assert "ü \udcff" in log.text()


class Lost(io.StringIO):
    """A stream whose other end is gone."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def write(self, text: str) -> int:
        self.tries += 1
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed")])
def test_a_lost_terminal_is_tried_once(logger, error):
    lost = Lost(error)
    log = JobLog("sctcalib", lost)
    logger.addHandler(log)
    logger.info("one")
    logger.info("two")
    assert lost.tries == 1
    assert log.text().count("\n") == 2


def test_a_terminal_that_is_only_busy_is_tried_again(logger):
    busy = Lost(BlockingIOError())
    logger.addHandler(JobLog("sctcalib", busy))
    logger.info("one")
    logger.info("two")
    assert busy.tries == 2


def test_without_a_terminal_the_log_is_written(logger, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    log = JobLog("sctcalib")
    logger.addHandler(log)
    logger.info("alone")
    assert "alone" in log.text()


def test_a_running_log_can_be_read(logger, log, tmp_path):
    logger.info("before")
    log.stream_to(tmp_path / "log.part")
    logger.info("during ü")
    assert (tmp_path / "log.part").read_text(encoding="utf-8") == log.text()
    log.close_stream()
    logger.info("after")
    assert "after" not in (tmp_path / "log.part").read_text(encoding="utf-8")


def test_a_log_that_cannot_be_streamed_does_not_matter(logger, log, tmp_path):
    log.stream_to(tmp_path / "none" / "log.part")
    logger.info("on")
    log.close_stream()
    assert "on" in log.text()
