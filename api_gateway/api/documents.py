"""A resource's document inside a transaction: what an operation answers with after it has written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import Response

from api_gateway.api.answer import tagged
from api_gateway.api.authentication import principal_of
from api_gateway.api.problems import not_found, out_of_service
from api_gateway.api.select import Statements
from api_gateway.api.shapes import GetShape, Included
from api_gateway.consumers import Principal
from shared_models.contract import Resource
from shared_models.database import ReadTransaction
from shared_models.resources import BoundResource, Resources


class Documents:
    """Reads documents as the principal of the request sees them."""

    def __init__(self, resources: Resources, statements: Statements, prefix: str, principal: Principal) -> None:
        self._resources, self._statements, self._prefix, self._principal = resources, statements, prefix, principal

    async def get(self, tx: ReadTransaction, cls: type[Resource], *key: object, include: Iterable[str] = ()) -> bytes:
        """The document as JSON. Raises Problem: 404 when the principal does not see such a row, 503 out of service.

        An operation that several versions serve answers with each version's resource of that name.
        """
        resource = self._resource(cls)
        if not resource.lost.keys().isdisjoint(include):
            raise out_of_service()
        parents_and_children = tuple(Included(name) for name in sorted(include))
        shape = GetShape(str(resource.path), self._principal.kind, (), parents_and_children)
        statement = self._statements.of(shape)
        values: dict[str, str | None] = {f"k{n}": str(part) for n, part in enumerate(key)}
        values |= {name: place.text(self._principal) for name, place in statement.places.items()}
        rows = await tx.fetch(statement.prepared, values)
        if not rows:
            raise not_found()
        return tagged(rows[0], shape)[0]

    async def created(
        self, tx: ReadTransaction, cls: type[Resource], *key: object, include: Iterable[str] = ()
    ) -> Response:
        """201 with the new row's document, and in Location where it is from now on."""
        body = await self.get(tx, cls, *key, include=include)
        location = self.location(self._resource(cls), key)
        return Response(body, 201, {"location": location}, "application/json")

    def _resource(self, cls: type[Resource]) -> BoundResource:
        """Raises Problem 503 for one that is out of service."""
        found = self._resources.same(cls) or self._resources.bound.get(cls)
        if found is None:
            raise out_of_service()
        return found

    def location(self, resource: BoundResource, key: Iterable[object]) -> str:
        return f"{self._prefix}{resource.path}/" + ",".join(quote(str(part), safe="") for part in key)


def documents(request: Request) -> Documents:
    state = request.scope["state"]
    return Documents(state["resources"], state["statements"], state["api_prefix"], principal_of(request.scope))


Answers = Annotated[Documents, Depends(documents)]
"""A parameter of a handler: answers with documents of resources."""
