"""How many database connections each part of an installation holds at most, beside what the settings say.

One place, because `banyan doctor` adds them up before anything of it runs.
"""

from __future__ import annotations

ACCOUNTS = 2  # of a gateway, as banyan_owner, where accounts of the legacy app are let in
CONSOLE = 2  # of the worker, which serves the console
RUNNER = 3  # of each process that runs jobs
CANDIDATES = 2  # processes of the observer
CANDIDATE = 2  # of each of them
SCHEMA_WATCH = 1  # of the observer: the pool that asks, beside the connection that looks
WATCHERS = 2  # of a gateway, worker, observer: it listens to the ledger, and counts into tables
GUARD = 1  # of a gateway and the observer: it looks whether a stage is to go back
ROUNDS = 2  # of the worker: for the steps of plans, and for the checks of the project's own
KEPT = 2  # of the observer: recordings, and the inventory of what is not listed
EDGE = 1


def worker(job_concurrency: int) -> int:
    """Its own pool, the one of the job queue, those of its runners, the console, and what it listens on."""
    return (
        own_pool(job_concurrency) + queue_pool(job_concurrency) + job_concurrency * RUNNER + CONSOLE + WATCHERS + ROUNDS
    )


def own_pool(job_concurrency: int) -> int:
    return job_concurrency + 1


def queue_pool(job_concurrency: int) -> int:
    return job_concurrency + 2


def observer() -> int:
    return CANDIDATES * CANDIDATE + SCHEMA_WATCH + 1 + WATCHERS + GUARD + KEPT
