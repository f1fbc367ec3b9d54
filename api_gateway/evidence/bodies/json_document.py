"""JSON (RFC 8259): structure and values; the order of members and white space do not count."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.difference import Difference
from api_gateway.evidence.rules import Rules


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its spelling: 1.50 equals 1.5, and is still written otherwise."""

    value: Decimal
    text: str


def parse(content: bytes) -> Any:
    """Members as lists of pairs in doubled-name documents, else dicts. Raises ValueError when it is no JSON."""
    try:
        return json.loads(content, parse_float=_number, parse_int=_number, object_pairs_hook=_members)
    except RecursionError:
        raise ValueError("nested too deep") from None


def differences(control: Any, candidate: Any, rules: Rules, path: str = "$") -> Iterator[Difference]:
    """Between two parsed documents; paths in the manner of JSONPath (RFC 9535)."""
    if isinstance(control, dict) and isinstance(candidate, dict):
        for name in [*control, *(name for name in candidate if name not in control)]:
            place = f"{path}.{name}"
            if name not in candidate:
                yield Difference(place, "missing", _text(control[name]), None)
            elif name not in control:
                yield Difference(place, "extra", None, _text(candidate[name]))
            else:
                yield from differences(control[name], candidate[name], rules, place)
    elif isinstance(control, list) and isinstance(candidate, list):
        for here, there in align([_key(item) for item in control], [_key(item) for item in candidate]):
            if there is None and here is not None:
                yield Difference(f"{path}[{here}]", "missing", _text(control[here]), None)
            elif here is None and there is not None:
                yield Difference(f"{path}[{there}]", "extra", None, _text(candidate[there]))
            elif here is not None and there is not None:
                yield from differences(control[here], candidate[there], rules, f"{path}[{here}]")
    elif type(control) is not type(candidate):
        yield Difference(path, "type", _text(control), _text(candidate))
    elif not _equal(control, candidate, rules):
        yield Difference(path, "value", _text(control), _text(candidate))


def _equal(control: Any, candidate: Any, rules: Rules) -> bool:
    if isinstance(control, Number) and rules.numbers == "value":
        return bool(control.value == candidate.value)
    if isinstance(control, str) and rules.times == "instant" and control != candidate:
        instant = _instant(control)
        return instant is not None and instant == _instant(candidate)
    return bool(control == candidate)


def _instant(text: str) -> datetime | None:
    """RFC 3339, or another profile of ISO 8601 with a date, a time and a zone."""
    try:
        moment = datetime.fromisoformat(text) if len(text) > 10 else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _number(text: str) -> Number:
    try:
        return Number(Decimal(text), text)
    except ArithmeticError:  # an exponent beyond what Decimal holds
        raise ValueError("number out of range") from None


def _members(pairs: list[tuple[str, Any]]) -> Any:
    members = dict(pairs)
    return members if len(members) == len(pairs) else [[name, value] for name, value in pairs]


def _key(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(_key(item) for item in value)
    return (type(value), value.value if isinstance(value, Number) else value)


def _text(value: Any) -> str:
    return value.text if isinstance(value, Number) else json.dumps(value, default=lambda item: item.text)
