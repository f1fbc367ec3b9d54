"""The steps of a write inside its transaction: lock the row, write it, journal it, and read it again if need be."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api_gateway.api.answer import tagged
from api_gateway.api.calls import Call
from api_gateway.api.conflicts import RefusedRow, lost_parents, outside_rows
from api_gateway.api.incoming import Given, Texts
from api_gateway.api.journal import keep
from api_gateway.api.problems import out_of_service
from api_gateway.api.select import Statements
from api_gateway.api.shapes import GetShape, Included
from api_gateway.api.write_shapes import Brought, DeleteShape, InsertShape, LockShape, UpdateShape, WriteShape
from api_gateway.api.write_statements import WriteStatements
from shared_models.database import Cells, WriteTransaction
from shared_models.faults import BadValue, ConstraintViolated
from shared_models.resources import BoundResource, Resources

Values = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Written:
    """A row as the principal sees it now: its document and tag, and its key as PostgreSQL's text."""

    document: bytes
    tag: bytes
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Locked:
    """The row as it is. `image`: its columns as the journal keeps them."""

    document: bytes
    image: dict[str, str | None]
    key: tuple[str, ...]


class Writer:
    """One call's writes. Statements come from the two registers, values of the principal from the call."""

    def __init__(self, call: Call, resources: Resources, reading: Statements, writing: WriteStatements) -> None:
        self._call, self._resources, self._reading, self._writing = call, resources, reading, writing
        self._resource: BoundResource = call.resource
        self._path, self._kind = str(call.resource.path), call.principal.kind
        self._operation = f"{call.method} {self._path}"

    async def lock(self, tx: WriteTransaction, key: Values, *, natural: bool = False) -> Locked | None:
        """The row that nobody else changes from here on; None: there is none that the principal sees."""
        rows = await self._run(tx, LockShape(self._path, self._kind, natural), key)
        if not rows:
            return None
        document, image, *keys = [cell or b"" for cell in rows[0]]
        return Locked(document, json.loads(image), tuple(part.decode() for part in keys))

    async def insert(self, tx: WriteTransaction, given: Given, at: str = "") -> Written:
        """Raises RefusedRow, and Problem for a row that would not be the principal's."""
        self._refuse_unseen(given.texts)
        fields = tuple(name for name in self._resource.fields if name in given.texts)
        values: Values = {f"w{n}": given.texts[name] for n, name in enumerate(fields)}
        brought: list[Brought] = []
        for link, rows in given.brought.items():
            for names, texts in _by_fields(self._resources.of(self._resource.links[link].target), rows):
                values[f"c{len(brought)}"] = json.dumps([[row[name] for name in names] for row in texts])
                brought.append(Brought(link, names))
        shape = InsertShape(self._path, self._kind, fields, tuple(brought), not tx.is_another_role)
        try:
            rows_ = await self._run(tx, shape, values)
        except (ConstraintViolated, BadValue) as cause:
            raise RefusedRow(cause, given.texts, at) from None
        return await self._now(tx, shape, rows_, tuple(given.brought), at, "insert", None)

    async def update(self, tx: WriteTransaction, locked: Locked, given: Given, *, removal: bool = False) -> Written:
        """As `insert`, for a row that is locked."""
        self._refuse_unseen((*given.texts, *given.reset))
        fields = tuple(name for name in self._resource.fields if name in given.texts)
        written = [self._resource.fields[name] for name in (*fields, *given.reset)]
        columns = [column.name for field in written for column in field.columns]
        if removal and self._resource.soft_delete is not None:
            columns = [self._resource.soft_delete[0]]
        before = {name: locked.image[name] for name in columns if name in locked.image}
        values: Values = {f"w{n}": given.texts[name] for n, name in enumerate(fields)}
        values |= {f"k{n}": part for n, part in enumerate(locked.key)}
        values["before"] = json.dumps(before)
        shape = UpdateShape(self._path, self._kind, fields, given.reset, removal, not tx.is_another_role)
        try:
            rows = await self._run(tx, shape, values)
        except (ConstraintViolated, BadValue) as cause:
            raise RefusedRow(cause, given.texts, "") from None
        if removal:
            tx.id = (rows[0][0] or b"").decode()
            await self._keep(tx, shape.journal, "update", rows[0][3], locked.key, before)
            return Written(locked.document, b"", locked.key)
        return await self._now(tx, shape, rows, (), "", "update", before)

    def _refuse_unseen(self, names: Iterable[str]) -> None:
        """Raises Problem 503 for a row that would lead to a parent of which nobody can say now whether it is seen."""
        columns = {self._resource.fields[name].column.name for name in names}
        if any(columns & lost.columns for lost in self._resource.lost.values() if not lost.is_open):
            raise out_of_service()

    async def delete(self, tx: WriteTransaction, key: Values) -> Locked | None:
        """The row as it was; None: there was none that the principal sees."""
        shape = DeleteShape(self._path, self._kind, not tx.is_another_role)
        try:
            rows = await self._run(tx, shape, key)
        except ConstraintViolated as cause:
            raise RefusedRow(cause, {}, "") from None
        if not rows:
            return None
        transaction, document, image, *keys = rows[0]
        tx.id = (transaction or b"").decode()
        stored = tuple((part or b"").decode() for part in keys)
        before = json.loads(image) if image is not None else {}
        await self._keep(tx, shape.journal, "delete", None, stored, before)
        return Locked(document or b"", before, stored)

    async def _now(
        self,
        tx: WriteTransaction,
        shape: InsertShape | UpdateShape,
        rows: list[Cells],
        included: tuple[str, ...],
        at: str,
        verb: str,
        before: Values | None,
    ) -> Written:
        """What the write made of the row; refused where it is not the principal's, or leads to what is not there."""
        if not rows:  # a trigger of the legacy schema has swallowed it
            raise outside_rows(at)
        transaction, inside, lost, image, document, children, *keys = rows[0]
        tx.id = (transaction or b"").decode()
        if lost:
            raise lost_parents(self._resource, lost.decode().split(","), at)
        if inside != b"true":
            raise outside_rows(at)
        key = tuple((part or b"").decode() for part in keys)
        await self._keep(tx, shape.journal, verb, image, key, before)
        seen = GetShape(self._path, self._kind, (), tuple(Included(name) for name in sorted(included)))
        if document is None:
            cells = await self._read(tx, seen, key, at)
        else:
            cells = [document, children] if included else [document]
        return Written(*tagged(cells, seen), key)

    async def _read(self, tx: WriteTransaction, shape: GetShape, key: tuple[str, ...], at: str) -> Cells:
        statement = self._reading.of(shape)
        values: Values = {f"k{n}": part for n, part in enumerate(key)}
        values |= {name: place.text(self._call.principal) for name, place in statement.places.items()}
        rows = await tx.fetch(statement.prepared, values)
        if not rows:
            raise outside_rows(at)
        return rows[0]

    async def _run(self, tx: WriteTransaction, shape: WriteShape, values: Values) -> list[Cells]:
        principal = self._call.principal
        statement = self._writing.of(shape)
        texts: dict[str, Any] = {name: place.text(principal) for name, place in statement.places.items()}
        kept = {
            "j_principal": f"{principal.kind}:{principal.code}",
            "j_operation": self._operation,
            "j_request": self._call.scope["state"].get("request_id"),
        }
        return await tx.fetch(statement.prepared, {"before": None, **values, **texts, **kept})

    async def _keep(
        self,
        tx: WriteTransaction,
        is_kept: bool,
        verb: str,
        image: bytes | None,
        key: tuple[str, ...],
        before: Values | None,
    ) -> None:
        """The journal's entry where the statement could not write it: the session's role is not ours."""
        if is_kept:
            return
        names = [field.column.name for field in self._resource.key]
        entry = {
            "principal": f"{self._call.principal.kind}:{self._call.principal.code}",
            "operation": self._operation,
            "request": self._call.scope["state"].get("request_id"),
            "verb": verb,
            "schema": self._resource.table.schema,
            "table": self._resource.table.name,
            "key": dict(zip(names, key, strict=True)),
            "before": before,
            "after": json.loads(image) if image is not None else None,
        }
        await keep(tx, [entry])


def _by_fields(target: BoundResource, rows: list[Texts]) -> list[tuple[tuple[str, ...], list[Texts]]]:
    """Rows that give a value to the same fields go into one INSERT: what is left out gets its default."""
    found: dict[tuple[str, ...], list[Texts]] = {} if rows else {(): []}
    for row in rows:
        found.setdefault(tuple(name for name in target.fields if name in row), []).append(row)
    return list(found.items())
