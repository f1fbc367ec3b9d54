"""Recorded requests are sent again as they were: by the same consumer, with something drawn for what was hidden."""

from __future__ import annotations

from dataclasses import replace

from api_gateway.evidence.difference import MASK
from api_gateway.recordings import Recording
from api_gateway.recordings.recording import Message
from api_gateway.verify.calls import FORM, NOBODY, Call
from api_gateway.verify.recorded import recorded_calls, revealed
from api_gateway.verify.values import Values

ANSWER = Message((), "text/plain", body="OK")
FORM_SENT = Message((("accept", "text/plain"), ("content-type", FORM)), FORM, form=(("no", "4711"),))
RECORDED = Recording(
    "orders.cancel",
    "acme",
    "POST",
    (("id", "7"),),
    (("v", "1"),),
    FORM_SENT,
    200,
    ANSWER,
    (),
    "POST no=integer",
    "200",
    3.0,
)


def test_a_form_is_the_same_call_and_asked_once() -> None:
    [call] = recorded_calls([RECORDED, RECORDED])
    assert call == Call(
        "orders.cancel",
        "POST",
        (("id", "7"),),
        (("v", "1"),),
        (("accept", "text/plain"),),
        (("no", "4711"),),
        caller="acme",
    )


def test_a_body_keeps_its_type_and_nobody_is_nobody() -> None:
    sent = Message((), "text/csv", body="a;b\n")
    [call] = recorded_calls([replace(RECORDED, request=sent, consumer=None)])
    assert (call.body, call.media, call.form, call.caller) == ("a;b\n", "text/csv", None, NOBODY)


def test_what_is_not_whole_is_left_out_and_a_hidden_value_is_drawn() -> None:
    cut = Message((), "application/json", left_out=("longer than 65536 bytes",))
    hidden = Message((), "application/json", body=f'{{"pin": "{MASK}"}}')
    assert recorded_calls([replace(RECORDED, request=sent) for sent in (cut, hidden)]) == []
    [call] = recorded_calls([replace(RECORDED, query=(("pin", MASK), ("v", "1")))])
    shown = revealed(call, Values(1))
    assert dict(shown.query)["pin"] != MASK
    assert (dict(shown.query)["v"], shown.form) == ("1", call.form)
