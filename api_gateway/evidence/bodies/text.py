"""Plain text, and what is read as plain text: line by line."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.difference import Difference


def differences(control: str, candidate: str) -> Iterator[Difference]:
    """Paths `line[3]`, from 1. Trailing white space counts: fixed-width readers cut by column."""
    yield from line_endings(control, candidate)
    here, there = _lines(control), _lines(candidate)
    for i, j in align(here, there):
        if i is not None and j is not None and here[i] != there[j]:
            yield Difference(f"line[{i + 1}]", "value", here[i], there[j])
        elif i is not None and j is None:
            yield Difference(f"line[{i + 1}]", "missing", here[i], None)
        elif i is None and j is not None:
            yield Difference(f"line[{j + 1}]", "extra", None, there[j])


def line_endings(control: str, candidate: str) -> Iterator[Difference]:
    """CRLF against LF, and a last line with or without its end."""
    if _endings(control) != _endings(candidate):
        yield Difference("line-endings", "line-endings", _endings(control), _endings(candidate))


def _endings(text: str) -> str:
    crlf = text.count("\r\n")
    style = "none" if "\n" not in text else "CRLF" if crlf == text.count("\n") else "LF" if crlf == 0 else "mixed"
    return style if style == "none" or text.endswith("\n") else f"{style}, none at the end"


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")
