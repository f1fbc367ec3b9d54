"""Everything this program can report: a closed list. `logging` interprets it, and the type checker refuses a gap there.

Whoever has something to say constructs one of these and hands it to `logging.report`; nothing else logs or counts. No
event carries a query string, a token, a body or PostgreSQL's own text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessStarted:
    """A process of this installation is ready. `where`: the address it listens on, empty when it listens on none."""

    kind: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class ProcessStopped:
    kind: str


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """A process that this one supervises ended, or was ended because it hung, and what happens next."""

    name: str
    code: int | None
    next: str


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """What a process does every few seconds failed this time; it is tried again. `error`: the exception's class."""

    task: str
    error: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request was answered by us. `path` is the path alone; `code` that of the problem document, None for success."""

    request_id: str
    method: str
    path: str
    status: int
    duration_ms: float
    route: str | None = None
    consumer: str | None = None
    stage: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class RequestDeclined:
    """A request was left to the legacy app. `failed`: because modern could not answer, not because of its stage."""

    request_id: str
    method: str
    path: str
    route: str | None
    consumer: str | None
    stage: str
    why: str
    duration_ms: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A defect of ours while answering. `place`: file and line of the innermost frame; `error`: its class."""

    request_id: str
    method: str
    path: str
    error: str
    place: str
    route: str | None = None


@dataclass(frozen=True, slots=True)
class RequestTooExpensive:
    """A list was refused for its plan's cost. An index of `columns`, in `scanned`, would help. No values are in it."""

    request_id: str
    path: str
    cost: float
    ceiling: float
    scanned: str
    columns: str


@dataclass(frozen=True, slots=True)
class StageMoved:
    """A move was written to the ledger by this process."""

    version: int
    route: str
    consumer: str | None
    from_stage: str
    to_stage: str
    kind: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class RollbackHeldBack:
    """A threshold was crossed while it is frozen what moves by itself.

    threshold  errors, latency, mismatches, check
    """

    route: str
    consumer: str | None
    threshold: str
    why: str


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """Somebody was told that a route went back by itself. `by`: webhook, mail."""

    route: str
    by: str


@dataclass(frozen=True, slots=True)
class StagesTaken:
    """This process acts on these versions from now on. `source`: `database`, or the `file` of the last known stages."""

    version: int
    register_version: int
    source: str


@dataclass(frozen=True, slots=True)
class StagesRefused:
    """This process could not take a version over, and goes on with the one before. It tries again."""

    version: int
    error: str


@dataclass(frozen=True, slots=True)
class StagesNotKept:
    """The file of the last known stages could not be written: a start without the database would use older ones."""

    error: str


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """`error` is the exception's class, such as `OperationalError`."""

    error: str


@dataclass(frozen=True, slots=True)
class DatabaseBack:
    away_s: float


@dataclass(frozen=True, slots=True)
class TakenOut:
    """The database's schema has changed under this resource, operation or route. `why`: tables and columns."""

    subject: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class BackInService:
    """The schema fits this resource, operation or route again."""

    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class SchemaNotSeen:
    """The live schema could not be looked at, or an outage not be written down; it is tried again. `error`: a class."""

    error: str


@dataclass(frozen=True, slots=True)
class EdgeTableWritten:
    """The edge's route table was replaced. `routes`: how many routes stand in it."""

    version: int
    routes: int


@dataclass(frozen=True, slots=True)
class EdgeTableRefused:
    """A route table was not taken; the last good one stays, or everything goes to legacy when there is none."""

    reason: str


@dataclass(frozen=True, slots=True)
class ComparisonRecorded:
    route: str
    consumer: str | None
    verdict: str
    shape: str
    control_ms: float | None = None
    candidate_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ExchangeSkipped:
    """An exchange was not compared, and counts for nothing. `count`: how many since the last report of this kind."""

    route: str
    why: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class WriteReverted:
    """Somebody else has put back what the API had written. `journal`: the write's entry; `columns`: which of them."""

    journal: int
    table: str
    columns: str
    principal: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class ConsumerChanged:
    """What happened to a consumer: `added`, `key created`, `credential added`, `revoked`."""

    consumer: str
    what: str


@dataclass(frozen=True, slots=True)
class ConsoleSignedIn:
    username: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class JobHandled:
    """Somebody did something about a job in the console. `what`: `retried`, `cancelled`."""

    username: str
    job: int
    what: str


@dataclass(frozen=True, slots=True)
class AccountSignedIn:
    """A legacy user signed in at the API. `account`: source and id; `by`: `password`, `legacy session`."""

    account: str
    by: str


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """Somebody did not sign in. The name is not told: people type their password there."""

    source: str
    by: str


@dataclass(frozen=True, slots=True)
class AccountSignedOut:
    """`why`: `signed out`; or `ended`, because the account, its password or its legacy session is not what it was."""

    account: str
    why: str


@dataclass(frozen=True, slots=True)
class RefreshTokenReused:
    """A refresh token came a second time: somebody else has it too. All of that sign-in has ended."""

    account: str


@dataclass(frozen=True, slots=True)
class SessionsNotRead:
    """The cookies of this source of accounts mean nothing to this process. `why`: what is missing."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class LegacyNotAsked:
    """The legacy app did not tell who is signed in, so the request was refused. `error`: a class, or a status."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class IssuerNotReached:
    """An issuer's keys could not be fetched; those that are known serve for a day. `error`: the exception's class."""

    issuer: str
    error: str


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A run of a job is over. `outcome`: succeeded, failed, refused (by the task itself), cancelled, put back.

    kind      of a failure: exception, deadline, exited (its process ended), unavailable
    error     the exception's class, or the code of the problem that the task raised; `place`: file and line
    again_in  seconds until the next try, None for none
    """

    job: int
    task: str
    outcome: str
    duration_ms: float
    run: int
    kind: str | None = None
    error: str | None = None
    place: str | None = None
    again_in: float | None = None


@dataclass(frozen=True, slots=True)
class JobTakenUp:
    """A job whose worker died. `again`: it waits for the next one; else it was given up, or had been cancelled."""

    job: int
    task: str
    again: bool


Event = (
    ProcessStarted
    | ProcessStopped
    | ChildEnded
    | TaskFailed
    | RequestAnswered
    | RequestDeclined
    | RequestFailed
    | RequestTooExpensive
    | StageMoved
    | RollbackHeldBack
    | NoticeSent
    | StagesTaken
    | StagesRefused
    | StagesNotKept
    | DatabaseLost
    | DatabaseBack
    | TakenOut
    | BackInService
    | SchemaNotSeen
    | EdgeTableWritten
    | EdgeTableRefused
    | ComparisonRecorded
    | ExchangeSkipped
    | WriteReverted
    | ConsumerChanged
    | ConsoleSignedIn
    | JobHandled
    | AccountSignedIn
    | AccountRefused
    | AccountSignedOut
    | RefreshTokenReused
    | SessionsNotRead
    | LegacyNotAsked
    | IssuerNotReached
    | JobFinished
    | JobTakenUp
)
