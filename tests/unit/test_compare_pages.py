"""Two pages of one application are never the same bytes: what is new in every answer is no difference, all else is."""

from __future__ import annotations

import pytest

from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules
from api_gateway.routes import Ignore

RULES = Rules()
DATE = "Sat, 28 Nov 2026 08:41:39 GMT"


def page(body: str, media: str = "text/html; charset=utf-8", **headers: str) -> Observation:
    pairs = {"content-type": media, "date": DATE, **{name.replace("_", "-"): text for name, text in headers.items()}}
    return Observation.answer(200, [(name.encode(), text.encode()) for name, text in pairs.items()], body.encode())


def found(control: str, candidate: str, rules: Rules = RULES) -> list[tuple[str, str]]:
    return [(d.path, d.kind) for d in compare(page(control), page(candidate), rules).differences]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            '<form><input type="hidden" name="csrfmiddlewaretoken" value="9fQ"></form>',
            '<form><input type="hidden" name="csrfmiddlewaretoken" value="Zx2"></form>',
            id="Django's token",
        ),
        pytest.param(
            '<head><meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="a=="></head>',
            '<head><meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="b=="></head>',
            id="Rails' meta",
        ),
        pytest.param(
            '<input type="hidden" name="_token" value="1"><input type="hidden" name="__VIEWSTATE" value="/wEP">',
            '<input type="hidden" name="_token" value="2"><input type="hidden" name="__VIEWSTATE" value="/wEQ">',
            id="Laravel and ASP.NET",
        ),
        pytest.param(
            '<a href="/list;jsessionid=AB12?page=2&amp;PHPSESSID=x1">next</a>',
            '<a href="/list;jsessionid=CD34?page=2&amp;PHPSESSID=x2">next</a>',
            id="session ids in links",
        ),
        pytest.param('<script nonce="aa">go()</script>', '<script nonce="bb">go()</script>', id="nonce"),
        pytest.param(
            "<script>var settings = {csrfToken: 'aa', page: 2};</script>",
            "<script>var settings = {csrfToken: 'bb', page: 2};</script>",
            id="token in a script",
        ),
        pytest.param(
            "<script>ask('/v', '789384:840170')</script>",
            "<script>ask('/v', '112:98230471')</script>",
            id="a drawn literal in a script",
        ),
        pytest.param(
            "<script>ask('789384:840170')</script>", "<script>ask('5:84017')</script>", id="a short drawn literal"
        ),
        pytest.param("<p>Generated in 0.0123 s</p>", "<p>Generated in 0.2 s</p>", id="how long it took"),
        pytest.param("<!-- web1 12:00 --><p>x</p>", "<!-- web2 --><p>x</p>", id="comments"),
        pytest.param(
            "<p>As of Nov. 28, 2026, 8:41 a.m.</p>", "<p>As of Nov. 28, 2026, 8:41 a.m.</p> ", id="layout at the end"
        ),
        pytest.param(
            "<p>printed 2026-11-28 09:41:39</p>", "<p>printed 2026-11-28 09:41:40</p>", id="the time, in another zone"
        ),
        pytest.param('<img src="/p.gif?t=1795855299">', '<img src="/p.gif?t=1795855301">', id="the time, as an epoch"),
        pytest.param(
            "<ul>\n  <li class='b a'>x</li>\n</ul>", '<ul><li class="a b">x</ul>', id="layout, class order, end tags"
        ),
    ],
)
def test_what_is_new_in_every_answer_is_no_difference(one: str, other: str) -> None:
    assert found(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(
            '<form><input type="hidden" name="_token" value="1"></form>',
            '<form><input type="hidden" name="_token" value=""></form>',
            [("/html/body[1]/form[1]/input[1]/@value", "value")],
            id="an empty token",
        ),
        pytest.param(
            '<form><input type="hidden" name="_token" value="1"></form>',
            "<form></form>",
            [("/html/body[1]/form[1]/input[1]", "missing")],
            id="no token",
        ),
        pytest.param(
            "<table><tr><td>1<td>open<tr><td>2<td>open</table>",
            "<table><tr><td>1<td>open<tr><td>2<td>closed</table>",
            [("/html/body[1]/table[1]/tbody[1]/tr[2]/td[2]/text()", "value")],
            id="a cell",
        ),
        pytest.param(
            "<table><tr><td>1<tr><td>2<tr><td>3</table>",
            "<table><tr><td>1<tr><td>3</table>",
            [("/html/body[1]/table[1]/tbody[1]/tr[2]", "missing")],
            id="a lost row is one difference",
        ),
        pytest.param(
            "<p>ordered 2026-11-27 09:41:39</p>",
            "<p>ordered 2026-11-27 09:41:40</p>",
            [("/html/body[1]/p[1]/text()", "value")],
            id="another day's time is data",
        ),
        pytest.param(
            "<p>printed 2026-11-28 09:41:39</p>",
            "<p>printed 2026-11-28 10:41:39</p>",
            [("/html/body[1]/p[1]/text()", "value")],
            id="the time in two zones",
        ),
        pytest.param(
            "<script>at('08:30:15'); go('/list/2024/10')</script>",
            "<script>at('09:30:15'); go('/list/2024/11')</script>",
            [("/html/head[1]/script[1]/text()", "value")],
            id="a time of day and a path in a script",
        ),
        pytest.param(
            "<script>show('4006381333931')</script>",
            "<script>show('4006381333948')</script>",
            [("/html/head[1]/script[1]/text()", "value")],
            id="a number in a script",
        ),
        pytest.param(
            '<a href="/o?page=1">', '<a href="/o?page=2">', [("/html/body[1]/a[1]/@href", "value")], id="a link"
        ),
        pytest.param(
            "<pre>a  b</pre>", "<pre>a b</pre>", [("/html/body[1]/pre[1]/text()", "value")], id="blanks that are shown"
        ),
        pytest.param(
            '<option value="1" selected>x</option>',
            '<option value="1">x</option>',
            [("/html/body[1]/option[1]/@selected", "missing")],
            id="what is chosen",
        ),
    ],
)
def test_all_else_is_a_difference_at_its_place(one: str, other: str, expected: list[tuple[str, str]]) -> None:
    assert found(one, other) == expected


def test_the_nonce_of_the_policy_is_no_difference_and_the_policy_is() -> None:
    one = page("<p>", content_security_policy="script-src 'nonce-abc' 'self'")
    other = page("<p>", content_security_policy="script-src 'nonce-xyz' 'self'")
    looser = page("<p>", content_security_policy="script-src 'unsafe-inline'")
    assert compare(one, other, Rules()).verdict is Verdict.match
    assert [d.path for d in compare(one, looser, Rules()).differences] == ["header.content-security-policy"]


def test_a_page_nested_without_end_is_compared_as_text() -> None:
    assert found("<b>" * 60_000, "<b>" * 60_001) == [("line[1]", "value")]


def test_a_rule_with_a_pattern_takes_out_only_what_it_matches() -> None:
    rules = Rules(ignore=(Ignore("**/p[1]/text()", "names the machine", pattern=r"web\d+"),))
    one, machine, other = (page(f"<p>{text}</p>") for text in ("web1 ready", "web2 ready", "web2 down"))
    assert compare(one, machine, rules).verdict is Verdict.ignored
    assert compare(one, other, rules).verdict is Verdict.mismatch


def test_times_of_json_may_be_compared_by_their_instant() -> None:
    one, other, later = (
        page(f'{{"at":"{text}"}}', "application/json")
        for text in ("2026-11-28T12:00:00Z", "2026-11-28T13:00:00+01:00", "2026-11-28T13:00:01+01:00")
    )
    assert compare(one, other, Rules()).verdict is Verdict.mismatch
    assert compare(one, other, Rules(times="instant")).verdict is Verdict.match
    assert compare(one, later, Rules(times="instant")).verdict is Verdict.mismatch
