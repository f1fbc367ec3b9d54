"""What an inventory tells of a legacy app's traffic: templates, callers, last use; whatever stands in the logs."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.inventory import Inventory
from api_gateway.inventory.callers import network_of
from api_gateway.inventory.calls import Call, path_and_query
from api_gateway.inventory.inventory import MOST_ENDPOINTS, Endpoint, Place
from api_gateway.inventory.lines import LineReader, Unreadable
from api_gateway.inventory.propose import proposals
from api_gateway.inventory.segments import template_of
from api_gateway.inventory.sources import Reading
from api_gateway.routes import BasicAuth, FormToken, PathToken, QueryToken, Route, check_routes

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"
REGISTER = Register.of(
    1,
    [Consumer("acme", "Acme")],
    [Credential("acme", "query", secret_hash(TOKEN)), Credential("acme", "path", secret_hash(TOKEN))],
)


def call(target: str, status: int = 200, *, method: str = "GET", at: float = 0, **more: Any) -> Call:
    return Call(method, target, status, at, **{"address": "192.0.2.1", **more})


def found(targets: Iterable[str | Call], *routes: Route, register: Register | None = None) -> dict[Place, Endpoint]:
    inventory = Inventory(routes, register)
    for target in targets:
        assert inventory.add(target if isinstance(target, Call) else call(target))
    return dict(inventory.endpoints())


def paths(targets: Iterable[str]) -> set[str]:
    return {place.path for place in found(targets)}


def letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


class TestTemplates:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/", "/"),
            ("/partner/orders.xml", "/partner/orders.xml"),
            ("/orders/4711", "/orders/{id}"),
            ("/orders/4711/", "/orders/{id}/"),
            ("/partner/invoice/4711.txt", "/partner/invoice/{id}.txt"),
            ("/d/2024-02-29/x", "/d/{date}/x"),
            ("/d/20240229", "/d/{date}"),
            ("/d/20249929", "/d/{id}"),
            ("/u/3F2504E0-4F89-11D3-9A0C-0305E82C3301", "/u/{uuid}"),
            ("/f/9f86d081884c7d65.pdf", "/f/{hex}.pdf"),
            ("/reset/aZ3kf9Qm1xYw", "/reset/{token}"),
            ("/reset/abcdefgh12345678abcd", "/reset/{token}"),
            ("/unsubscribe/jane%40example.org", "/unsubscribe/{address}"),
            ("/a/" + "x" * 61, "/a/{text}"),
            (
                "/report-9f86d081884c7d65-x/1",
                "/{text}/{id}",
            ),
            ("/shop;jsessionid=0A1B2C/list", "/shop/list"),
            ("/v1/deadbeef/face", "/v1/deadbeef/face"),
            ("/caf%C3%A9/%7Bx%7D", "/caf%C3%A9/%7Bx%7D"),
            ("/" + "/".join("abcdefghijklmnopqrstuvwxyz"), "/" + "/".join("abcdefghijklmnop") + "/…"),
        ],
    )
    def test_segments_that_are_values_are_told_from_one_path(self, path: str, template: str) -> None:
        assert template_of(path) == template

    def test_what_is_a_value_because_there_are_many_is_told_from_all_paths_together(self) -> None:
        titles = ("-".join(f"{'abcdefghij'[int(d)]}word" for d in f"{n:03}") for n in range(60))
        assert paths(
            [
                *(f"/item/{'ABCDEFGHJ'[n % 9]}{'KLMNOP'[n % 6]}-{n:05}" for n in range(90)),
                *(f"/docs/v2-order-{n}.txt" for n in range(9)),
                *(f"/blog/{title}" for title in titles),
                *(
                    f"/user/{'abcdefghij'[n % 10]}{'abcdefghij'[n // 10 % 10]}{'xy'[n // 100]}/posts"
                    for n in range(200)
                ),
            ]
        ) == {"/item/{code}", "/docs/v2-order-{id}.txt", "/blog/{slug}", "/user/{name}/posts"}

    def test_names_of_programs_stay_as_they_are_however_many_there_are(self) -> None:
        programs = {f"/{letters(n)}.php" for n in range(100, 400)}
        assert paths(programs) == programs

    def test_a_parameter_that_chooses_the_action_tells_endpoints_apart(self) -> None:
        got = found(["/index.php?action=price&item=1", "/index.php?action=stock", "/index.php?q=x&action=price"])
        assert {(place.action, endpoint.calls) for place, endpoint in got.items()} == {
            ((("action", "price"),), 2),
            ((("action", "stock"),), 1),
        }

    def test_but_not_when_its_values_are_too_many(self) -> None:
        words = [f"{'abcdefghij'[n // 10]}x{'abcdefghij'[n % 10]}" for n in range(90)]
        assert list(found(f"/search?action={word}" for word in words)) == [Place("GET", "/search")]

    @pytest.mark.parametrize(
        ("target", "split"),
        [
            ("/a?b=1#c", ("/a", "b=1")),
            ("http://legacy.test:80/a?b", ("/a", "b")),
            ("HTTPS://legacy.test", ("/", "")),
            ("https://legacy.test?x=/y", ("/", "x=/y")),
            ("*", None),
            ("legacy.test:443", None),
            ("ftp://legacy.test/a", None),
        ],
    )
    def test_absolute_targets_are_read_and_what_is_no_path_is_not(self, target: str, split: object) -> None:
        assert path_and_query(target) == split


class TestCallers:
    def test_a_caller_is_a_known_consumer_a_numbered_token_a_user_or_an_address(self) -> None:
        [(_, endpoint)] = found(
            [
                f"/x?token={TOKEN}",
                "/x?token=other-token-1",
                "/x?token=other-token-2",
                "/x?api_key=other-token-1",
                call("/x", user="bob"),
                call("/x", user="sk0live9f86d081884c7d659a2f"),
                call("/x", address="2001:db8::1"),
            ],
            register=REGISTER,
        ).items()
        assert endpoint.callers == {
            "acme": 1, "token 1": 2, "token 2": 1, "user bob": 1, "token 3": 1, "2001:db8::1": 1,
        }  # fmt: skip
        assert endpoint.parameters == {"token": 3, "api_key": 1}

    def test_a_listed_route_says_how_its_caller_is_named(self) -> None:
        routes = [
            Route("feed", "GET", "/feed/{partner}/orders.xml", PathToken("partner")),
            Route("list", "GET", "/list", QueryToken("k")),
        ]
        got = found([f"/feed/{TOKEN}/orders.xml", f"/list?k={TOKEN}", "//list"], *routes, register=REGISTER)
        assert {place.routes: endpoint.callers for place, endpoint in got.items()} == {
            ("feed",): {"acme": 1},
            ("list",): {"acme": 1, "192.0.2.1": 1},
        }
        assert TOKEN not in str(got)

    def test_routes_that_only_a_body_tells_apart_are_named_together(self) -> None:
        routes = [
            Route("new", "POST", "/in", FormToken("t"), form={"do": "new"}),
            Route("end", "POST", "/in", FormToken("t"), form={"do": "end"}),
            Route("price", "GET", "/in", query={"do": "price"}),
        ]
        got = found([call("/in", method="POST"), "/in?do=price", "/in?do=other"], *routes)
        assert {place.routes for place in got} == {("new", "end"), ("price",), ()}

    def test_beyond_a_number_of_callers_the_rest_is_counted_together(self) -> None:
        [endpoint] = found(call("/x", address=f"192.0.2.{n}") for n in range(200)).values()
        assert (len(endpoint.callers), sum(endpoint.callers.values())) == (65, 200)

    @pytest.mark.parametrize(
        ("label", "stored"),
        [
            ("192.0.2.17", "192.0.2.0/24"),
            ("2001:db8:17::5", "2001:db8:17::/48"),
            ("::1", "0:0:1::/48"),
            ("acme", "acme"),
            ("user a.b", "user a.b"),
        ],
    )
    def test_an_address_is_stored_without_its_last_part(self, label: str, stored: str) -> None:
        assert network_of(label) == stored


TIME, AT = "10/Oct/2000:13:55:36 -0700", 971211336.0

LINES = {
    "common": f'192.0.2.1 - bob [{TIME}] "GET /a?b=1 HTTP/1.0" 200 2326',
    "combined": f'192.0.2.1 - bob [{TIME}] "GET /a?b=1 HTTP/1.1" 200 2326 "http://x/?y=\\"z" "Mozilla/4.08 [en]"',
    "no bytes": f'192.0.2.1 - bob [{TIME}] "GET /a?b=1 HTTP/1.1" 200 -',
    "virtual host before": f'shop.test:443 192.0.2.1 - bob [{TIME}] "GET /a?b=1 HTTP/2.0" 200 1 "-" "-"',
    "forwarded for two": f'192.0.2.1, 10.0.0.1 - bob [{TIME}] "GET /a?b=1 HTTP/1.1" 200 1',
    "more fields behind": f'192.0.2.1 - bob [{TIME}] "GET /a?b=1 HTTP/1.1" 200 1 "-" "curl" "-" 0.003 upstream',
    "another zone": '192.0.2.1 - bob [10/Oct/2000:22:55:36 +0200] "GET /a?b=1 HTTP/1.1" 200 1',
    "HTTP/0.9": f'192.0.2.1 - bob [{TIME}] "GET /a?b=1" 200 1',
    "RFC 3339": '192.0.2.1 - bob [2000-10-10T20:55:36Z] "GET /a?b=1 HTTP/1.1" 200 1',
    "Envoy's text":
        '[2000-10-10T20:55:36.000Z] "GET /a?b=1 HTTP/1.1" 200 - 0 3 1 1 "192.0.2.1" "curl" "id" "h" "10.0.0.1"',
    "Envoy's JSON": json.dumps(
        {"start_time": "2000-10-10T20:55:36Z", "method": "GET", "path": "/a?b=1", "response_code": 200,
         "downstream_remote_address": "192.0.2.1:50000", "user": "bob"}
    ),
    "nginx's JSON": json.dumps(
        {"time_iso8601": "2000-10-10T20:55:36+00:00", "request": "GET /a?b=1 HTTP/1.1", "status": "200",
         "remote_addr": "192.0.2.1", "remote_user": "bob"}
    ),
    "seconds": json.dumps(
        {"ts": 971211336.0, "method": "GET", "uri": "/a?b=1", "status": 200, "client_ip": "192.0.2.1"}
    ),
}  # fmt: skip


class TestLines:
    @pytest.mark.parametrize("line", LINES.values(), ids=LINES)
    def test_a_line_of_every_format_tells_its_call(self, line: str) -> None:
        got = LineReader().read(line)
        assert (got.method, got.target, got.status, got.at, got.address) == ("GET", "/a?b=1", 200, AT, "192.0.2.1")
        assert got.user in ("bob", "")

    @pytest.mark.parametrize(
        ("line", "target"),
        [
            (f'2001:db8::1 - - [{TIME}] "GET /a\\"b HTTP/1.1" 404 1', '/a"b'),
            (f'::ffff:192.0.2.1 - a b [{TIME}] "GET /caf\\xc3\\xa9 HTTP/1.1" 404 1', "/caf\u00c3\u00a9"),
            (f'host.test - - [{TIME}] "GET http://x/a b HTTP/1.1" 404 1', "http://x/a b"),
            (f'1.2.3.4 - - [{TIME}] "GET /\xe9 HTTP/1.1" 404 1', "/\xe9"),
        ],
    )
    def test_odd_targets_come_through(self, line: str, target: str) -> None:
        assert LineReader().read(line).target == target

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (f'192.0.2.1 - - [{TIME}] "\\x16\\x03\\x01\\x02\\x00\\x01" 400 157', "no HTTP request in it"),
            (f'192.0.2.1 - - [{TIME}] "-" 408 0', "no HTTP request in it"),
            (f'192.0.2.1 - - [{TIME}] "" 400 0', "no HTTP request in it"),
            (f'192.0.2.1 - - [{TIME}] "GET /a\\x00b HTTP/1.1" 400 0', "no HTTP request in it"),
            (f'192.0.2.1 - - [{TIME}] "get /a HTTP/1.1" 400 0', "no HTTP request in it"),
            ('192.0.2.1 - - [10/Foo/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 0', "no time in it"),
            ('192.0.2.1 - - [99/Oct/2000:99:99:99 -0700] "GET / HTTP/1.1" 200 0', "no time in it"),
            ("Traceback (most recent call last):", "no line of a known format"),
            ('{"method": "GET"', "no line of a known format"),
            ('{"method": "GET", "path": 7}', "no HTTP request in it"),
            ('{"method": "GET", "path": "/a", "ts": 1e300}', "no time in it"),
            ("[]", "no line of a known format"),
            ('{"log": []}', "no HTTP request in it"),
        ],
    )
    def test_what_tells_no_call_says_why(self, line: str, why: str) -> None:
        with pytest.raises(Unreadable, match=why):
            LineReader().read(line)

    def test_lines_of_one_minute_in_two_zones_are_told_apart(self) -> None:
        reader = LineReader()
        zones = [f'1.2.3.4 - - [10/Oct/2000:13:55:{s} {zone}] "GET / HTTP/1.1" 200 1' for s, zone in
                 (("36", "-0700"), ("37", "-0700"), ("38", "+0000"), ("39", "-0700"))]  # fmt: skip
        assert [reader.read(line).at - AT for line in zones] == [0, 1, 2 - 7 * 3600, 3]

    @given(st.text(alphabet=st.characters(max_codepoint=255), max_size=200), st.sampled_from(list(LINES.values())))
    def test_no_line_breaks_it(self, noise: str, line: str) -> None:
        for text in (noise, line + noise, noise + line, line[: len(noise)] + noise, line.replace("/a", noise)):
            try:
                Inventory().add(LineReader().read(text))
            except Unreadable:
                continue


class TestSources:
    def read(self, path: Path, content: bytes) -> tuple[list[Call], Reading]:
        path.write_bytes(content)
        reading = Reading()
        return list(reading.calls(str(path))), reading

    def test_packed_logs_broken_lines_and_empty_ones_are_read_and_counted(self, tmp_path: Path) -> None:
        lines = f"{LINES['common']}\r\n\n\xff\xfe broken\n{LINES['combined']}".encode("latin-1")
        for content in (lines, gzip.compress(lines)):
            calls, reading = self.read(tmp_path / "log", content)
            assert [each.at for each in calls] == [AT, AT]
            assert (reading.lines, dict(reading.malformed)) == (3, {"no line of a known format": 1})

    def test_a_line_without_an_end_is_passed_over_in_bounded_memory(self, tmp_path: Path) -> None:
        endless = b"x" * 20_000_000
        (tmp_path / "log").write_bytes(endless + b"\n" + LINES["common"].encode())
        del endless
        tracemalloc.start()
        reading = Reading()
        assert len(list(reading.calls(str(tmp_path / "log")))) == 1
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
        tracemalloc.stop()
        assert reading.lines == 2

    def test_lines_of_json_are_told_from_an_archive(self, tmp_path: Path) -> None:
        calls, _ = self.read(tmp_path / "log", f"{LINES['seconds']}\n{LINES['seconds']}\n".encode())
        assert len(calls) == 2

    @pytest.mark.parametrize("indent", [None, 1])
    def test_an_archive_tells_its_calls(self, tmp_path: Path, indent: int | None) -> None:
        request = {"method": "GET", "url": "https://x.test/a?b=1", "headers": [{"name": "X-Token", "value": "t"}]}
        entries = [
            {"startedDateTime": "2000-10-10T20:55:36.000Z", "request": request, "response": {"status": 200}},
            {"startedDateTime": "2000-10-10T20:55:36.000Z", "request": {"method": "GET", "url": "data:,x"}},
            {"request": None},
        ]
        text = json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=indent)
        [got], reading = self.read(tmp_path / "a.har", text.encode())
        assert (got.method, got.target, got.status, got.at) == ("GET", "/a?b=1", 200, AT)
        assert got.headers == ((b"x-token", b"t"),)
        assert (reading.lines, reading.malformed.total()) == (3, 2)


class TestBounds:
    @pytest.mark.parametrize(
        ("scanned", "is_merged"),
        [
            (lambda n: f"/{n % 173}x{n}y/{n * 7}z{n}/w{n}", True),
            (lambda n: f"/{letters(n // 100)}.php/{letters(n % 100)}", False),  # names, as far as one can tell
        ],
    )
    def test_whatever_scanners_ask_for_memory_is_bounded_and_what_was_found_stays(
        self, scanned: Callable[[int], str], is_merged: bool
    ) -> None:
        inventory = Inventory()
        for n in range(3 * MOST_ENDPOINTS):
            inventory.add(call(scanned(n), 404))
            if n % 100 == 0:
                inventory.add(call("/partner/orders.xml"))
        got = dict(inventory.endpoints())
        assert len(got) < MOST_ENDPOINTS
        assert got[Place("GET", "/partner/orders.xml")].calls == 3 * MOST_ENDPOINTS // 100
        assert (inventory.elsewhere == 0) == is_merged
        told = sum(endpoint.calls for endpoint in got.values())
        assert told + inventory.elsewhere == 303 * MOST_ENDPOINTS // 100

    def test_pictures_scripts_and_styles_are_counted_together(self) -> None:
        inventory = Inventory([Route("logo", "GET", "/logo.png")])
        for path in ("/a/b.css", "/app.9f.js?v=3", "/logo.png", "/x.PNG"):
            inventory.add(call(path))
        assert inventory.static == 3
        assert [place.routes for place, _ in inventory.endpoints()] == [("logo",)]

    def test_first_and_last_use_are_told_whatever_the_order(self) -> None:
        [endpoint] = found([call("/x", at=5), call("/x", 500, at=1), call("/x", at=9)]).values()
        assert (endpoint.first, endpoint.last, endpoint.statuses) == (1, 9, {200: 2, 500: 1})


class TestProposals:
    def test_what_is_proposed_is_accepted_as_routes(self) -> None:
        targets = [
            *["/index.php?action=price&token=a"] * 3, "/index.php?action=stock", "/partner/orders.xml?token=a",
            "/orders/1/lines/2", call("/orders/1/lines/2", method="DELETE"), call("/secure/x", user="bob"),
            "/", "/1", "/caf%C3%A9/x", "/a/b", "/a_b", call("/gone", 404), call("/x", method="PROPFIND"),
        ]  # fmt: skip
        texts = proposals(found(targets).items(), taken={"partner.orders_xml"})
        namespace: dict[str, Any] = {"Route": Route, "QueryToken": QueryToken, "BasicAuth": BasicAuth}
        routes = check_routes(eval(f"[{','.join(texts)}]", namespace))
        assert set(routes) == {
            "index_php.price", "index_php.stock", "partner.orders_xml_2", "orders.lines.one.get",
            "orders.lines.one.delete", "secure.x", "root", "one", "caf_c3_a9.x", "a.b", "a_b",
        }  # fmt: skip
        assert routes["index_php.price"] == Route(
            "index_php.price", "GET", "/index.php", QueryToken("token"), query={"action": "price"}
        )
        assert routes["orders.lines.one.get"].path == "/orders/{id}/lines/{id2}"
        assert routes["secure.x"].consumer == BasicAuth()

    def test_what_is_listed_is_not_proposed(self) -> None:
        assert proposals(found(["/a"], Route("a", "GET", "/a")).items()) == []
