"""A move: what may be asked, what it needs, and when it is in force."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers, ledger, moves
from api_gateway.errors import UsageError
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.gate import Verified
from api_gateway.evidence.verified import note_verified, read_verified
from api_gateway.ledger import Identity, Superseded
from api_gateway.moves import Refused
from api_gateway.project import Project, load_project
from api_gateway.stages import Stage
from tests.support.migration_project import store_comparisons, write_project

Owner = psycopg.Connection[Any]

BY_ANN: dict[str, Any] = {"actor": "ann", "reason": "because", "timeout": 0.1}


@pytest.fixture
def project(tmp_path: Path, owner: Owner) -> Project:
    for code in ("acme", "bolt"):
        consumers.add_consumer(owner, code, code.title())
    return write_project(tmp_path / f"project_{uuid.uuid4().hex[:8]}")


def at_shadow(owner: Owner, project: Project, consumer: str | None = "acme", route: str = "orders.list") -> None:
    moves.move(owner, project, route, Stage.shadow, consumer=consumer, **BY_ANN)


def criteria(refused: pytest.ExceptionInfo[Refused]) -> dict[str, tuple[Any, Any]]:
    return {one.criterion: (one.have, one.need) for one in refused.value.criteria}


def test_a_mimic_is_all_that_shadow_needs(owner: Owner, project: Project) -> None:
    outcome = moves.move(owner, project, "orders.list", Stage.shadow, consumer="acme", **BY_ANN)
    assert (outcome.move.from_stage, outcome.move.to_stage) == (Stage.legacy, Stage.shadow)
    assert ledger.read_table(owner).stages == {("orders.list", "acme"): Stage.shadow}


def test_without_a_mimic_nothing_moves_not_even_on_somebodys_word(owner: Owner, project: Project) -> None:
    for override in (None, "ann"):
        with pytest.raises(Refused) as refused:
            moves.move(owner, project, "stock.csv", Stage.shadow, override=override, **BY_ANN)
        assert criteria(refused).keys() == {"mimic"}
    assert ledger.history(owner) == []


def test_canary_needs_evidence_and_the_refusal_says_how_much(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project, count=12, shapes=2)
    with pytest.raises(Refused, match=r"orders\.list for acme stays at shadow") as refused:
        moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", **BY_ANN)
    assert criteria(refused) == {"comparisons": (12, 20), "request shapes": (2, 3)}
    assert refused.value.exit_code == 1
    assert ledger.read_table(owner).stage("orders.list", "acme") is Stage.shadow


def test_with_enough_evidence_it_moves_and_the_ledger_keeps_the_evidence(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project)
    moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", **BY_ANN)
    moves.move(owner, project, "orders.list", Stage.live, consumer="acme", **BY_ANN)
    entry = ledger.history(owner, limit=1)[0]
    assert entry.move.evidence is not None
    assert entry.move.evidence["fingerprint"] == fingerprint_of(project, project.routes["orders.list"])
    assert {one["criterion"]: one["have"] for one in entry.move.evidence["criteria"]}["comparisons"] == 20
    assert entry.move.overridden is None


def test_one_mismatch_is_enough_to_refuse(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project)
    store_comparisons(owner, project, verdict="mismatch", count=1)
    with pytest.raises(Refused) as refused:
        moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", **BY_ANN)
    assert criteria(refused) == {"mismatches": (1, 0)}


def test_inconclusive_comparisons_and_those_of_others_are_no_evidence(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project, verdict="inconclusive")
    store_comparisons(owner, project, consumer="bolt")
    store_comparisons(owner, project, route="orders.status")
    with pytest.raises(Refused) as refused:
        moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", **BY_ANN)
    assert criteria(refused)["comparisons"] == (0, 20)


def test_a_changed_candidate_keeps_its_stage_and_starts_from_zero(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project)
    moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", **BY_ANN)
    routes = project.folder / "routes.py"
    routes.write_text(routes.read_text().replace('return "orders"', 'return "order"'))
    changed = load_project(project.folder)
    assert ledger.read_table(owner).stage("orders.list", "acme") is Stage.canary
    with pytest.raises(Refused) as refused:
        moves.move(owner, changed, "orders.list", Stage.live, consumer="acme", **BY_ANN)
    assert criteria(refused)["comparisons"] == (0, 20)


def test_a_route_moves_for_everyone_on_the_evidence_of_everyone(owner: Owner, project: Project) -> None:
    at_shadow(owner, project, consumer=None)
    store_comparisons(owner, project, count=10)
    store_comparisons(owner, project, consumer="bolt", count=10)
    outcome = moves.move(owner, project, "orders.list", Stage.canary, **BY_ANN)
    assert outcome.move.consumer is None


def test_a_named_override_moves_without_evidence_and_is_recorded(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    moves.move(owner, project, "orders.list", Stage.canary, consumer="acme", override="Ann Lee", **BY_ANN)
    assert ledger.history(owner)[0].move.overridden == "Ann Lee"


def test_an_override_that_was_not_needed_is_not_recorded(owner: Owner, project: Project) -> None:
    moves.move(owner, project, "orders.list", Stage.shadow, override="Ann Lee", **BY_ANN)
    assert ledger.history(owner)[0].move.overridden is None


@pytest.mark.parametrize("stage", [Stage.canary, Stage.live])
def test_a_write_moves_forward_by_what_verify_proved_or_by_a_named_override(
    owner: Owner, project: Project, stage: Stage
) -> None:
    for earlier in list(Stage)[1 : stage.rank]:
        moves.move(owner, project, "orders.intake", earlier, override="ann", **BY_ANN)
    store_comparisons(owner, project, route="orders.intake")
    with pytest.raises(Refused) as refused:
        moves.move(owner, project, "orders.intake", stage, **BY_ANN)
    assert criteria(refused).keys() == {"verified requests", "verified writes"}
    candidate = fingerprint_of(project, project.routes["orders.intake"])
    for seed in (1, 1, 2):
        note_verified(owner, "ann", seed, [("orders.intake", candidate, Verified(asked=120, wrote=15))])
    moves.move(owner, project, "orders.intake", stage, **BY_ANN)
    assert ledger.history(owner)[0].move.overridden is None


def test_one_seed_verified_twice_proves_no_more_than_once(owner: Owner, project: Project) -> None:
    candidate = fingerprint_of(project, project.routes["orders.intake"])
    for _ in range(3):
        note_verified(owner, "ann", 1, [("orders.intake", candidate, Verified(asked=120, wrote=15))])
    assert read_verified(owner, "orders.intake", candidate) == Verified(asked=120, wrote=15)


def test_a_route_is_retired_only_in_favour_of_a_successor(owner: Owner, project: Project) -> None:
    for route in ("orders.list", "orders.status"):
        for stage in (Stage.shadow, Stage.canary, Stage.live):
            moves.move(owner, project, route, stage, override="ann", **BY_ANN)
    assert moves.move(owner, project, "orders.list", Stage.retired, **BY_ANN).move.to_stage is Stage.retired
    with pytest.raises(Refused) as refused:
        moves.move(owner, project, "orders.status", Stage.retired, **BY_ANN)
    assert criteria(refused).keys() == {"successor"}


def test_back_goes_anywhere_at_once_without_evidence(owner: Owner, project: Project) -> None:
    for stage in (Stage.shadow, Stage.canary, Stage.live):
        moves.move(owner, project, "orders.list", stage, override="ann", **BY_ANN)
    outcome = moves.move(owner, project, "orders.list", Stage.legacy, **BY_ANN)
    assert (outcome.move.kind, outcome.move.from_stage) == ("rollback", Stage.live)


def test_a_rollback_goes_to_the_stage_before_and_again_to_the_one_before_that(owner: Owner, project: Project) -> None:
    for stage in (Stage.shadow, Stage.canary, Stage.live):
        moves.move(owner, project, "orders.list", stage, override="ann", **BY_ANN)
    stages = [moves.rollback(owner, project, "orders.list", **BY_ANN).move.to_stage for _ in range(3)]
    assert stages == [Stage.canary, Stage.shadow, Stage.legacy]


def test_a_rollback_goes_as_far_as_it_is_told(owner: Owner, project: Project) -> None:
    for stage in (Stage.shadow, Stage.canary):
        moves.move(owner, project, "orders.list", stage, override="ann", **BY_ANN)
    assert moves.rollback(owner, project, "orders.list", to=Stage.legacy, **BY_ANN).move.to_stage is Stage.legacy


def test_a_rollback_of_one_consumer_leaves_the_others(owner: Owner, project: Project) -> None:
    for consumer in ("acme", "bolt"):
        at_shadow(owner, project, consumer)
    moves.rollback(owner, project, "orders.list", consumer="acme", **BY_ANN)
    table = ledger.read_table(owner)
    assert (table.stage("orders.list", "acme"), table.stage("orders.list", "bolt")) == (Stage.legacy, Stage.shadow)


def test_a_rollback_works_for_a_consumer_and_a_route_that_are_no_longer_known(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    owner.execute("DELETE FROM banyan.consumer WHERE code = 'acme'")
    (project.folder / "routes.py").write_text("routes = []")
    outcome = moves.rollback(owner, load_project(project.folder), "orders.list", consumer="acme", **BY_ANN)
    assert outcome.move.to_stage is Stage.legacy


def test_a_rollback_of_the_route_names_the_consumers_who_stand_elsewhere(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    with pytest.raises(UsageError, match="nothing to go back to") as refused:
        moves.rollback(owner, project, "orders.list", **BY_ANN)
    assert refused.value.hint is not None
    assert "acme" in refused.value.hint


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"route": "order.list"}, "there is no route order.list; did you mean orders.list?"),
        ({"route": "zzz"}, "there is no route zzz."),
        ({"consumer": "acne"}, "there is no consumer acne; did you mean acme?"),
        ({"target": Stage.legacy}, "orders.list stands at legacy already."),
        ({"reason": "  "}, "a move needs a reason"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line_and_not_written(
    owner: Owner, project: Project, asked: dict[str, Any], told: str
) -> None:
    given = {"route": "orders.list", "target": Stage.shadow, **BY_ANN, **asked}
    with pytest.raises(UsageError) as refused:
        moves.move(owner, project, **given)
    assert told in refused.value.message
    assert "\n" not in refused.value.message
    assert ledger.history(owner) == []


def test_a_stage_left_out_is_missing_evidence_and_a_name_may_answer_for_it(owner: Owner, project: Project) -> None:
    with pytest.raises(moves.Refused) as refused:
        moves.move(owner, project, "orders.list", Stage.canary, **BY_ANN)
    assert {one.criterion for one in refused.value.criteria} >= {"stage", "comparisons", "request shapes"}
    assert ledger.history(owner) == []
    moves.move(owner, project, "orders.list", Stage.canary, override="ann", **BY_ANN)
    assert ledger.history(owner)[0].move.overridden == "ann"


def test_a_decision_taken_on_an_older_page_loses(owner: Owner, project: Project) -> None:
    page = ledger.read_table(owner).version
    at_shadow(owner, project)
    with pytest.raises(Superseded):
        moves.move(owner, project, "orders.list", Stage.shadow, consumer="bolt", expected_version=page, **BY_ANN)


def test_a_move_waits_for_every_live_process_and_names_the_late(owner: Owner, project: Project) -> None:
    fast, slow = Identity("app", pid=101), Identity("edge", pid=202)
    ledger.acknowledge(owner, fast, 10_000)
    ledger.acknowledge(owner, slow, 0)
    outcome = moves.move(owner, project, "orders.list", Stage.shadow, **BY_ANN)
    assert [process.pid for process in outcome.laggards] == [202]
    assert [process.pid for process in outcome.acknowledged] == [101]
    assert ledger.read_table(owner).version == outcome.version, "the move is in the ledger all the same"


def test_a_dead_process_is_not_waited_for_but_is_told_of(owner: Owner, project: Project) -> None:
    dead = Identity("app", pid=303)
    ledger.acknowledge(owner, dead, 0)
    ledger.acknowledge(owner, Identity("edge"), 10_000)
    owner.execute("UPDATE banyan.process SET seen = seen - interval '4 s' WHERE pid = 303")
    outcome = moves.move(owner, project, "orders.list", Stage.shadow, **BY_ANN)
    assert outcome.laggards == ()
    assert [process.pid for process in outcome.silent] == [303]


def test_a_connection_that_would_not_commit_is_refused_before_anything_is_written(
    owner: Owner, owner_url: str, project: Project
) -> None:
    with psycopg.connect(owner_url) as connection, pytest.raises(ValueError, match="must commit"):
        moves.move(connection, project, "orders.list", Stage.shadow, **BY_ANN)
    assert ledger.history(owner) == []


def test_standings_show_routes_and_whoever_stands_elsewhere_or_calls(owner: Owner, project: Project) -> None:
    at_shadow(owner, project)
    store_comparisons(owner, project, count=4)
    owner.execute(
        "INSERT INTO banyan.call_count (hour, route, consumer, stage, answerer, outcome, count) VALUES"
        " (date_trunc('hour', now()), 'orders.list', 'bolt', 'legacy', 'legacy', '2xx', 7),"
        " (date_trunc('hour', now()), 'orders.list', '', 'legacy', 'legacy', '2xx', 2),"
        " (now() - interval '2 days', 'orders.list', 'acme', 'legacy', 'legacy', '2xx', 100)"
    )
    found = {(one.route, one.consumer): one for one in moves.standings(owner, project)}
    assert [key for key in found if key[0] == "orders.list"] == [
        ("orders.list", None),
        ("orders.list", "acme"),
        ("orders.list", "bolt"),
    ]
    acme, everyone = found["orders.list", "acme"], found["orders.list", None]
    assert (acme.stage, acme.own, acme.conclusive, acme.next) == (Stage.shadow, True, 4, Stage.canary)
    assert [one.criterion for one in acme.unmet] == ["comparisons"]
    assert (everyone.stage, everyone.calls) == (Stage.legacy, 9)
    assert found["orders.list", "bolt"].calls == 7
