"""Mail, calls and files of both sides go to sinks and are compared, and so are keys that each side draws by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_gateway.consumers import Register
from api_gateway.project import Project
from api_gateway.verify.calls import Call
from api_gateway.verify.cases import Case
from api_gateway.verify.findings import Report
from api_gateway.verify.report import text
from api_gateway.verify.run import Plan, Prepared, ask, prepared, replay
from tests.support.small_project import loaded, small_project

pytestmark = pytest.mark.xdist_group("verify")


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory, small_url: str) -> Project:
    return loaded(small_project(tmp_path_factory.mktemp("small") / "small_right", small_url))


@pytest.fixture(scope="module")
def both(right: Project, small_url: str) -> Iterator[Prepared]:
    with prepared(right, Register.of(1, [], []), small_url) as ready:
        yield ready


def asked(project: Project, both: Prepared, *, requests: int) -> Report:
    plan = Plan(1, 60.0, requests, shrinks=False)
    return ask(project, list(project.routes.values()), both, plan, lambda *_: None)


def test_keys_drawn_by_lot_clocks_and_what_is_sent_are_no_differences(right: Project, both: Prepared) -> None:
    report = asked(right, both, requests=60)
    assert (report.found, report.unproven, report.ended) == ([], [], ""), list(text(report))
    assert report.tallies["sale.place"].wrote > 5


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("tasks.py", '"clerk@example.org"', '"boss@example.org"', "sent.mail[1].recipient"),
        ("tasks.py", 'f"Order {number}"', 'f"Order {number + 1}"', "sent.mail[1].subject"),
        ("tasks.py", "{quantity} x {item}", "{quantity} × {item}", "sent.mail[1].line[1]"),
        ("tasks.py", '"total": total', '"total": float(total)', "sent.call[1].$.total"),
        ("tasks.py", "/orders", "/order", "sent.call[1].target"),
        ("tasks.py", '{item};{quantity}\\r\\n', '{item},{quantity}\\r\\n', "sent.file[1]"),
        ("tasks.py", "await asyncio", "raise LookupError  #", "job[1].tell"),
        ("mimics.py", ", price * number\n", ", price\n", "written.public.sale[1].total"),
        ("mimics.py", 'f"order {drawn}"', 'f"order {drawn + 1}"', "written.public.line[1].note"),
    ],
)  # fmt: skip
def test_what_is_sent_or_keyed_otherwise_is_named(
    tmp_path: Path, small_url: str, both: Prepared, file: str, old: str, new: str, place: str
) -> None:
    wrong = loaded(small_project(tmp_path / f"small_{abs(hash((old, new)))}", small_url, change={file: (old, new)}))
    order = Call("sale.place", "POST", form=(("item", "bolt"), ("qty", "3")))
    [(_, trial)] = replay(wrong, [Case("an order", [order], [])], both)
    places = [difference.path for difference in trial.comparison.differences]
    assert any(each.startswith(place) for each in places), places
