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
    matcher = SequenceMatcher(None, control, candidate, autojunk=False)
    for _, begin, end, other_begin, other_end in matcher.get_opcodes():
        yield from zip_longest(range(begin, end), range(other_begin, other_end))
