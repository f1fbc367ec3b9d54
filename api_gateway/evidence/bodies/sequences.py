"""Which items of two sequences belong together, so that one lost row is one difference and not one per row after it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

LIMIT = 2000  # the matcher is quadratic at worst; longer sequences are paired by position

Pair = tuple[int | None, int | None]


def align(control: Sequence[Hashable], candidate: Sequence[Hashable]) -> Iterator[Pair]:
    """Pairs of indexes (control, candidate), in order; None where one side has no partner."""
    if control == candidate or max(len(control), len(candidate)) > LIMIT:
        yield from zip_longest(range(len(control)), range(len(candidate)))
        return
    start = _alike(control, candidate)
    rest = min(len(control), len(candidate)) - start
    end = _alike(control[::-1][:rest], candidate[::-1][:rest])
    yield from zip(range(start), range(start), strict=True)
    for i, j in _aligned(control[start : len(control) - end], candidate[start : len(candidate) - end]):
        yield None if i is None else i + start, None if j is None else j + start
    for back in range(end, 0, -1):
        yield len(control) - back, len(candidate) - back


def _alike(control: Sequence[Hashable], candidate: Sequence[Hashable]) -> int:
    """How many items at the beginning are the same."""
    pairs = enumerate(zip(control, candidate, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(control), len(candidate)))


def _aligned(control: Sequence[Hashable], candidate: Sequence[Hashable]) -> Iterator[Pair]:
    """Between two that differ at both ends."""
    codes = SequenceMatcher(None, control, candidate, autojunk=False).get_opcodes()
    if len(control) == len(candidate) and _in_place(control, candidate) <= _moved(codes):
        codes = [("replace", 0, len(control), 0, len(candidate))]
    for _, begin, end, other_begin, other_end in codes:
        yield from zip_longest(range(begin, end), range(other_begin, other_end))


def _in_place(control: Sequence[Hashable], candidate: Sequence[Hashable]) -> int:
    """How many items differ from the one at the same position."""
    return sum(one != other for one, other in zip(control, candidate, strict=True))


def _moved(codes: Sequence[tuple[str, int, int, int, int]]) -> int:
    """How many pairs of the alignment are no match."""
    return sum(max(end - begin, last - first) for tag, begin, end, first, last in codes if tag != "equal")
