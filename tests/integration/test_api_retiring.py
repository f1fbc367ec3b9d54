"""What will go says so: on every answer, with dates and links in the syntax of their RFCs, and in the API document."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import pytest

from api_gateway.api import answer, documents
from shared_models.contract import Deprecated
from tests.support.api import Api

NEXT_YEAR = "Wed, 01 Sep 2027 00:00:00 GMT"
PAGE = "https://example.org/moving-to-v2"


@pytest.mark.parametrize(
    ("method", "path", "consumer", "status"),
    [
        ("GET", "people", "acme", 200),
        ("HEAD", "people/1", "acme", 200),
        ("GET", "people/1", None, 401),
        ("GET", "people/4711", "acme", 404),
        ("GET", "people?nothing=1", "acme", 400),
        ("POST", "people", "acme", 415),
        ("OPTIONS", "people", "acme", 204),
        ("PATCH", "people", "acme", 405),
    ],
)
def test_every_answer_of_a_deprecated_version_says_so(
    versions: Api, method: str, path: str, consumer: str | None, status: int
) -> None:
    answer = versions.ask(method, path, consumer)
    assert answer.status_code == status
    assert answer.headers["deprecation"] == f"@{int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())}"
    assert answer.headers["sunset"] == NEXT_YEAR
    assert answer.links["deprecation"]["url"] == answer.links["sunset"]["url"] == PAGE
    assert answer.links["successor-version"]["url"] == "/api/v2/people"


def test_what_breaks_on_our_side_says_so_too_and_is_counted(versions: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(answer, "page", broken)
    monkeypatch.setattr(documents.Documents, "created", broken)
    for failed in (versions.get("people"), versions.ask("POST", "people/1/twin")):
        assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
        assert failed.headers["sunset"] == NEXT_YEAR
        assert failed.headers["ratelimit"].startswith('"consumer";r=')


def test_the_next_page_is_still_among_the_links(versions: Api) -> None:
    links = versions.get("people?limit=1").links
    assert links["next"]["url"].startswith("/api/v1/people?")
    assert links["successor-version"]["url"] == "/api/v2/people"


def test_what_the_version_has_and_nobody_serves_is_deprecated_without_a_successor(versions: Api) -> None:
    answer = versions.get("nothing")
    assert (answer.status_code, answer.headers["sunset"]) == (404, NEXT_YEAR)
    assert "successor-version" not in answer.links


def test_the_earlier_date_counts_where_a_resource_ends_before_its_version(versions: Api) -> None:
    in_v1, in_v2 = versions.get("visits"), versions.client.get("/api/v2/visits", headers={"x-api-key": "acme"})
    assert in_v1.headers["deprecation"] == "@1780315200"
    assert parsedate_to_datetime(in_v1.headers["sunset"]) == datetime(2027, 1, 1, tzinfo=UTC)
    assert (in_v1.links["deprecation"]["url"], in_v1.links["successor-version"]["url"]) == (PAGE, "/api/v2/visits")
    assert in_v2.headers["deprecation"] == in_v1.headers["deprecation"]
    assert in_v2.links == {}


def test_an_operation_ends_with_its_version(versions: Api) -> None:
    answer = versions.ask("POST", "people/1/twin")
    assert (answer.status_code, answer.headers["sunset"]) == (201, NEXT_YEAR)


def test_what_is_not_deprecated_says_nothing(versions: Api) -> None:
    answer = versions.client.get("/api/v2/people", headers={"x-api-key": "acme"})
    assert {"deprecation", "sunset", "link"}.isdisjoint(answer.headers)


def test_the_document_marks_it_and_tells_the_headers(versions: Api) -> None:
    first, second = (versions.client.get(f"/api/{version}/openapi.json").json() for version in ("v1", "v2"))
    marked = {
        (path, method): op.get("deprecated", False)
        for document in (first, second)
        for path, item in document["paths"].items()
        for method, op in item.items()
    }
    assert {path for (path, _), is_marked in marked.items() if not is_marked} == {
        "/api/v2/people",
        "/api/v2/people/{number}",
        "/api/v2/people/by-address/{address}",
        "/api/v2/people/{number}/twin",
        "/api/v2/people:export",
    }
    operation = first["paths"]["/api/v1/people"]["get"]
    assert "gone after 2027-09-01. Instead: `/api/v2/people`" in operation["description"]
    assert {"Deprecation", "Sunset", "Link"} <= operation["responses"]["200"]["headers"].keys()
    assert {"Deprecation", "Sunset", "Link"} <= first["components"]["responses"]["NotFound"]["headers"].keys()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"since": date(2027, 1, 1), "sunset": date(2026, 1, 1)}, "is before"),
        ({"since": datetime(2026, 1, 1)}, "time zone"),
        ({"since": date(2026, 1, 1), "link": 'https://x.example/"'}, "must begin with https"),
        ({"since": date(2026, 1, 1), "successor": "api/v2"}, "must begin with https"),
        ({"since": date(2026, 1, 1), "successor": "//elsewhere.example/"}, "must begin with https"),
    ],
)
def test_dates_and_addresses_that_cannot_be_are_refused_where_they_are_written(
    words: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Deprecated(**words)
