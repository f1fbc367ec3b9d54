"""Moves of a group, of a share, and of what moves by itself; and the freeze of the latter."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger, moves
from api_gateway.draft.refresh import forget_modules
from api_gateway.errors import UsageError
from api_gateway.evidence.alarm import Alarm
from api_gateway.evidence.pulses import Pulse, Times, beat_statement, read_beats
from api_gateway.ledger import Superseded
from api_gateway.moves import Refused
from api_gateway.moves.automatic import Overseer
from api_gateway.project import Project, load_project
from api_gateway.stages import Stage
from shared_models.statements import run
from tests.support.migration_project import write_project

Owner = psycopg.Connection[Any]

BY_ANN: dict[str, Any] = {"actor": "ann", "reason": "because", "timeout": 0.1}
ON_HER_WORD = {**BY_ANN, "override": "Ann Lee"}


@pytest.fixture
def project(tmp_path: Path, owner: Owner) -> Project:
    """`orders.list` and `orders.status` are one group."""
    for code in ("acme", "bolt"):
        consumers.add_consumer(owner, code, code.title())
    made = write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")
    page = made.folder / "routes.py"
    text = page.read_text()
    for path in ("/partner/orders.xml", "/partner/order_status"):
        text = text.replace(f'"{path}", QueryToken("token"),', f'"{path}", QueryToken("token"), group="orders",')
    page.write_text(text)
    forget_modules(made)
    return load_project(made.folder)


def stages(owner: Owner, consumer: str | None = None) -> dict[str, str]:
    table = ledger.read_table(owner)
    return {route: str(table.stage(route, consumer)) for route in ("orders.list", "orders.status", "orders.intake")}


# ------------------------------------------------------------------ groups


def test_routes_of_a_group_move_in_one_entry(owner: Owner, project: Project) -> None:
    outcome = moves.move(owner, project, "orders.status", Stage.shadow, consumer="acme", **BY_ANN)
    assert stages(owner, "acme") == {"orders.list": "shadow", "orders.status": "shadow", "orders.intake": "legacy"}
    assert outcome.move.members == ("orders.list", "orders.status")
    assert len(ledger.history(owner)) == 1
    assert ledger.history(owner, route="orders.list") == ledger.history(owner, route="orders.status")
    assert stages(owner, "bolt") == dict.fromkeys(stages(owner), "legacy")


def test_what_one_of_them_lacks_keeps_all_of_them(owner: Owner, project: Project) -> None:
    moves.move(owner, project, "orders.list", Stage.shadow, **BY_ANN)
    with pytest.raises(Refused) as refused:
        moves.move(owner, project, "orders.list", Stage.canary, **BY_ANN)
    lacking = {one.criterion for one in refused.value.criteria}
    assert {"comparisons", "comparisons of orders.status"} <= lacking
    assert stages(owner)["orders.list"] == "shadow"


def test_a_group_goes_back_as_one_and_lifts_nobody(owner: Owner, project: Project) -> None:
    for stage in (Stage.shadow, Stage.canary):
        moves.move(owner, project, "orders.list", stage, **ON_HER_WORD)
    moves.rollback(owner, project, "orders.status", to=Stage.legacy, **BY_ANN)
    assert set(stages(owner).values()) == {"legacy"}
    assert len(ledger.history(owner)) == 3


def test_a_route_that_joined_the_group_later_is_not_moved_forward_by_a_rollback(owner: Owner, project: Project) -> None:
    entry = ledger.Move("orders.list", None, Stage.legacy, Stage.canary, "ann", "before it was a group")
    ledger.append(owner, entry, expected_version=0)
    outcome = moves.rollback(owner, project, "orders.list", to=Stage.shadow, **BY_ANN)
    assert outcome.move.members == ()
    assert stages(owner) == {"orders.list": "shadow", "orders.status": "legacy", "orders.intake": "legacy"}


# ------------------------------------------------------------------ shares


def test_a_share_grows_shrinks_and_becomes_everyone(owner: Owner, project: Project) -> None:
    moves.move(owner, project, "orders.intake", Stage.shadow, **BY_ANN)
    for share in (1, 5, 25, None):
        moves.move(owner, project, "orders.intake", Stage.canary, share=share, **ON_HER_WORD)
        table = ledger.read_table(owner)
        assert table.shares == ({} if share is None else {"orders.intake": share})
        assert table.stage("orders.intake", "acme") is (Stage.canary if share is None else Stage.shadow)
    moves.move(owner, project, "orders.intake", Stage.canary, share=5, **BY_ANN)
    assert ledger.history(owner)[0].move.kind == "rollback"
    moves.rollback(owner, project, "orders.intake", **BY_ANN)
    assert (ledger.read_table(owner).shares, stages(owner)["orders.intake"]) == ({}, "shadow")


def test_a_share_is_followed_by_everyone_before_the_next_stage(owner: Owner, project: Project) -> None:
    moves.move(owner, project, "orders.intake", Stage.shadow, **BY_ANN)
    moves.move(owner, project, "orders.intake", Stage.canary, share=25, **ON_HER_WORD)
    with pytest.raises(Refused, match="share: 25 % at canary, needs everyone at canary first"):
        moves.move(owner, project, "orders.intake", Stage.live, **BY_ANN)


@pytest.mark.parametrize(
    ("consumer", "stage", "share"),
    [("acme", Stage.canary, 5), (None, Stage.shadow, 5), (None, Stage.canary, 0), (None, Stage.canary, 101)],
)
def test_a_share_that_cannot_be_is_refused(
    owner: Owner, project: Project, consumer: str | None, stage: Stage, share: float
) -> None:
    with pytest.raises(UsageError):
        moves.move(owner, project, "orders.intake", stage, consumer=consumer, share=share, **ON_HER_WORD)


# ------------------------------------------------------------------ by itself


def fared(owner: Owner, route: str, consumer: str | None, failed: int, version: int = 1000) -> None:
    times = Times()
    for _ in range(failed):
        times.add(12.0)
    run(owner, beat_statement({Pulse(route, consumer, "modern", version, "failed"): times}))


def at_canary(owner: Owner, project: Project, route: str, consumer: str | None) -> None:
    for stage in (Stage.shadow, Stage.canary):
        moves.move(owner, project, route, stage, consumer=consumer, **ON_HER_WORD)


def notices(owner: Owner) -> list[dict[str, Any]]:
    query = "SELECT args FROM banyan.procrastinate_jobs WHERE task_name = 'notice' ORDER BY id"
    return [row[0] for row in owner.execute(query).fetchall()]


def test_what_fails_goes_back_to_where_legacy_answered_and_two_jobs_tell_it(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.intake", "acme")
    moves.move(owner, project, "orders.intake", Stage.live, consumer="acme", **ON_HER_WORD)
    fared(owner, "orders.intake", "acme", 6)
    (entry,) = Overseer(project).look(owner, {("orders.intake", "acme"), ("orders.intake", None)})
    assert (entry.move.from_stage, entry.move.to_stage, entry.move.kind) == (Stage.live, Stage.shadow, "automatic")
    assert entry.move.evidence is not None
    assert entry.move.evidence["failed"] == 6
    assert [told["by"] for told in notices(owner)] == ["webhook", "mail"]
    assert notices(owner)[0]["told"]["reason"] == entry.move.reason
    assert Overseer(project).look(owner, {("orders.intake", "acme")}) == []


def test_a_group_goes_back_by_itself_as_one(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.list", None)
    fared(owner, "orders.status", None, 9)
    (entry,) = Overseer(project).look(owner, {("orders.status", None)})
    assert entry.move.members == ("orders.list", "orders.status")
    assert stages(owner)["orders.list"] == "shadow"


def test_failures_before_the_last_move_are_forgiven(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.intake", None)
    fared(owner, "orders.intake", None, 50, version=ledger.read_table(owner).version - 1)
    assert Overseer(project).look(owner, {("orders.intake", None)}) == []


def test_a_freeze_holds_back_what_moves_by_itself_and_nothing_else(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.intake", None)
    fared(owner, "orders.intake", None, 9)
    ledger.set_freeze(owner, frozen=True, actor="ann", reason="the yearly count")
    assert Overseer(project).look(owner, {("orders.intake", None)}) == []
    assert (stages(owner)["orders.intake"], notices(owner)) == ("canary", [])
    moves.move(owner, project, "orders.list", Stage.shadow, **BY_ANN)
    ledger.set_freeze(owner, frozen=False, actor="ann", reason="counted")
    assert ledger.read_freeze(owner) is None
    assert len(Overseer(project).look(owner, {("orders.intake", None)})) == 1


def test_of_two_who_notice_the_same_one_moves_it(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.intake", None)
    found = Alarm("errors", "9 of 9", {})
    first, second = Overseer(project), Overseer(project)
    assert first.go_back(owner, "orders.intake", None, found) is not None
    assert second.go_back(owner, "orders.intake", None, found) is None
    assert len(notices(owner)) == 2


def test_a_promotion_that_was_decided_before_loses_against_it(owner: Owner, project: Project) -> None:
    at_canary(owner, project, "orders.intake", None)
    seen = ledger.read_table(owner).version
    Overseer(project).go_back(owner, "orders.intake", None, Alarm("errors", "9 of 9", {}))
    with pytest.raises((Superseded, Refused)):
        moves.move(owner, project, "orders.intake", Stage.live, expected_version=seen, **BY_ANN)


def test_what_was_counted_by_several_processes_adds_up(owner: Owner, project: Project) -> None:
    for _ in range(3):
        fared(owner, "orders.intake", "acme", 2)
    beats = read_beats(owner, {("orders.intake", "acme")}, 60)
    assert sum(beat.times.count for beat in beats["orders.intake", "acme", "modern"]) == 6
    assert beats.get(("orders.intake", None, "legacy"), []) == []
