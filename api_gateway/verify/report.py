"""What `verify` found, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from api_gateway.evidence.compare import Verdict
from api_gateway.evidence.media import ContentType
from api_gateway.evidence.observation import Observation
from api_gateway.verify.cases import Case
from api_gateway.verify.effects import Effect
from api_gateway.verify.findings import Found, Report
from api_gateway.verify.trial import Trial
from api_gateway.verify.writes import Row

CALLS = 8  # shown of those that show a difference together
LINES = 6  # of an answer's body


def as_json(report: Report) -> dict[str, Any]:
    return {
        "seed": report.seed,
        "asked": report.asked,
        "recorded": report.recorded,
        "seconds": round(report.seconds, 1),
        "prepared": round(report.prepared, 1),
        "ended": report.ended or None,
        "unproven": report.unproven,
        "routes": {
            name: {
                "asked": tally.asked,
                "wrote": tally.wrote,
                "callers": report.callers.get(name, []),
                "verdicts": {str(verdict): tally.verdicts[verdict] for verdict in Verdict},
                "shapes": len(tally.shapes),
                "outcomes": dict(tally.outcomes.most_common()),
                "inconclusive": dict(tally.why.most_common()),
            }
            for name, tally in report.tallies.items()
        },
        "found": [_found(each) for each in report.found],
    }


def _found(each: Found) -> dict[str, Any]:
    return {
        "route": each.route,
        "count": each.count,
        "calls": [call.as_json() for call in each.calls],
        "differences": [difference.as_json() for difference in each.trial.comparison.differences],
        "legacy": _side(each.trial.control, each.trial.written[0], each.trial.sent[0]),
        "modern": _side(each.trial.candidate, each.trial.written[1], each.trial.sent[1]),
    }


def _side(answer: Observation, written: list[Row], sent: list[Effect]) -> dict[str, Any]:
    return {
        "answer": answer_lines(answer),
        "written": [row_line(row) for row in written[:LINES]],
        "sent": [str(effect) for effect in sent[:LINES]],
    }


def cases_as_json(tried: Iterable[tuple[Case, Trial]]) -> list[dict[str, Any]]:
    """Kept cases, asked again: what each shows now."""
    return [
        {
            "case": case.name,
            "calls": [str(call) for call in case.calls],
            "verdict": str(trial.comparison.verdict),
            "differences": [difference.as_json() for difference in trial.comparison.differences],
        }
        for case, trial in tried
    ]


def answer_lines(answer: Observation) -> list[str]:
    """An answer as a person reads it: its status, what counts of its head, the beginning of its body."""
    if answer.status is None:
        return [f"no answer: {answer.failure} {answer.detail}".rstrip()]
    kind = ContentType.parse(answer.header("content-type"))
    body = kind.decode(answer.body).splitlines() if kind.reading != "binary" else [f"{len(answer.body)} bytes"]
    more = [f"… {len(body) - LINES} more lines"] if len(body) > LINES else []
    shown = [line if len(line) <= 160 else f"{line[:160]}…" for line in body[:LINES]]
    return [f"{answer.status} {answer.header('content-type') or ''}".rstrip(), *shown, *more]


def row_line(row: Row) -> str:
    changed = ", ".join(f"{name}={value!r}" for name, value in list(row.changed.items())[:12])
    return f"{row.verb} {row.place}: {changed}"


def text(report: Report) -> Iterator[str]:
    """The findings, one after another: the calls, what differs, both sides."""
    for number, each in enumerate(report.found, start=1):
        yield ""
        yield f"{number}. {each.route}: {_times(each.count)}; the smallest that shows it:"
        if len(each.calls) > CALLS:
            yield f"     … {len(each.calls) - CALLS} calls before, which could not be left out"
        yield from (f"     {call}" for call in each.calls[-CALLS:])
        for difference in each.trial.comparison.differences[:8]:
            yield f"   {difference.path} ({difference.kind})"
            yield f"     legacy  {_shown(difference.control)}"
            yield f"     modern  {_shown(difference.candidate)}"
        for side, answer, written, sent in (
            ("legacy", each.trial.control, each.trial.written[0], each.trial.sent[0]),
            ("modern", each.trial.candidate, each.trial.written[1], each.trial.sent[1]),
        ):
            yield f"   {side} answered"
            yield from (f"     {line}" for line in answer_lines(answer))
            yield from (f"     wrote {row_line(row)}" for row in written[:LINES])
            yield from (f"     sent {effect}" for effect in sent[:LINES])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value
