"""How often somebody may try to sign in."""

from __future__ import annotations

from api_gateway.limits.attempts import WINDOW_SECONDS, Attempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_sixth_attempt_on_one_account_from_one_address_waits_for_the_first_to_be_forgotten() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    assert [attempts.begin("mira", "10.0.0.1") for _ in range(5)] == [0] * 5
    clock.now += 100
    assert attempts.begin("mira", "10.0.0.1") == WINDOW_SECONDS - 100
    clock.now += WINDOW_SECONDS - 100
    assert attempts.begin("mira", "10.0.0.1") == 0


def test_a_refused_attempt_does_not_make_the_wait_longer() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(50):
        attempts.begin("mira", "10.0.0.1")
    clock.now += WINDOW_SECONDS
    assert attempts.begin("mira", "10.0.0.1") == 0


def test_a_stranger_at_another_address_does_not_lock_the_operator_out() -> None:
    attempts = Attempts(Clock())
    for _ in range(50):
        attempts.begin("mira", "203.0.113.9")
    assert attempts.begin("mira", "10.0.0.1") == 0


def test_one_address_cannot_try_many_names() -> None:
    attempts = Attempts(Clock())
    assert sum(attempts.begin(f"name{n}", "203.0.113.9") == 0 for n in range(100)) == 20


def test_many_addresses_cannot_try_one_name_without_end() -> None:
    attempts = Attempts(Clock())
    assert sum(attempts.begin("mira", f"203.0.113.{n}") == 0 for n in range(200)) == 60


def test_signing_in_takes_back_what_was_counted_against_the_pair() -> None:
    attempts = Attempts(Clock())
    for _ in range(4):
        attempts.begin("mira", "10.0.0.1")
    attempts.succeeded("mira", "10.0.0.1")
    assert [attempts.begin("mira", "10.0.0.1") for _ in range(5)] == [0] * 5


def test_memory_is_bounded_however_many_names_are_tried() -> None:
    attempts = Attempts(Clock(), size=50)
    for number in range(1000):
        attempts.begin(f"name{number}", f"203.0.{number // 250}.{number % 250}")
    assert len(attempts) <= 50
