"""A call of a resource, and who answers it: the words between the junction and the handlers that plug into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.types import Receive, Scope, Send

from api_gateway.api.authentication import principal_of
from api_gateway.consumers import Principal
from shared_models.contract import Verb
from shared_models.resources import BoundResource

Place = Literal["collection", "item", "aggregate", "export"]
"""`/orders`, `/orders/4711`, `/orders:aggregate`, `/orders:export`."""
Whole = Literal["aggregate", "export"]
"""What is asked of a list as a whole, behind a colon: no path of a resource holds one, and a key stands behind a slash,
so that none of them can be in another's way."""


@dataclass(slots=True)
class Call:
    """One request of a resource. `path`: `/api/v1/orders`; `key`: what stands behind it, percent-encoded.

    whole   it is the list as a whole that is asked for; `path` is without this word
    """

    resource: BoundResource
    path: str
    key: bytes | None
    scope: Scope
    receive: Receive
    whole: Whole | None = None
    _headers: dict[bytes, bytes] | None = None

    @property
    def place(self) -> Place:
        if self.whole is not None:
            return self.whole
        return "collection" if self.key is None else "item"

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def query(self) -> bytes:
        return bytes(self.scope["query_string"])

    @property
    def principal(self) -> Principal:
        """Raises Problem 401."""
        return principal_of(self.scope)

    def header(self, name: bytes) -> str | None:
        """Every value of this header (in lower case), joined as RFC 9110 allows; None: not sent."""
        if self._headers is None:
            self._headers = {}
            for key, value in self.scope["headers"]:
                self._headers[key] = b",".join([self._headers[key], value]) if key in self._headers else value
        found = self._headers.get(name)
        return found.decode("latin-1") if found is not None else None


def wholes(resource: BoundResource) -> tuple[Whole, ...]:
    """What can be asked of this resource's list as a whole."""
    if "list" not in resource.verbs:
        return ()
    return ("export",) if resource.aggregates is None else ("aggregate", "export")


Handler = Callable[[Call, Send], Awaitable[None]]
"""Answers a call, or raises Problem or DatabaseFault before it has sent anything."""


@dataclass(frozen=True, slots=True)
class Method:
    """`POST` on a collection, where the resource's contract lists the verb. GET answers HEAD too."""

    name: str
    place: Place
    verb: Verb
    handler: Handler


@dataclass(frozen=True, slots=True)
class Format:
    """A collection under another media type than JSON."""

    media: str
    handler: Handler
