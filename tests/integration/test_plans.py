"""A plan takes the steps that the gate allows, waits where it has to, and stops where somebody else moves."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger, moves
from api_gateway.errors import UsageError
from api_gateway.evidence.checks import checks_of, note_check, read_checks
from api_gateway.moves import plans
from api_gateway.moves.checks import ask
from api_gateway.moves.plans import Step, partner_by_partner, share_by_share
from api_gateway.project import Project
from api_gateway.stages import Stage
from api_gateway.thresholds import Check
from tests.support.migration_project import store_comparisons, write_project

Owner = psycopg.Connection[Any]

ROUTE = "orders.list"
BY_ANN: dict[str, Any] = {"actor": "ann", "reason": "the spring"}


@pytest.fixture
def project(tmp_path: Path, owner: Owner) -> Project:
    for code in ("acme", "bolt"):
        consumers.add_consumer(owner, code, code.title())
    return write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")


def present(owner: Owner) -> plans.Plan:
    (plan,) = plans.plans(owner, ROUTE)
    return plan


def step_until_it_waits(owner: Owner, project: Project) -> None:
    before = None
    while (now := present(owner)) != before:
        before = now
        plans.take_steps(owner, project)


def stages(owner: Owner) -> dict[str, str]:
    table = ledger.read_table(owner)
    return {code: str(table.stage(ROUTE, code)) for code in ("acme", "bolt")}


def test_partners_go_to_shadow_together_and_then_one_by_one_as_their_evidence_comes(
    owner: Owner, project: Project
) -> None:
    steps = partner_by_partner(["acme", "bolt"], Stage.live, 0)
    plans.begin(owner, project, ROUTE, steps, **BY_ANN)
    step_until_it_waits(owner, project)
    assert stages(owner) == {"acme": "shadow", "bolt": "shadow"}
    assert "comparisons: 0 of 20" in present(owner).why
    store_comparisons(owner, project, consumer="acme")
    step_until_it_waits(owner, project)
    assert stages(owner) == {"acme": "live", "bolt": "shadow"}
    store_comparisons(owner, project, consumer="bolt")
    step_until_it_waits(owner, project)
    assert (stages(owner), present(owner).state) == ({"acme": "live", "bolt": "live"}, "done")
    entry = ledger.history(owner, limit=1)[0].move
    assert (entry.actor, entry.reason, entry.overridden) == ("plan of ann", "the spring", None)


def test_shares_grow_to_everyone_with_a_wait_between_two(owner: Owner, project: Project) -> None:
    steps = share_by_share([5, 25, 100], Stage.live, 3600)
    assert [str(step) for step in steps] == ["shadow", "canary for 5 %", "canary for 25 %", "canary", "live"]
    plans.begin(owner, project, ROUTE, steps, **BY_ANN)
    plans.take_steps(owner, project)
    store_comparisons(owner, project)
    step_until_it_waits(owner, project)
    assert ledger.read_table(owner).shares == {ROUTE: 5}
    assert present(owner).why.startswith("waits until ")
    owner.execute("UPDATE banyan.plan SET since = since - interval '1 hour'")
    step_until_it_waits(owner, project)
    assert ledger.read_table(owner).shares == {ROUTE: 25}


def test_whoever_moves_the_route_meanwhile_pauses_it_until_it_is_resumed(owner: Owner, project: Project) -> None:
    plans.begin(owner, project, ROUTE, partner_by_partner(["acme"], Stage.canary, 0), **BY_ANN)
    step_until_it_waits(owner, project)
    moves.rollback(owner, project, ROUTE, consumer="acme", actor="eve", reason="a call from Acme", timeout=0)
    plans.take_steps(owner, project)
    assert present(owner).state == "paused"
    assert present(owner).why == f"eve moved {ROUTE} for acme: a call from Acme"
    plans.take_steps(owner, project)
    assert stages(owner)["acme"] == "legacy"
    assert plans.set_state(owner, ROUTE, "running").state == "running"


def test_a_freeze_holds_a_plan(owner: Owner, project: Project) -> None:
    ledger.set_freeze(owner, frozen=True, actor="ann", reason="the yearly count")
    plans.begin(owner, project, ROUTE, [Step(Stage.shadow)], **BY_ANN)
    assert plans.take_steps(owner, project) == []
    ledger.set_freeze(owner, frozen=False, actor="ann", reason="counted")
    assert len(plans.take_steps(owner, project)) == 1


def test_a_paused_plan_takes_no_step_and_an_ended_one_makes_room(owner: Owner, project: Project) -> None:
    plans.begin(owner, project, ROUTE, [Step(Stage.shadow)], **BY_ANN)
    plans.set_state(owner, ROUTE, "paused")
    assert plans.take_steps(owner, project) == []
    with pytest.raises(UsageError, match=r"a plan moves orders\.list already"):
        plans.begin(owner, project, ROUTE, [Step(Stage.shadow)], **BY_ANN)
    plans.set_state(owner, ROUTE, "ended")
    plans.begin(owner, project, ROUTE, [Step(Stage.shadow)], **BY_ANN)
    with pytest.raises(UsageError, match=r"no plan moves orders\.intake"):
        plans.set_state(owner, "orders.intake", "paused")


@pytest.mark.parametrize(
    ("step", "route"),
    [(Step(Stage.shadow, "nobody"), ROUTE), (Step(Stage.shadow), "no.route"), (Step(Stage.retired), ROUTE)],
)
def test_a_plan_that_cannot_be_is_refused(owner: Owner, project: Project, step: Step, route: str) -> None:
    with pytest.raises(UsageError):
        plans.begin(owner, project, route, [step], **BY_ANN)


# ------------------------------------------------------------------ checks


@pytest.mark.parametrize(
    ("sql", "verdict"),
    [
        ("SELECT true", "fine"),
        ("SELECT count(*) = 7 FROM generate_series(1, 3)", "broken"),
        ("SELECT NULL::bool", "inconclusive"),
        ("SELECT 1", "inconclusive"),
        ("SELECT true WHERE false", "inconclusive"),
        ("SELECT no_such_column", "inconclusive"),
        ("CREATE TABLE t (a int)", "inconclusive"),
        ("SELECT pg_sleep(30) IS NULL", "inconclusive"),
    ],
)
async def test_what_a_check_in_sql_says(owner_url: str, sql: str, verdict: str) -> None:
    assert (await ask(Check(sql=sql, timeout=0.5), owner_url))[0] == verdict


async def test_a_check_over_http_that_nobody_answers_says_nothing() -> None:
    assert (await ask(Check(url="http://127.0.0.1:9/health"), ""))[0] == "inconclusive"


def test_the_gate_wants_a_check_to_be_fine_and_a_dry_run_is_only_shown(owner: Owner) -> None:
    configured = {"stock": Check(sql="x", routes=(ROUTE,)), "dry": Check(sql="x", dry_run=True)}

    def said(route: str = ROUTE) -> list[tuple[str, str]]:
        return [(one.name, one.verdict) for one in checks_of(read_checks(owner), configured, route)]

    assert said() == [("stock", "never asked")]
    assert [note_check(owner, "stock", "broken", "false") for _ in range(3)] == [1, 2, 3]
    assert note_check(owner, "stock", "fine", "") == 1
    note_check(owner, "dry", "broken", "")
    assert (said(), said("orders.intake")) == ([("stock", "fine")], [])
