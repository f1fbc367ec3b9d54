"""Rate limits: a bucket per caller, shared by processes, in bounded memory."""

from __future__ import annotations

from api_gateway.limits import Limits, Meter, client_address


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(meter: Meter, times: int, *, quota: int = 60, shared_by: int = 1, now: float = 0.0) -> int:
    """How many of so many requests at once are let through."""
    return sum(meter.take("acme", quota, shared_by, now).wait == 0 for _ in range(times))


def test_a_quiet_caller_may_ask_for_the_whole_quota_at_once_and_for_no_more() -> None:
    assert taken(Meter(), 100) == 60


def test_what_was_used_comes_back_evenly() -> None:
    meter = Meter()
    assert taken(meter, 60) == 60
    assert taken(meter, 10, now=0.9) == 0
    assert taken(meter, 10, now=3.0) == 3
    assert taken(meter, 100, now=63.0) == 60


def test_a_refused_request_is_told_when_the_next_one_will_be_allowed() -> None:
    meter = Meter()
    taken(meter, 6, quota=6)
    refused = meter.take("acme", 6, 1, 0.0)
    assert (refused.left, refused.wait, refused.full) == (0, 10, 60)
    assert meter.take("acme", 6, 1, 9.9).wait == 1
    assert meter.take("acme", 6, 1, 10.0).wait == 0


def test_refusing_costs_the_caller_nothing_more() -> None:
    meter = Meter()
    taken(meter, 60)
    taken(meter, 1000)
    assert taken(meter, 10, now=1.0) == 1


def test_what_is_left_and_when_all_is_back() -> None:
    meter = Meter()
    first = meter.take("acme", 60, 1, 0.0)
    assert (first.quota, first.left, first.full) == (60, 59, 1)
    for _ in range(29):
        last = meter.take("acme", 60, 1, 0.0)
    assert (last.left, last.full) == (30, 30)


def test_processes_share_a_quota() -> None:
    assert taken(Meter(), 100, shared_by=4) == 15
    assert Meter().take("acme", 60, 4, 0.0).left == 56


def test_a_process_that_joins_or_leaves_changes_what_the_others_let_through() -> None:
    meter = Meter()
    taken(meter, 60)
    assert taken(meter, 10, shared_by=2, now=4.0) == 2
    assert taken(meter, 10, shared_by=1, now=8.0) == 4


def test_a_quota_smaller_than_the_number_of_processes_still_lets_one_through() -> None:
    meter = Meter()
    assert taken(meter, 5, quota=1, shared_by=4) == 1
    assert taken(meter, 5, quota=1, shared_by=4, now=239.0) == 0
    assert taken(meter, 5, quota=1, shared_by=4, now=240.0) == 1


def test_callers_do_not_share_a_bucket() -> None:
    meter = Meter()
    taken(meter, 60)
    assert meter.take("bolt", 60, 1, 0.0).wait == 0


def test_memory_is_bounded_and_the_one_not_seen_for_longest_is_forgotten() -> None:
    meter = Meter(most=2)
    taken(meter, 60)
    meter.take("bolt", 60, 1, 0.0)
    meter.take("acme", 60, 1, 0.0)  # refused: that is no use of it
    meter.take("carl", 60, 1, 0.0)
    meter.take("dora", 60, 1, 0.0)
    assert len(meter) == 2
    assert taken(meter, 100) == 60


def test_a_consumers_own_limit_goes_before_the_projects_and_zero_is_none() -> None:
    clock = Clock()
    limits = Limits(100, 10, clock=clock)
    project, own, address = limits.of_consumer("a", None), limits.of_consumer("b", 7), limits.of_address("10.0.0.1")
    assert [found.quota for found in (project, own, address) if found] == [100, 7, 10]
    assert limits.of_consumer("c", 0) is None
    assert Limits(0, 0).of_consumer("a", None) is None
    assert Limits(0, 0).of_address("10.0.0.1") is None


def test_an_address_is_the_one_that_the_edge_saw() -> None:
    assert client_address(b"1.1.1.1, 10.0.0.9", "127.0.0.1", 0) == "10.0.0.9"
    assert client_address(b"6.6.6.6, 1.1.1.1, 10.0.0.9", "127.0.0.1", 1) == "1.1.1.1"
    assert client_address(None, "127.0.0.1", 0) == "127.0.0.1"
    assert client_address(b"10.0.0.9", "127.0.0.1", 3) == "10.0.0.9"
    assert client_address(b"nonsense", "127.0.0.1", 0) == "127.0.0.1"


def test_a_subscriber_of_ipv6_has_one_bucket_for_all_its_addresses() -> None:
    one, other = (client_address(a, "", 0) for a in (b"2001:db8:1:2::1", b"2001:db8:1:2:ffff::9"))
    assert one == other == "2001:0db8:0001:0002"
    assert client_address(b"::ffff:10.0.0.9", "", 0) == "10.0.0.9"
