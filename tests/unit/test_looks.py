"""More looks before a mismatch is believed: rows that moved in between are nobody's fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_gateway.evidence import looks
from api_gateway.evidence.compare import Verdict
from api_gateway.evidence.looks import Judgement, judge
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import Rules


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "PAUSES", (0.0, 0.0))


def says(text: str) -> Observation:
    return Observation.answer(200, [(b"content-type", b"text/plain")], text.encode())


class Side:
    """Answers in turn, and keeps count."""

    def __init__(self, *answers: Observation) -> None:
        self._answers: Iterator[Observation] = iter(answers)
        self.asked = 0

    async def __call__(self) -> Observation:
        self.asked += 1
        return next(self._answers)


async def judged(control: str, candidate: Side, legacy: Side | None = None) -> Judgement:
    return await judge(says(control), candidate, legacy, Rules())


async def test_a_match_needs_one_look() -> None:
    candidate, legacy = Side(says("a")), Side()
    comparison = (await judged("a", candidate, legacy)).comparison
    assert (comparison.verdict, comparison.looks, legacy.asked) == (Verdict.match, 1, 0)


async def test_a_mismatch_is_believed_when_legacy_still_says_the_same() -> None:
    candidate, legacy = Side(says("b")), Side(says("a"))
    assert (await judged("a", candidate, legacy)).comparison.verdict is Verdict.mismatch
    assert (candidate.asked, legacy.asked) == (1, 1)


async def test_a_candidate_that_saw_a_change_first_matches_what_legacy_says_now() -> None:
    judgement = await judged("a", Side(says("b")), Side(says("b")))
    assert (judgement.comparison.verdict, judgement.comparison.looks) == (Verdict.match, 2)
    assert judgement.control == says("b")


async def test_both_are_asked_again_when_both_moved() -> None:
    candidate = Side(says("b"), says("c"))
    assert (await judged("a", candidate, Side(says("c")))).comparison.verdict is Verdict.match


async def test_when_legacy_keeps_changing_in_the_same_place_nothing_is_proven() -> None:
    candidate, legacy = Side(says("x"), says("y"), says("z")), Side(says("b"), says("c"))
    comparison = (await judged("a", candidate, legacy)).comparison
    assert (comparison.verdict, comparison.looks, candidate.asked) == (Verdict.inconclusive, 3, 3)
    assert comparison.why == "legacy kept changing in these places"


async def test_a_difference_in_another_place_is_believed_while_legacy_keeps_changing() -> None:
    def row(seen: str, total: str) -> Observation:
        return Observation.answer(
            200, [(b"content-type", b"application/json")], f'{{"n":"{seen}","t":{total}}}'.encode()
        )

    candidate, legacy = Side(*(row(seen, "1") for seen in "xyz")), Side(*(row(seen, "2") for seen in "bc"))
    comparison = (await judge(row("a", "2"), candidate, legacy, Rules())).comparison
    assert (comparison.verdict, comparison.looks) == (Verdict.mismatch, 3)


async def test_without_a_legacy_to_ask_the_candidate_is_asked_again() -> None:
    candidate = Side(says("b"), says("b"), says("a"))
    assert (await judged("a", candidate)).comparison.verdict is Verdict.match


async def test_an_exception_is_believed_at_once() -> None:
    candidate, legacy = Side(Observation.failed(Failure.raised, "KeyError")), Side()
    assert (await judged("a", candidate, legacy)).comparison.verdict is Verdict.mismatch
    assert (candidate.asked, legacy.asked) == (1, 0)


async def test_a_late_candidate_may_try_again_because_the_machine_may_have_been_busy() -> None:
    candidate = Side(Observation.failed(Failure.timed_out), says("a"))
    assert (await judged("a", candidate, Side())).comparison.verdict is Verdict.match
