"""Writing a resource: request → lock, write, journal in one transaction → commit → answer.

POST /orders             create one (201), or several as an array: all of them or none
PATCH /orders/4711       merge patch (RFC 7396)
PUT /orders/4711         replace, or create under a key that the caller chooses; also /orders/by-reference/A-1
DELETE /orders/4711      or mark as deleted, where the contract says so
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Send

from api_gateway.api import idempotency
from api_gateway.api.authentication import require_scope
from api_gateway.api.bad_values import can_be_key
from api_gateway.api.bodies import exact_json, read_body
from api_gateway.api.calls import Call, Method
from api_gateway.api.conflicts import RefusedRow, refused
from api_gateway.api.incoming import Faults, Given, changes, new_row, whole
from api_gateway.api.performing import Work, performed
from api_gateway.api.problems import bad_request, invalid_body, not_found, unsupported_media_type
from api_gateway.api.query import decoded_text
from api_gateway.api.select import Statements
from api_gateway.api.wishes import Wishes, wishes_of
from api_gateway.api.write_answers import changed, created, listed, removed, together
from api_gateway.api.write_statements import WriteStatements
from api_gateway.api.written import Locked, Values, Writer, Written
from api_gateway.errors import FieldError, Problem
from shared_models.database import WriteTransaction
from shared_models.faults import BadValue, ConstraintViolated, SerializationFailure
from shared_models.resources import BoundResource, Field, Resources

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


class WriteRoute:
    """The writing methods of every resource that has a verb for them."""

    def __init__(self, resources: Resources, reading: Statements) -> None:
        self._resources, self._reading, self._writing = resources, reading, WriteStatements(resources)

    @property
    def methods(self) -> tuple[Method, ...]:
        return (
            Method("POST", "collection", "create", self.create),
            Method("PATCH", "item", "update", self.update),
            Method("PUT", "item", "upsert", self.upsert),
            Method("DELETE", "item", "delete", self.delete),
        )

    async def create(self, call: Call, send: Send) -> None:
        wishes, body = await self._asked(call, JSON)
        document = exact_json(body)
        is_bulk = isinstance(document, list)
        rows = document if is_bulk else [document]
        most = call.resource.writing.max_rows
        if not 1 <= len(rows) <= most:
            raise invalid_body([FieldError("too_many", f"From 1 to {most} rows.", pointer="")])
        faults = Faults()
        given = [
            new_row(call.resource, self._resources, row, call.principal.kind, faults, f"/{n}" if is_bulk else "")
            for n, row in enumerate(rows)
        ]
        faults.raise_if_any()

        async def work(tx: WriteTransaction) -> Response:
            writer = self._writer(call)
            written = [await writer.insert(tx, row, f"/{n}" if is_bulk else "") for n, row in enumerate(given)]
            return listed(written, wishes) if is_bulk else created(call, written[0], wishes)

        await self._perform(call, send, body, wishes, work, given if is_bulk else given[:1])

    async def update(self, call: Call, send: Send) -> None:
        key = _key_values(call, call.resource.key)
        wishes, body = await self._asked(call, MERGE_PATCH, JSON)
        patch = exact_json(body)

        async def work(tx: WriteTransaction) -> Response:
            writer = self._writer(call)
            locked = await writer.lock(tx, key)
            if locked is None:
                raise not_found()
            wishes.check(locked.document)
            faults = Faults()
            given = changes(call.resource, patch, exact_json(locked.document), faults)
            faults.raise_if_any()
            return changed(await _written(writer, tx, locked, given), wishes)

        await self._perform(call, send, body, wishes, work, [], (call.resource.key, key))

    async def upsert(self, call: Call, send: Send) -> None:
        named, is_natural = _named(call)
        key = _key_values(call, named, _natural_prefix(call.resource) if is_natural else b"")
        wishes, body = await self._asked(call, JSON)
        document = exact_json(body)
        attempts = 0

        async def work(tx: WriteTransaction) -> Response:
            nonlocal attempts
            attempts += 1
            writer = self._writer(call)
            locked = await writer.lock(tx, key, natural=is_natural)
            wishes.check(None if locked is None else locked.document)
            faults = Faults()
            if locked is None:
                chosen = {field.name: key[f"k{n}"] for n, field in enumerate(named)}
                kind = call.principal.kind
                given = new_row(call.resource, self._resources, document, kind, faults, key=chosen)
                faults.raise_if_any()
                return created(call, await _first(writer, tx, given, attempts), wishes)
            given = whole(call.resource, document, exact_json(locked.document), faults, named)
            faults.raise_if_any()
            return changed(await _written(writer, tx, locked, given), wishes)

        await self._perform(call, send, body, wishes, work, [], (named, key))

    async def delete(self, call: Call, send: Send) -> None:
        key = _key_values(call, call.resource.key)
        wishes, body = await self._asked(call)

        async def work(tx: WriteTransaction) -> Response:
            writer = self._writer(call)
            is_soft = call.resource.soft_delete is not None
            found = await writer.lock(tx, key) if is_soft else await writer.delete(tx, key)
            if found is None:
                raise not_found()
            wishes.check(found.document)
            if is_soft:
                await writer.update(tx, found, Given(), removal=True)
            return removed(found, wishes)

        await self._perform(call, send, body, wishes, work, [], (call.resource.key, key))

    def _writer(self, call: Call) -> Writer:
        return Writer(call, self._resources, self._reading, self._writing)

    async def _asked(self, call: Call, *media: str) -> tuple[Wishes, bytes]:
        """What is wished, and the body. Raises Problem: 401, 403, 400, 406, 415, 428."""
        require_scope(call.principal, call.resource.writing.scope)
        needs_match = call.resource.writing.if_match and call.method != "POST"
        wishes = wishes_of(call, needs_match=needs_match)
        body = await read_body(call.receive)
        given = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
        if media and given not in media:
            header = "accept-patch" if call.method == "PATCH" else "accept-post"
            raise unsupported_media_type(*media, header=header)
        if not media and body:
            raise bad_request([FieldError("unexpected_body", "DELETE takes no body.", pointer="")])
        return wishes, body

    async def _perform(
        self,
        call: Call,
        send: Send,
        body: bytes,
        wishes: Wishes,
        work: Work,
        given: list[Given],
        key: tuple[tuple[Field, ...], Values] = ((), {}),
    ) -> None:
        """`given`: the rows of the body, for what only the commit refuses; `key`: what the address names the row by."""
        operation = f"{call.method} {call.resource.path}"
        claim = idempotency.claim_of(call.scope, body, call.principal, operation)
        database = call.scope["state"]["write_database"]
        try:
            response = await performed(database, claim, work, is_trial=wishes.is_trial, lazily=True)
        except RefusedRow as row:
            errors = [await refused(call, self._resources, row)]
            if len(given) > 1:
                errors = await self._every_refusal(call, given)
            raise together(errors) from None
        except (ConstraintViolated, BadValue) as cause:  # at the commit, or by a statement of ours
            if isinstance(cause, BadValue) and not await can_be_key(*key, call.scope["state"]["read_database"]):
                raise not_found() from None
            late = RefusedRow(cause, given[0].texts if len(given) == 1 else {})
            raise await refused(call, self._resources, late) from None
        await response(call.scope, call.receive, send)

    async def _every_refusal(self, call: Call, given: list[Given]) -> list[Problem]:
        """Each row tried by itself, all of it rolled back: what the database has against each of them."""
        found: list[RefusedRow] = []

        async def trial(tx: WriteTransaction) -> Response:
            found.clear()
            for n, row in enumerate(given):
                try:
                    async with tx.savepoint():
                        await self._writer(call).insert(tx, row, f"/{n}")
                except RefusedRow as refusal:
                    found.append(refusal)
            tx.doom()
            return Response()

        await performed(call.scope["state"]["write_database"], None, trial)
        return [await refused(call, self._resources, row) for row in found]


async def _written(writer: Writer, tx: WriteTransaction, locked: Locked, given: Given) -> Written | Locked:
    """Nothing to change is nothing written."""
    return await writer.update(tx, locked, given) if given.texts or given.reset else locked


async def _first(writer: Writer, tx: WriteTransaction, given: Given, attempt: int) -> Written:
    """A row that somebody else has created in between is looked for once more; then it is a conflict."""
    try:
        return await writer.insert(tx, given)
    except RefusedRow as row:
        if attempt == 1 and isinstance(row.cause, ConstraintViolated) and row.cause.kind == "unique":
            raise SerializationFailure from None
        raise


def _named(call: Call) -> tuple[tuple[Field, ...], bool]:
    """The fields that the address names the row by, and whether it says so: `by-reference/…`."""
    resource = call.resource
    prefix = _natural_prefix(resource)
    if prefix and (call.key or b"").startswith(prefix):
        return resource.writing.natural_key, True
    return resource.key, False


def _natural_prefix(resource: BoundResource) -> bytes:
    names = ",".join(field.name for field in resource.writing.natural_key)
    return f"by-{names}/".encode() if names else b""


def _key_values(call: Call, named: tuple[Field, ...], prefix: bytes = b"") -> Values:
    """Raises Problem 404 for a key that cannot be one."""
    parts = [decoded_text(part) for part in (call.key or b"").removeprefix(prefix).split(b",")]
    if len(parts) != len(named):
        raise not_found()
    values: Values = {}
    for n, (field, text) in enumerate(zip(named, parts, strict=True)):
        try:
            values[f"k{n}"] = field.value.parse(text or "")
        except ValueError:
            raise not_found() from None
    return values
