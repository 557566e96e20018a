"""Print which tests stand for which numbered requirement of the expert guide (transform.md 9).

Tests say so by ``@pytest.mark.requirement("R65")``; they are read here, not run. Ends with 1 if a
requirement has neither a test nor a reason.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent

REQUIREMENTS = {
    "R1": "the transform runs from a run directory, with --argJSON",
    "R2": "dictionary and report are JSON",
    "R3": "the dictionary is checked, names of inputs are adapted",
    "R4": "log.sctcalib has what the parts say",
    "R5": "names of CASTOR and EOS get their server",
    "R6": "the run selector and the run information are called when asked",
    "R7": "split 2 merges hit maps and lumi-block maps",
    "R8": "nothing dead: no database, and the job ends well",
    "R9": "unknown identifiers are warnings; with more than 10 the event is left out",
    "R10": "tags that the destination does not have are noticed",
    "R11": "without stable beam a run ends with the guide's message",
    "R12": "noisy strips wait until the last good run is uploaded",
    "R13": "missing keys take defaults, a few are needed",
    "R14": "values of part, and its default",
    "R15": "doRunInfo",
    "R16": "doRunSelector",
    "R17": "splitNoisyStrip 0, 1, 2",
    "R18": "hit-map jobs run several at once",
    "R19": "maxEvents",
    "R20": "prefix",
    "R21": "input, without which there is no job",
    "R22": "SCTCalibConfig; values may be texts",
    "R23": "a task is made for datasets that match its row of a configured table",
    "R24": "tasks are switched on and off",
    "R25": "each task has its part",
    "R65": "requests for noisy strips: name, served first",
    "R66": "other requests: name",
    "R67": "a request holds the path of the database",
    "R68": "noisy strips go to CONDBR2; comment, log",
    "R69": "others go to MONP200; no copy, comment, log",
    "R70": "a served request is deleted",
    "R71": "names of requests end with .up",
    "R72": "differences of folder descriptions are ignored",
    "R73": "credentials from a protected file",
    "R74": "which runs to upload noisy strips of",
    "R75": "which runs to upload other folders of",
    "R76": "every hour the requests are served; uploads.log",
    "R77": "runs neither uploaded nor requested are told, and the time left",
    "R78": "lastRun follows the uploads",
    "R79": "outputs are copied to the page every four hours",
    "R84": "message of a failed stable-beam test",
    "R85": "a run that is missing on the page",
    "R86": "empty histograms mean standby, not failing algorithms",
    "R87": "lastRun set by hand releases a waiting job",
    "R88": "the run query, its options and outputs",
}
"""In our words; the numbers are those of transform.md 9."""

PAGES = "the pages and the task machinery are not in this version"
REASONS = {
    "R23": PAGES,
    "R24": PAGES,
    "R25": PAGES,
    "R73": "nothing is known of the original's accounts; here files are written, without password",
    "R74": "a rule for people, in docs/operations.md; nothing is uploaded that nobody requests",
    "R75": "a rule for people, in docs/operations.md; nothing is uploaded that nobody requests",
    "R79": PAGES,
    "R85": PAGES,
}
"""Why there is no test."""
IN_PART = {
    "R77": "the time left: after which time a run is no longer uploaded is not known",
}
"""What the tests leave out."""


def markers(path: Path) -> Iterator[tuple[str, str]]:
    """Requirements and tests of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".requirement"):
                    for name in call.args:
                        yield ast.literal_eval(name), node.name


def covered(folder: Path = TESTS) -> dict[str, list[str]]:
    """Tests by requirement, as ``file::test``."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for requirement, test in markers(path):
            found[requirement].append(f"{path.relative_to(folder)}::{test}")
    return dict(found)


def problems(tests: dict[str, list[str]]) -> list[str]:
    """What does not fit together."""
    found = [f"{n}: neither a test nor a reason" for n in sorted_names(REQUIREMENTS)
             if n not in tests and n not in REASONS]  # fmt: skip
    return found + [f"{n}: tests, and a reason why there are none" for n in REASONS if n in tests]


def sorted_names(names: object) -> list[str]:
    """R2 before R10."""
    return sorted(names, key=lambda name: int(name[1:]))  # type: ignore[call-overload]


def lines(tests: dict[str, list[str]]) -> Iterator[str]:
    """The table."""
    for name in sorted_names({*REQUIREMENTS, *tests}):
        yield f"{name:4} {REQUIREMENTS.get(name, '(of another chapter)')}"
        yield from (f"       {test}" for test in tests.get(name, []))
        if name in REASONS or name in IN_PART:
            yield f"       not tested: {IN_PART.get(name) or REASONS[name]}"
    n_covered = len(set(tests) & set(REQUIREMENTS))
    yield f"{n_covered} of {len(REQUIREMENTS)} have tests, {len(REASONS)} have a reason instead"


def main() -> int:
    """Print the table and what does not fit."""
    tests = covered()
    found = problems(tests)
    sys.stdout.writelines(f"{line}\n" for line in [*lines(tests), *found])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
