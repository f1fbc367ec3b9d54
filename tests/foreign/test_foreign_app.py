"""Adminer, which is not Django and not ours, behind the edge: a login, a form, a row; and nothing of it is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules
from tests.support.instance import Instance, up

pytestmark = [pytest.mark.xdist_group("adminer"), pytest.mark.timeout(240)]
PROJECT = Path(__file__).parent / "adminer"
_PAGE = "/adminer.php"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with up(tmp_path_factory.mktemp("adminer"), "--project", str(PROJECT)) as running:
        yield running


class _Forms(HTMLParser):
    """The fields of each of a page's forms, as a browser would send them back."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._select = ""
        self.feed(page)

    def holding(self, field: str) -> dict[str, str]:
        return next(form for form in self.forms if field in form)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.forms[-1]):
            self.forms[-1][self._select] = given.get("value") or ""
        elif tag in ("input", "textarea") and name and given.get("type") not in ("submit", "checkbox", "image"):
            self.forms[-1][name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


class _Browser:
    """Somebody who uses Adminer at an address: the edge's, or the app's own."""

    def __init__(self, address: str, database_url: str) -> None:
        self.client = httpx2.Client(base_url=address, follow_redirects=True)
        self.parts = urlsplit(database_url)

    def log_in(self) -> httpx2.Response:
        fields = _Forms(self.client.get(_PAGE).text).holding("auth[driver]")
        login = {
            "driver": "pgsql",
            "server": f"{self.parts.hostname}:{self.parts.port}",
            "username": self.parts.username or "",
            "password": "any: the embedded server trusts this machine",
            "db": self.parts.path.lstrip("/"),
        }
        return self.client.post(_PAGE, data={**fields, **{f"auth[{name}]": value for name, value in login.items()}})

    def page(self, **words: str) -> httpx2.Response:
        return self.client.get(_PAGE, params={**self._place(), **words})

    def save(self, table: str, **values: str) -> httpx2.Response:
        """The form of a new row, as Adminer shows it, filled in and sent."""
        fields = _Forms(self.page(edit=table).text).holding(f"fields[{next(iter(values))}]")
        fields.update({f"fields[{name}]": value for name, value in values.items()})
        return self.client.post(_PAGE, params={**self._place(), "edit": table}, data=fields)

    def _place(self) -> dict[str, str]:
        server, user = f"{self.parts.hostname}:{self.parts.port}", self.parts.username or ""
        return {"pgsql": server, "username": user, "db": self.parts.path.lstrip("/"), "ns": "public"}


@pytest.fixture(scope="module")
def database_url(instance: Instance) -> str:
    return str(instance.description()["database"])


@pytest.fixture(scope="module")
def through_the_edge(instance: Instance, database_url: str) -> Iterator[_Browser]:
    browser = _Browser(instance.edge, database_url)
    with browser.client:
        assert "Logout" in (page := browser.log_in().text), page
        yield browser


def _stored(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_a_row_saved_in_a_form_behind_the_edge_is_in_the_database(
    through_the_edge: _Browser, database_url: str
) -> None:
    answer = through_the_edge.save("supplier", nm='Müller & Söhne "Stahl" + 100 %', act_fl="N")
    assert "Item" in answer.text
    assert "inserted" in answer.text
    assert [redirect.status_code for redirect in answer.history] == [302]
    kept = _stored(database_url, "SELECT nm, act_fl FROM supplier WHERE sup_no > 5")
    assert kept == [('Müller & Söhne "Stahl" + 100 %', "N")]


def test_a_mistake_in_a_form_is_told_as_the_app_tells_it(through_the_edge: _Browser, database_url: str) -> None:
    answer = through_the_edge.save("article", art_no="A-X", sup_no="999", descr="orphan", prc="1", in_stock="1")
    assert "violates foreign key constraint" in answer.text
    assert _stored(database_url, "SELECT count(*) FROM article WHERE art_no = 'A-X'") == [(0,)]


@pytest.mark.parametrize("words", [{}, {"select": "article"}, {"table": "supplier"}, {"edit": "supplier"}])
def test_every_page_is_what_the_app_itself_answers(
    instance: Instance, database_url: str, through_the_edge: _Browser, words: dict[str, str]
) -> None:
    direct = _Browser(str(instance.description()["legacy"]), database_url)
    with direct.client:
        direct.log_in()
        mine, its = through_the_edge.page(**words), direct.page(**words)
    assert mine.status_code == its.status_code == 200
    assert _headers(mine) == _headers(its)
    assert _steady(mine.text) == _steady(its.text)


def test_the_project_beside_it_is_whole(instance: Instance) -> None:
    answer = instance.banyan("check", "--project", str(PROJECT), "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    listed = instance.banyan("routes", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {"stock.articles", "stock.suppliers"} <= set(re.findall(r"stock\.\w+", listed.stdout))


def test_the_api_answers_beside_it_from_the_same_rows(instance: Instance, database_url: str) -> None:
    key = {"X-API-Key": instance.description()["keys"]["developer"]}
    answer = httpx2.get(f"{instance.edge}/api/v1/articles", params={"include": "supplier", "limit": 200}, headers=key)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["data"]
    assert len(rows) == 20
    assert {row["supplier"]["name"] for row in rows} == {f"Supplier {n}" for n in range(1, 6)}


def _headers(answer: httpx2.Response) -> list[tuple[str, str]]:
    """All that the app sent, but the clock, nonces, and what a connection is free to choose."""
    changing = {"date", "content-security-policy", "connection", "transfer-encoding", "set-cookie", "content-length"}
    changing |= {"host", "keep-alive", "x-envoy-upstream-service-time"}
    return [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in changing]


def _steady(page: str) -> str:
    """Without what is drawn anew for every session and request: nonces, tokens, timings."""
    page = re.sub(r'nonce="[^"]+"', "", page)
    page = re.sub(r"(name='token' value='|value=\"?')[\d:]+", r"\1", page)
    page = re.sub(r"\b\d+:\d+\b", "N:N", page)
    return re.sub(r"\d+\.\d{3} s", "", page)


def test_two_answers_of_one_page_match_although_no_two_are_the_same_bytes(instance: Instance) -> None:
    asked = [httpx2.get(f"{instance.edge}{_PAGE}") for _ in range(2)]
    one, other = (Observation.answer(page.status_code, page.headers.raw, page.content) for page in asked)
    assert one.body != other.body
    assert compare(one, other, Rules()).verdict is Verdict.match
