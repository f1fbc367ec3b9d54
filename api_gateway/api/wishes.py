"""How a write wants to be done, besides its body: preconditions, a trial run, a short answer.

If-Match, If-None-Match    the row must be as the caller knows it; there must be no row (RFC 9110, section 13.1)
Prefer: return=minimal     no document in the answer (RFC 7240)
?dry_run=true              everything is done, answered, and rolled back; as with a test key, always
"""

from __future__ import annotations

from dataclasses import dataclass

from api_gateway.api.accept import JSON, chosen
from api_gateway.api.calls import Call
from api_gateway.api.etag import allows, is_known, tag_of
from api_gateway.api.prefer import preferences
from api_gateway.api.problems import bad_request, not_acceptable, precondition_failed, precondition_required
from api_gateway.api.query import query_pairs
from api_gateway.errors import FieldError


@dataclass(frozen=True, slots=True)
class Wishes:
    is_trial: bool = False
    is_minimal: bool = False
    if_match: bytes | None = None
    if_none_match: bytes | None = None

    def check(self, row: bytes | None) -> None:
        """`row`: the whole document, None where there is no row. Raises Problem 412."""
        if row is None:
            if self.if_match is not None:
                raise precondition_failed()
            return
        if self.if_match is not None and not _allows(self.if_match, row):
            raise precondition_failed()
        if self.if_none_match is not None and is_known(self.if_none_match, tag_of(row)):
            raise precondition_failed()


def wishes_of(call: Call, *, needs_match: bool = False) -> Wishes:
    """Raises Problem: 400 for what cannot be understood, 406, 428 where the contract wants a precondition."""
    if chosen(call.header(b"accept"), (JSON,)) is None:
        raise not_acceptable((JSON,))
    errors: list[FieldError] = []
    is_trial = _trial(call, errors) or call.principal.is_trial
    if_match, if_none_match = _tags(call, b"if-match"), _tags(call, b"if-none-match")
    if errors:
        raise bad_request(errors)
    if needs_match and if_match is None and if_none_match is None:
        raise precondition_required()
    is_minimal = preferences(call.header(b"prefer")).get("return", "").lower() == "minimal"
    return Wishes(is_trial, is_minimal, if_match, if_none_match)


def _trial(call: Call, errors: list[FieldError]) -> bool:
    found = False
    for name, value in query_pairs(call.query):
        if name != "dry_run":
            errors.append(FieldError("unknown_parameter", "There is no such parameter.", parameter=name))
        elif value not in ("true", "false"):
            errors.append(FieldError("invalid_value", "Expected: true or false.", parameter=name))
        else:
            found = value == "true"
    return found


def _allows(if_match: bytes, row: bytes) -> bool:
    """What is no list of tags is the tag of no row."""
    try:
        return allows(if_match, row)
    except ValueError:
        return False


def _tags(call: Call, name: bytes) -> bytes | None:
    text = call.header(name)
    return None if text is None else text.encode("latin-1")
