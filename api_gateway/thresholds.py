"""How much is enough to let modern answer, and how much is too much: of `banyan.toml`, and of single routes.

A route names only what it wants otherwise: `Route(…, rollback=Rollback(errors=0.01))`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Rollback(BaseModel):
    """When a place goes back by itself, to the stage where legacy answered last.

    volume      calls that there must be; where fewer come, it is looked back as far as a day for them
    window      seconds that are looked at
    errors      share of calls that may fail, beyond what fails in legacy itself
    slower      times as long as legacy that modern may take, on the geometric mean; 0: any
    slower_by   milliseconds that modern may take longer than legacy in any case
    mismatches  of live comparisons that may be believed
    doubt       how likely a rollback may be whose candidate fails no oftener than it may
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    volume: int = Field(5, ge=1)
    window: float = Field(60.0, ge=1, le=3600)
    errors: float = Field(0.05, gt=0, lt=1)
    slower: float = Field(3.0, ge=0)
    slower_by: float = Field(50.0, ge=0)
    mismatches: int = Field(0, ge=0)
    doubt: float = Field(0.001, gt=0, lt=0.5)

    def but(self, own: Rollback | None) -> Rollback:
        """With what a route says of its own."""
        return self if own is None else self.model_copy(update=own.model_dump(exclude_unset=True))


class Gate(BaseModel):
    """What a move forward to canary and beyond asks for. A number of 0 asks for nothing.

    comparisons           of live requests; `comparisons_verified` where `verify` has proved the candidate before
    shapes, outcomes      kinds of requests and of legacy's answers among those, and among what verify covered
    mismatches            live comparisons, and requests of verify, that may differ
    verified, wrote       requests that verify has put to both sides; of a write, those that left rows behind
    verified_shapes, verified_outcomes  kinds among those
    differs               the greatest share of answers that may still differ, unseen, at 95 % certainty (0.01: 1 %)
    canary_calls          calls that modern has answered at canary, before live
    slower, slower_by     times as long as legacy, and milliseconds longer, that the candidate may take
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    comparisons: int = Field(20, ge=0)
    comparisons_verified: int = Field(5, ge=0)
    shapes: int = Field(3, ge=0)
    outcomes: int = Field(0, ge=0)
    mismatches: int = Field(0, ge=0)
    verified: int = Field(200, ge=0)
    wrote: int = Field(20, ge=0)
    verified_shapes: int = Field(0, ge=0)
    verified_outcomes: int = Field(0, ge=0)
    differs: float = Field(0.0, ge=0, lt=1)
    canary_calls: int = Field(0, ge=0)
    slower: float = Field(3.0, ge=0)
    slower_by: float = Field(50.0, ge=0)

    def but(self, own: Gate | None) -> Gate:
        """With what a route says of its own."""
        return self if own is None else self.model_copy(update=own.model_dump(exclude_unset=True))


class Check(BaseModel):
    """A question of the project's own, asked every so often while modern answers: one of `sql` and `url`.

    sql      its one value is true where all is well, false where it is not; null or an error says nothing
    url      2xx: all is well; any other status: it is not; no answer says nothing
    routes   that go back, and are kept from moving on, when it is broken; none named: all of them
    every    seconds
    times    in a row that it must be broken before anything goes back
    dry_run  its answers are shown, and nothing follows from them
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str | None = None
    url: str | None = Field(None, pattern=r"^https?://")
    routes: tuple[str, ...] = ()
    every: float = Field(30.0, ge=0.1)
    times: int = Field(2, ge=1)
    timeout: float = Field(5.0, gt=0, le=60)
    dry_run: bool = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Check:
        if (self.sql is None) is (self.url is None):
            raise ValueError("a check has one of sql and url")
        return self

    def is_about(self, route: str) -> bool:
        return not self.routes or route in self.routes
