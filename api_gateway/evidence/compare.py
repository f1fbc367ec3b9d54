"""The judgement: two observations and a route's rules go in, a verdict with its differences comes out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from api_gateway.evidence.bodies import body
from api_gateway.evidence.difference import Difference, first
from api_gateway.evidence.media import ContentType
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import BROWSER_HEADERS, NOISE_HEADERS, Rules

MAX_DIFFERENCES = 50


class Verdict(StrEnum):
    match = "match"
    mismatch = "mismatch"
    ignored = "ignored"
    intended = "intended"
    inconclusive = "inconclusive"

    @property
    def is_conclusive(self) -> bool:
        return self is not Verdict.inconclusive


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences` are those that decided the verdict, at most MAX_DIFFERENCES, fit to be stored.

    ignored  (path, reason) of the differences that an ignore rule or a signed intention took out.
    looks    how often the candidate was run before this was believed.
    why      for inconclusive: what was missing.
    """

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    looks: int = 1
    why: str = ""


def compare(
    control: Observation,
    candidate: Observation,
    rules: Rules,
    *,
    method: str = "GET",
    written: Iterable[Difference] = (),
    same: Callable[[str | None, str | None], bool] | None = None,
) -> Comparison:
    """Judge a candidate's answer by the control's. Equal bytes need no parsing; a failed control proves nothing.

    written  differences between what the two sides wrote, where that is known.
    same     tells of two values that differ whether they are one thing under two names.
    """
    if reason := _inconclusive(control, candidate):
        return Comparison(Verdict.inconclusive, why=reason)
    found = first(chain(written, _differences(control, candidate, rules, method)), MAX_DIFFERENCES * 4)
    counted: list[Difference] = []
    taken_out: list[tuple[str, str]] = []
    intended = False
    for difference in found:
        if (
            same is not None
            and difference.kind in ("value", "header")
            and same(difference.control, difference.candidate)
        ):
            continue
        if rule := rules.ignored_by(difference.path, difference.control, difference.candidate):
            taken_out.append((difference.shown(rules).path, rule.reason))
        elif signed := rules.intended_by(difference.path):
            taken_out.append((difference.shown(rules).path, f"{signed.reason} ({signed.signed_by})"))
            intended = True
        else:
            counted.append(difference)
    if counted:
        shown = tuple(difference.shown(rules) for difference in counted[:MAX_DIFFERENCES])
        return Comparison(Verdict.mismatch, shown, tuple(taken_out))
    verdict = Verdict.intended if intended else Verdict.ignored if taken_out else Verdict.match
    return Comparison(verdict, (), tuple(taken_out))


def _inconclusive(control: Observation, candidate: Observation) -> str:
    if control.failure is not None or control.status is None:
        return f"control {control.failure or Failure.incomplete}"
    if control.status >= 500:
        return f"control answered {control.status}"
    if candidate.failure in (Failure.unavailable, Failure.drifted):
        return f"candidate {candidate.failure}"
    return ""


def _differences(control: Observation, candidate: Observation, rules: Rules, method: str) -> Iterator[Difference]:
    if candidate.failure is not None or candidate.status is None:
        yield Difference("candidate", "failure", None, f"{candidate.failure}: {candidate.detail}".rstrip(": "))
        return
    if control.status != candidate.status:
        yield Difference("status", "status", str(control.status), str(candidate.status))
    yield from _headers(control, candidate)
    if method != "HEAD":
        yield from body.differences(control, candidate, rules)


def _headers(control: Observation, candidate: Observation) -> Iterator[Difference]:
    noise = NOISE_HEADERS if control.media_type == "text/html" else NOISE_HEADERS | BROWSER_HEADERS
    names = {name for name, _ in (*control.headers, *candidate.headers)}
    for name in sorted(names - noise):
        here, there = control.header(name), candidate.header(name)
        same_type = name == "content-type" and ContentType.parse(here) == ContentType.parse(there)
        if name == "content-security-policy":
            here, there = _without_nonces(here), _without_nonces(there)
        if here != there and not same_type:
            yield Difference(f"header.{name}", "header", here, there)


def _without_nonces(policy: str | None) -> str | None:
    """A page's policy names its nonce, which is new in every answer (CSP Level 3, section 2.3.1)."""
    return policy and re.sub(r"'nonce-[^']*'", "'nonce-‹token›'", policy)
