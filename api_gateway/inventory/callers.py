"""Who called, named so that it may be printed and stored: never by a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from api_gateway.consumers import Register, identify
from api_gateway.consumers.identify import api_keys
from api_gateway.inventory.calls import Call, Headers, is_secret, plain
from api_gateway.inventory.segments import kind_of
from api_gateway.routes import Route

REMEMBERED = 20_000  # tokens whose owner is remembered, by a hash that ends with this process


class Callers:
    """Consumers by their code where the register knows the token; else `token 1`, `user bob`, an address."""

    def __init__(self, register: Register | None = None) -> None:
        self._register = register or Register()
        self._labels: dict[int, str] = {}
        self._unknown = 0

    def of(self, call: Call, pairs: Iterable[tuple[str, str]], routes: Iterable[Route]) -> str:
        """`pairs`: the query's; `routes`: those listed that the call may belong to."""
        known = self._listed(call, routes)
        if known is not None:
            return known
        named = self._by_head(call.headers) if call.headers else None
        if named is not None:
            return named
        for name, value in pairs:
            if value and is_secret(name):
                return self._by_token(value)
        return self._user(call.user) if call.user else call.address

    def _listed(self, call: Call, routes: Iterable[Route]) -> str | None:
        path, _, query = call.target.partition("?")
        for route in routes:
            found = identify(
                self._register,
                route,
                headers=call.headers,
                path=path.encode("latin-1", "replace"),
                query=query.encode("latin-1", "replace"),
            )
            if found.consumer is not None:
                return found.consumer
        return None

    def _by_head(self, headers: Headers) -> str | None:
        """An API key, or basic authentication, of whose user and password only the user is a name."""
        for key in api_keys(headers):
            consumer = self._register.by_key(key)
            return consumer.code if consumer is not None else self._by_token(key.decode("latin-1"))
        for name, value in headers:
            scheme, _, rest = value.partition(b" ")
            if name == b"authorization" and scheme.lower() == b"basic":
                try:
                    pair = base64.b64decode(rest.strip(), validate=True)
                except binascii.Error:
                    return None
                consumer = self._register.by_credential("basic", pair)
                return consumer.code if consumer is not None else self._user(pair.partition(b":")[0].decode("latin-1"))
        return None

    def _user(self, given: str) -> str:
        user = _as_utf8(given)
        if kind_of(user) in ("token", "hex", "uuid", "text"):
            return self._by_token(user)
        return f"user {user[:60]}"

    def _by_token(self, value: str) -> str:
        """The numbers are given in the order in which unknown tokens come."""
        mark = hash(value)
        label = self._labels.get(mark)
        if label is None:
            consumer = self._register.by_credential("query", plain(value))
            if consumer is None and len(self._labels) >= REMEMBERED:
                return "other tokens"
            if consumer is None:
                self._unknown += 1
            label = consumer.code if consumer is not None else f"token {self._unknown}"
            self._labels[mark] = label
        return label


def stored(label: str) -> str:
    """As it may be kept for long: the numbers of unknown tokens end with this process, an address loses its end."""
    return "unknown token" if label.startswith(("token ", "other tokens")) else network_of(label)


def network_of(label: str) -> str:
    """An address without its last part, as it may be stored for long: `192.0.2.0/24`, `2001:db8:1::/48`."""
    if "." in label and label.replace(".", "").isdigit():
        return label.rpartition(".")[0] + ".0/24"
    if label.count(":") >= 2:
        parts = label.split(":")
        return ":".join(part or "0" for part in parts[:3]) + "::/48"
    return label


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
