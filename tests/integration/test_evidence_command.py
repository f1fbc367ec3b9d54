"""`banyan evidence` as an operator types it: verdicts, shapes, what is missing, differences with a sample."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert

from api_gateway import consumers
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.project import Project
from shared_models import state
from shared_models.statements import run
from tests.support.commands import Banyan
from tests.support.migration_project import store_comparisons, write_project

Owner = psycopg.Connection[Any]


@pytest.fixture
def project(tmp_path: Path, owner: Owner) -> Project:
    consumers.add_consumer(owner, "acme", "Acme")
    return write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def banyan(tmp_path: Path, owner_url: str, project: Project) -> Banyan:
    return Banyan(tmp_path, {"BANYAN_OWNER_DATABASE_URL": owner_url, "BANYAN_PROJECT": str(project.folder)})


def store_mismatch(owner: Owner, project: Project, number: int, **changed: Any) -> None:
    difference = {"path": f"/orders/order[{number}]/total[1]", "kind": "value", "control": "1.00", "candidate": "1.0"}
    row = {
        "route": "orders.list",
        "consumer": "acme",
        "fingerprint": fingerprint_of(project, project.routes["orders.list"]),
        "verdict": "mismatch",
        "shape": "GET token=code",
        "outcome": "200 text/xml <orders>",
        "differences": [difference],
        "request": {},
        **changed,
    }
    run(owner, insert(state.comparison).values(**row).inline())


def test_nothing_is_known_about_a_candidate_that_never_ran(banyan: Banyan) -> None:
    known = banyan("evidence", "orders.list", "--json").json
    assert set(known["verdicts"].values()) == {0}
    assert {c["criterion"]: c["met"] for c in known["criteria"]} == {
        "mimic": True,
        "mismatches": True,
        "mismatches of verify": True,
        "comparisons": False,
        "request shapes": False,
    }


def test_evidence_is_counted_for_the_consumer_that_is_asked_about(
    banyan: Banyan, owner: Owner, project: Project
) -> None:
    store_comparisons(owner, project, count=7, shapes=2)
    for_acme = banyan("evidence", "orders.list", "--consumer", "acme", "--json").json
    assert (for_acme["verdicts"]["match"], len(for_acme["shapes"])) == (7, 2)


def test_evidence_of_an_earlier_candidate_counts_for_nothing(banyan: Banyan, owner: Owner, project: Project) -> None:
    store_comparisons(owner, project, fingerprint="0123456789abcdef")
    assert banyan("evidence", "orders.list", "--json").json["verdicts"]["match"] == 0


def test_differences_are_shown_by_place_with_a_sample(banyan: Banyan, owner: Owner, project: Project) -> None:
    for number in (1, 2, 3):
        store_mismatch(owner, project, number)
    [group] = banyan("evidence", "orders.list", "--json").json["differences"]
    assert (group["path"], group["kind"], group["count"]) == ("/orders/order[*]/total[*]", "value", 3)
    assert group["sample"] == {"control": "1.00", "candidate": "1.0"}
    shown = banyan("evidence", "orders.list").out
    assert "/orders/order[*]/total[*]" in shown
    assert "mismatches" in shown


def test_what_an_ignore_rule_took_out_is_counted_with_its_reason(
    banyan: Banyan, owner: Owner, project: Project
) -> None:
    for number in (1, 2):
        taken_out = [{"path": f"/orders/order[{number}]/@seen", "reason": "clock of the answer"}]
        store_mismatch(owner, project, number, verdict="ignored", differences=[], request={"ignored": taken_out})
    known = banyan("evidence", "orders.list", "--json").json
    assert known["differences"] == []
    [group] = known["ignored"]
    assert (group["path"], group["reason"], group["count"]) == ("/orders/order[*]/@seen", "clock of the answer", 2)
    assert "clock of the answer" in banyan("evidence", "orders.list").out


def test_an_unknown_route_and_an_unknown_consumer_are_one_line_each(banyan: Banyan) -> None:
    assert banyan("evidence", "orders.lst").complaint == "there is no route orders.lst; did you mean orders.list?"
    answer = banyan("evidence", "orders.list", "--consumer", "nobody")
    assert (answer.code, answer.complaint) == (2, "there is no consumer nobody.")
