"""Version 2: a name has two parts, an e-mail is an address. Visits are as they were; v2 has a scope of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared_models.contract import Children, Column, Key, Resource, Rows, principal

from .contract import EVERY, Visit, twin


class Person(
    Resource,
    table="person",
    path="people",
    scope="people.v2:read",
    write_scope="people.v2:write",
    rows=Rows.where(owner=principal.code),
    verbs=EVERY,
    natural_key="address",
    on_write={"upd_by": principal.code},
):
    """Somebody."""

    number: Annotated[int, Key("pers_no")]
    first_name: Annotated[str | None, Column("frst_nm", write=True)]
    last_name: Annotated[str, Column("lst_nm", write=True)]
    address: Annotated[str | None, Column("e_mail", write=True)]
    changed_by: Annotated[str, Column("upd_by")]
    visits: Annotated[list[Visit], Children(on="pers_no")] = Field(default_factory=list)


operations = [twin]
