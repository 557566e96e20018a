"""Read the ``Name = literal`` lines of the original's SCTCalibConfig.py (algorithms-hitmaps.md 6).

The text is parsed, never run: what is not a plain value is an error.
"""

from __future__ import annotations

import ast
import warnings

Assignment = tuple[str, object, int]
"""Name, value, line."""
Problem = tuple[int, str]
"""Line, what is wrong there."""

_SHOWN = 60
"""Characters of a line in a message."""
_LITERALS = "numbers, texts, True, False, None and lists of them"


def read_assignments(text: str) -> tuple[list[Assignment], list[Problem]]:
    """The assignments of a file in their order, and every line that is anything else.

    Raises ValueError (with the line) if the text is not Python, and what the parser raises for
    text that is nested too deeply.
    """
    assignments: list[Assignment] = []
    problems: list[Problem] = []
    lines = text.split("\n")
    for statement in _parse(text):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=node):
                try:
                    assignments.append((name, _literal(node), statement.lineno))
                except ValueError as error:
                    problems.append((statement.lineno, f"{name}: {error}"))
            case _:
                source = lines[statement.lineno - 1].strip()[:_SHOWN]
                problems.append((statement.lineno, f"{source!r} is not of the form Name = literal"))
    return assignments, problems


def _parse(text: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in texts: they are not run
            return ast.parse(text).body
    except SyntaxError as error:
        msg = f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
        raise ValueError(msg) from error


def _literal(node: ast.expr) -> object:
    """The value of a literal; raises ValueError for every other expression."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=value)):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return -value if isinstance(sign, ast.USub) else value
        case ast.List(elts=elements):
            return [_literal(element) for element in elements]
    msg = f"the value is no literal (a {type(node).__name__}); allowed are {_LITERALS}"
    raise ValueError(msg)
