"""An exchange out of the pieces that Envoy sends."""

from __future__ import annotations

from api_gateway.edge.exchange import Assembly, Copy, Exchange, Headers

REQUEST: Headers = ((b":method", b"POST"), (b":path", b"/in?x=%zz"), (b":authority", b"legacy.test"), (b"x-a", b"1"))
ANSWER: Headers = ((b":status", b"200"), (b"content-type", b"text/plain"))


def begun(copied: Copy, limit: int = 10) -> Assembly:
    return Assembly("intake", "", copied, started=1.0, limit=limit)


def whole(assembly: Assembly, body: bytes = b"ok") -> Exchange:
    assembly.request_head(REQUEST, end=False)
    assembly.request_piece(b"ab", end=False)
    assembly.request_piece(b"cd", end=True)
    assembly.response_head(ANSWER, end=False)
    assembly.response_piece(body, end=True)
    return assembly.exchange(2.0)


def test_pieces_become_one_exchange_without_pseudo_headers() -> None:
    got = whole(begun(Copy.whole))
    assert (got.method, got.target, got.status) == ("POST", "/in?x=%zz", 200)
    assert got.request_headers == ((b"host", b"legacy.test"), (b"x-a", b"1"))
    assert got.response_headers == ((b"content-type", b"text/plain"),)
    assert (got.request_body, got.response_body) == (b"abcd", b"ok")
    assert got.complete
    assert (got.started, got.finished) == (1.0, 2.0)


def test_a_body_over_the_limit_is_cut_and_the_exchange_inconclusive() -> None:
    got = whole(begun(Copy.whole), b"x" * 11)
    assert (got.truncated, got.complete, got.response_body) == (True, False, b"x" * 10)


def test_a_head_copy_is_finished_with_both_heads() -> None:
    assembly = begun(Copy.head)
    assembly.request_head(REQUEST, end=False)
    assert not assembly.is_finished
    assembly.response_head(ANSWER, end=False)
    assert assembly.is_finished
    assert assembly.exchange(2.0).complete


def test_a_form_copy_waits_for_the_requests_end() -> None:
    assembly = begun(Copy.form)
    assembly.request_head(REQUEST, end=False)
    assembly.response_head(ANSWER, end=False)
    assert not assembly.is_finished
    assembly.request_piece(b"token=t", end=True)
    assert assembly.is_finished


def test_an_answer_that_never_came_is_an_incomplete_exchange_with_status_0() -> None:
    assembly = begun(Copy.whole)
    assembly.request_head(REQUEST, end=True)
    got = assembly.exchange(2.0)
    assert (got.status, got.complete) == (0, False)


def test_a_request_that_came_back_from_a_gateway_says_its_route_and_its_peer() -> None:
    assembly = Assembly("", "", Copy.whole, started=1.0)
    back = ((b"x-banyan-route", b"a,b"), (b"x-banyan-why", b"form"), (b"x-forwarded-for", b"10.0.0.1, 192.0.2.7"))
    assembly.request_head((*REQUEST, *back), end=True)
    got = assembly.exchange(2.0)
    assert (got.route_name, got.why, got.declined, got.source_address) == ("a,b", "form", True, "192.0.2.7")
    assert not [name for name, _ in got.request_headers if name.startswith(b"x-banyan-")]
