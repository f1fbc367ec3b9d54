"""Recorded requests as calls: what partners really asked comes before whatever can be thought of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api_gateway.evidence.difference import MASK
from api_gateway.recordings import Recording
from api_gateway.verify.calls import FORM, NOBODY, Call, Pairs
from api_gateway.verify.values import Values

MOST = 500  # of one route


def recorded_calls(recordings: Iterable[Recording]) -> list[Call]:
    """As they can be sent again. A body of which a part is not kept cannot be; hidden values are left to `revealed`."""
    calls: dict[Call, None] = {}
    for recording in recordings:
        request = recording.request
        if request.left_out or MASK in (request.body or ""):
            continue
        call = Call(
            recording.route,
            recording.method,
            path=recording.path,
            query=recording.query,
            headers=tuple(pair for pair in request.headers if pair[0].lower() != "content-type"),
            form=request.form,
            body=request.body,
            media=request.media if request.body is not None and request.media != FORM else None,
            caller=recording.consumer or NOBODY,
        )
        calls.setdefault(call)
        if len(calls) >= MOST:
            break
    return list(calls)


def revealed(call: Call, values: Values) -> Call:
    """With something drawn in the place of what was hidden."""
    row = values.row()

    def shown(pairs: Pairs) -> Iterator[tuple[str, str]]:
        for name, value in pairs:
            yield name, values.draw(name, row, []) if MASK in value else value

    return Call(
        call.route,
        call.method,
        tuple(shown(call.path)),
        tuple(shown(call.query)),
        tuple(shown(call.headers)),
        None if call.form is None else tuple(shown(call.form)),
        call.body,
        call.media,
        call.caller,
    )
