"""The table of requirements: complete, and in agreement with the marks of the tests."""

from __future__ import annotations

from tests.requirements_table import (
    REASONS,
    REQUIREMENTS,
    TESTS,
    covered,
    lines,
    markers,
    problems,
)


def test_every_requirement_has_a_test_or_a_reason():
    assert problems(covered()) == []


def test_the_table_has_the_chapters_of_the_guide():
    numbers = [*range(1, 26), *range(65, 80), *range(84, 89)]
    assert list(REQUIREMENTS) == [f"R{number}" for number in numbers]
    assert set(REASONS) < set(REQUIREMENTS)


def test_marks_are_read_from_the_source():
    found = list(markers(TESTS / "uploads" / "test_requests.py"))
    assert ("R65", "test_positions_in_the_name_of_a_request_for_noisy_strips") in found
    assert ("R71", "test_positions_in_the_name_of_any_other_request") in found


def test_problems_are_seen():
    tests = {name: ["x"] for name in REQUIREMENTS if name not in REASONS and name != "R12"}
    assert problems(tests) == ["R12: neither a test nor a reason"]
    tests |= {"R12": ["x"], "R73": ["y"]}
    assert problems(tests) == ["R73: tests, and a reason why there are none"]
    assert "       y" in list(lines(tests))
