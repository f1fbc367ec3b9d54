"""Version 1: a person has a name. It ends in a year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import Field

from api_gateway.api.documents import Answers
from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from shared_models.contract import Children, Column, Deprecated, Joined, Key, Resource, Rows, principal

deprecated = Deprecated(since=date(2026, 9, 1), sunset=date(2027, 9, 1), link="https://example.org/moving-to-v2")

EVERY = ("list", "get", "create", "update", "upsert", "delete")


class Visit(
    Resource,
    table="visit",
    path="visits",
    rows=Rows.all(),
    deprecated=Deprecated(since=datetime(2026, 6, 1, 12, tzinfo=UTC), sunset=date(2027, 1, 1)),
):
    number: Annotated[int, Key("visit_no")]
    person: Annotated[int, Column("pers_no")]
    on_day: Annotated[date, Column("on_day")]


class Person(
    Resource,
    table="person",
    path="people",
    rows=Rows.where(owner=principal.code),
    verbs=EVERY,
    natural_key="email",
    on_write={"upd_by": principal.code},
):
    """Somebody."""

    number: Annotated[int, Key("pers_no")]
    name: Annotated[str, Joined("frst_nm", "lst_nm", separator=" ", write=True), Field(description="First, last.")]
    email: Annotated[str | None, Column("e_mail", write=True)]
    visits: Annotated[list[Visit], Children(on="pers_no")] = Field(default_factory=list)


@operation("people/{number}/twin", scope="people:write", status=201, answer=Person)
async def twin(number: int, tx: Write, answers: Answers) -> object:
    """Answers with the person itself: enough to see whose document it is."""
    return await answers.created(tx, Person, number)


operations = [twin]
