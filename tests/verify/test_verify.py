"""`verify` finds what is wrong with a mimic, shows it as small as it can, and finds nothing where nothing is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api_gateway.errors import UsageError
from api_gateway.project import Project
from api_gateway.verify.cases import keep, kept
from api_gateway.verify.findings import Report
from api_gateway.verify.page import page
from api_gateway.verify.report import as_json, text
from api_gateway.verify.run import Plan, Prepared, ask, replay

pytestmark = pytest.mark.xdist_group("verify")

Change = Callable[[str, str, str], Project]


def quietly(report: Report, spent: float) -> None:
    """Nobody looks at the progress of a test."""


def asked(project: Project, ready: Prepared, *names: str, seed: int = 1, requests: int = 100) -> Report:
    routes = [project.routes[name] for name in names]
    return ask(project, routes, ready, Plan(seed, 120.0, requests), quietly)


def test_the_callers_secrets_are_found_where_legacy_keeps_them(ready: Prepared) -> None:
    known = {kind for code, kind in ready.secrets if code == "acme"}
    assert known == {"query", "form", "header", "basic"}


def test_right_mimics_differ_in_nothing_and_were_asked_many_different_things(
    northgate: Project, ready: Prepared
) -> None:
    report = asked(northgate, ready, "orders.list", "orders.status", requests=200)
    assert (report.found, report.unproven) == ([], [])
    assert all(len(tally.shapes) > 10 and len(tally.outcomes) > 1 for tally in report.tallies.values())


@pytest.fixture(scope="module")
def rounded(changed: Change) -> Project:
    return changed("mimics/order_status.py", 'f"{amount:.2f}"', 'f"{amount:.1f}"')


@pytest.fixture(scope="module")
def report(rounded: Project, ready: Prepared) -> Report:
    """Of the mimic that rounds wrongly."""
    return asked(rounded, ready, "orders.status", requests=60)


def test_a_wrong_rounding_is_found_and_shown_as_small_as_it_can_be(report: Report) -> None:
    first = report.found[0]
    assert first.trial.signature & {("$.total", "value"), ("$.lines.price", "value"), ("$.lines[*].price", "value")}
    [call] = first.calls
    assert len(call.query) == 1
    shown = "\n".join(text(report))
    assert "orders.status" in shown
    assert str(call) in shown


def test_a_report_holds_both_answers_and_no_callers_secret(report: Report, ready: Prepared) -> None:
    document = json.dumps(as_json(report)) + page(report, "northgate")
    assert "order_no" in document
    assert not any(secret in document for secret in ready.secrets.values())


def test_what_was_found_is_kept_and_asked_again_until_it_is_mended(
    report: Report, rounded: Project, northgate: Project, ready: Prepared
) -> None:
    path = keep(rounded, report.found[0])
    assert not any(secret in path.read_text() for secret in ready.secrets.values())
    [case] = [case for case in kept(rounded, {"orders.status"}) if case not in kept(northgate, {"orders.status"})]
    [(_, wrong)] = replay(rounded, [case], ready)
    [(_, right)] = replay(northgate, [case], ready)
    assert (str(wrong.comparison.verdict), str(right.comparison.verdict)) == ("mismatch", "match")


@pytest.mark.parametrize("content", ["no json", "[]", '{"calls": [{}]}'])
def test_a_file_among_the_cases_that_is_none_is_named(northgate: Project, tmp_path: Path, content: str) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "odd.json").write_text(content)
    with pytest.raises(UsageError, match=r"odd\.json: no case"):
        kept(replace(northgate, folder=tmp_path), {"orders.status"})


def test_a_mimic_that_raises_is_named_with_file_and_line(changed: Change, ready: Prepared) -> None:
    broken = changed("mimics/order_status.py", 'order_no": str(', 'order_no": len(')
    report = asked(broken, ready, "orders.status")
    [difference] = report.found[0].trial.comparison.differences
    assert difference.kind == "failure"
    assert difference.candidate is not None
    assert difference.candidate.startswith("raised: TypeError at mimics/order_status.py:")


def test_copies_are_gone_afterwards(ready: Prepared, tmp_path: Path, northgate: Project, clone: Any) -> None:
    import psycopg

    from api_gateway.verify.copies import PREFIX, copies

    source = clone("template1")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.t (id int)")
        before = names(connection)
        with copies(source, ("public",), []) as made:
            during = names(connection) - before
            assert len(during) == 3
            assert all(name.startswith(PREFIX) for name in during)
            assert made.made == 1
        assert names(connection) == before


def names(connection: Any) -> set[str]:
    return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}
