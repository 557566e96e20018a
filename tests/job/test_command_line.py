"""The command line's own ways, without starting programs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from sctcalib.commands import run as module
from sctcalib.commands.run import JobCommand, Start, run


@pytest.fixture
def given(monkeypatch, here) -> list[tuple[Start, bool]]:
    """What a command line asks for; nothing is run."""
    asked = []

    def remember(program: object, start: Start, options: object, *, dry_run: bool) -> int:
        asked.append((start, dry_run))
        return 0

    monkeypatch.setattr(module, "_run", remember)
    return asked


def overrides(given: list[tuple[Start, bool]], *words: str) -> dict[str, object]:
    result = CliRunner().invoke(run, list(words))
    assert result.exit_code == 0, result.output
    return dict(given[-1][0].overrides)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--prefix", "x"], {"prefix": "x"}),
        (["--prefix="], {"prefix": ""}),
        (["--splitHitMap", "2"], {"splitNoisyStrip": "2"}),
        (["--part", "a", "--part", "b"], {"part": "a,b"}),
        (["--input", "a,b", "--input=c"], {"input": "a,b,c"}),
        (["--doRunInfo"], {"doRunInfo": "True"}),
        (["--doRunInfo", "False"], {"doRunInfo": "False"}),
        (["--doRunInfo=false"], {"doRunInfo": "false"}),
        (["--debug", "--doRunSelector", "true"], {"verbose": "True", "doRunSelector": "true"}),
        (["--preExec", "x", "--ignoreErrors=1"], {"preExec": "x", "ignoreErrors": "1"}),
        (["--showGraph"], {"showGraph": ""}),
        ([], {}),
    ],
)
def test_options_and_what_they_override(given, words, expected):
    assert overrides(given, *words) == expected


def test_a_flag_before_the_dictionary_does_not_swallow_it(given):
    assert overrides(given, "--verbose", "job.json") == {"verbose": "True"}
    assert str(given[-1][0].dictionary) == "job.json"


@pytest.mark.parametrize("words", [["--argJSON=j"], ["--argJSON", "j"], ["--argjson=j"], ["j"]])
def test_ways_to_name_the_dictionary(given, words):
    overrides(given, *words)
    start, dry_run = given[-1]
    assert str(start.dictionary) == "j"
    assert not dry_run


@pytest.mark.parametrize("words", [["a", "--argJSON=b"], ["a", "--from-report", "b"]])
def test_one_job_at_a_time(given, words):
    result = CliRunner().invoke(run, words)
    assert result.exit_code == 7
    assert "one job at a time: a, b" in result.output


def test_an_interrupt_before_the_job_begins_has_its_code(here, monkeypatch):
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Start, "arguments", interrupt)
    assert CliRunner().invoke(run, ["job.json"]).exit_code == 130


def test_the_command_is_the_one_with_our_exit_codes():
    assert isinstance(run, JobCommand)
