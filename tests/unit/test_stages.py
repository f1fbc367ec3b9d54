"""Who answers a call: every stage, for everyone and for one consumer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.stages import Answerer, Identification, Stage, StageTable, decide, is_within

ACME, BOLT, NOBODY = Identification("acme"), Identification("bolt"), Identification()

names = st.text("abc.", min_size=1, max_size=3)
tables = st.builds(
    StageTable,
    st.integers(0, 2**63 - 1),
    st.dictionaries(st.tuples(names, st.none() | names), st.sampled_from(Stage)),
)


@pytest.mark.parametrize(
    ("stage", "answerer", "observe"),
    [
        (Stage.legacy, Answerer.legacy, False),
        (Stage.shadow, Answerer.legacy, True),
        (Stage.canary, Answerer.modern, False),
        (Stage.live, Answerer.modern, False),
        (Stage.retired, Answerer.gone, False),
    ],
)
def test_the_stage_says_who_answers_and_whether_the_candidate_observes(
    stage: Stage, answerer: Answerer, observe: bool
) -> None:
    decision = decide(StageTable(1, {("orders.list", None): stage}), "orders.list", NOBODY)
    assert (decision.answerer, decision.observe) == (answerer, observe)


def test_a_route_that_never_moved_is_answered_by_legacy() -> None:
    decision = decide(StageTable(), "orders.list", ACME)
    assert (decision.stage, decision.answerer) == (Stage.legacy, Answerer.legacy)


def test_a_consumers_stage_overrides_the_routes_in_both_directions() -> None:
    table = StageTable(
        3,
        {
            ("orders.list", None): Stage.canary,
            ("orders.list", "acme"): Stage.legacy,
            ("orders.list", "bolt"): Stage.live,
        },
    )
    assert decide(table, "orders.list", ACME).answerer is Answerer.legacy
    assert decide(table, "orders.list", BOLT).stage is Stage.live
    assert decide(table, "orders.list", Identification("cobb")).stage is Stage.canary


def test_an_ambiguous_caller_means_legacy_even_on_a_retired_route() -> None:
    table = StageTable(1, {("orders.list", None): Stage.retired})
    decision = decide(table, "orders.list", Identification(ambiguous=True))
    assert (decision.answerer, decision.why) == (Answerer.legacy, "ambiguous consumer")


def test_the_edge_asks_the_gateway_as_soon_as_one_consumer_stands_at_canary() -> None:
    table = StageTable(2, {("orders.list", None): Stage.shadow, ("orders.list", "acme"): Stage.canary})
    assert table.needs_gateway("orders.list")
    assert table.needs_copy("orders.list")
    assert not table.needs_gateway("orders.status")


@pytest.mark.parametrize("stage", [Stage.legacy, Stage.shadow, Stage.canary, Stage.live])
def test_a_credential_that_only_legacy_may_know_means_legacy(stage: Stage) -> None:
    decision = decide(StageTable(1, {("orders.list", None): stage}), "orders.list", Identification(unknown=True))
    assert (decision.answerer, decision.observe) == (Answerer.legacy, False)


def test_a_retired_route_is_gone_for_it_too() -> None:
    table = StageTable(1, {("orders.list", None): Stage.retired})
    assert decide(table, "orders.list", Identification(unknown=True)).answerer is Answerer.gone


@given(tables, names, st.builds(Identification, st.none() | names, st.booleans(), st.booleans()))
def test_whoever_stands_at_legacy_or_shadow_is_never_answered_by_modern(
    table: StageTable, route: str, who: Identification
) -> None:
    decision = decide(table, route, who)
    if decision.answerer is Answerer.modern:
        assert table.stage(route, who.consumer).is_modern
        assert table.needs_gateway(route)


@given(tables)
def test_a_table_survives_the_file_it_is_kept_in(table: StageTable) -> None:
    assert StageTable.from_json(table.to_json()) == table


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1, "stages": [{"route": "a", "stage": "gone"}]}', "null"]
)
def test_what_is_no_stage_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        StageTable.from_json(text)


def share(percent: float, stage: Stage = Stage.canary) -> StageTable:
    return StageTable(1, {("orders.list", None): stage, ("orders.list", "bolt"): Stage.live}, {"orders.list": percent})


def test_a_share_holds_some_of_the_unnamed_and_the_others_stand_one_stage_before() -> None:
    callers = [b"caller %d" % number for number in range(400)]
    stages = [decide(share(25), "orders.list", NOBODY, caller).stage for caller in callers]
    assert 60 < stages.count(Stage.canary) < 140
    assert set(stages) == {Stage.canary, Stage.shadow}
    assert decide(share(25), "orders.list", NOBODY).stage is Stage.shadow


def test_a_share_only_grows_so_that_who_is_in_stays_in() -> None:
    callers = [b"caller %d" % number for number in range(400)]
    inside = [
        {caller for caller in callers if decide(share(percent), "orders.list", NOBODY, caller).stage is Stage.canary}
        for percent in (1, 5, 25, 99.99)
    ]
    assert inside[0] <= inside[1] <= inside[2] <= inside[3]
    assert len(inside[3]) > 395


def test_two_routes_begin_with_other_callers() -> None:
    callers = [b"caller %d" % number for number in range(400)]
    first, second = ({caller for caller in callers if is_within(route, caller, 10)} for route in ("a", "b"))
    assert first != second


def test_a_named_consumer_is_never_part_of_a_share() -> None:
    table = share(99)
    assert decide(table, "orders.list", ACME, b"x").stage is Stage.shadow
    assert decide(table, "orders.list", BOLT, b"x").stage is Stage.live
    assert table.stages_of("orders.list") == {Stage.shadow, Stage.canary, Stage.live}


def test_a_share_is_kept_in_the_file() -> None:
    assert StageTable.from_json(share(12.5).to_json()) == share(12.5)
