"""Requests of partners, put to the legacy app and to a mimic, and their answers compared."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence

from api_gateway.consumers import Principal
from api_gateway.evidence.candidate import Candidates
from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.mimic import MimicRequest
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules
from api_gateway.evidence.shapes import outcome_class

PARTNERS = ("ACME", "BOLT", "CRANE", "DELTA", "EAGLE", "GRANT")  # GRANT is switched off


def token(partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-token-{partner}".encode()).hexdigest()[:32]


def password(partner: str) -> dict[str, str]:
    """The header of basic authentication."""
    secret = hashlib.sha256(f"northgate-demo-password-{partner}".encode()).hexdigest()[:32]
    return {"Authorization": "Basic " + b64encode(f"{partner}:{secret}".encode()).decode()}


class Asked:
    """One request as a partner sends it, and as whom the gateway knows the sender."""

    def __init__(
        self,
        route: str,
        target: str,
        partner: str | None,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes = b"",
    ) -> None:
        self.route, self.target, self.method, self.body = route, target, method, body
        self.headers = tuple(
            (name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()
        )
        values = {"prt_cd": partner or ""}
        self.principal = Principal("consumer", partner.lower(), values=values) if partner is not None else None

    def request(self) -> MimicRequest:
        path, _, query = self.target.partition("?")
        return MimicRequest(self.method, path, query.encode(), self.headers, self.body)

    def __repr__(self) -> str:
        return f"{self.method} {self.target} {self.body[:300]!r} of {self.principal and self.principal.code}"


def assert_same_answer(asked: Asked, control: Observation, candidate: Observation) -> str:
    """The class of the outcome. Fails with the first differences."""
    found = compare(control, candidate, Rules(), method=asked.method)
    assert found.verdict is Verdict.match, (asked, [d.as_json() for d in found.differences], found.why)
    assert asked.method == "HEAD" or control.body == candidate.body, asked
    return outcome_class(control)


async def compared(asked: Sequence[Asked], legacy: str, candidates: Candidates) -> Counter[str]:
    """Every request put to both sides; how often each outcome was seen."""
    outcomes: Counter[str] = Counter()
    for each in asked:
        control = await ask_legacy(legacy, each.method, each.target, ((b"host", b"northgate"), *each.headers))
        candidate = await candidates.observe(each.route, each.request(), each.principal, 5.0)
        outcomes[assert_same_answer(each, control, candidate)] += 1
    return outcomes
