"""The register: every consumer and the hashes of what they are known by, in memory, as one immutable value."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

Kind = Literal["consumer", "account", "staff"]
"""Of whoever acts: a program, a user of the legacy app, one of us."""

CredentialKind = Literal["api_key", "query", "form", "header", "basic", "path", "certificate"]


def secret_hash(secret: str | bytes) -> str:
    """What is kept of a secret: the sha256 of its UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape") if isinstance(secret, str) else secret).hexdigest()


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request acts. `values` scope rows: `Rows.where(src_cd=principal.value("source"))`."""

    kind: Kind
    code: str
    scopes: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    per_minute: int | None = None
    is_trial: bool = False
    """Everything that it writes is checked and answered, and rolled back."""

    def value(self, name: str) -> str | None:
        return self.values.get(name)

    def as_json(self) -> dict[str, Any]:
        """For another process of ours, or for later. No secret is in it."""
        return {"kind": self.kind, "code": self.code, "scopes": sorted(self.scopes), "values": dict(self.values)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Principal:
        return cls(document["kind"], document["code"], frozenset(document["scopes"]), dict(document["values"]))


@dataclass(frozen=True)
class Consumer:
    """A program that calls. `scopes` are what it may do on the typed API, `values` what its rows are told apart by.

    `per_minute`: requests of the typed API, 0 for as many as it likes; None: as the project says. `is_test`: it came
    with a test key. `version`: of the typed API, where the address that it asks names none.
    """

    code: str
    name: str
    scopes: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    per_minute: int | None = None
    is_test: bool = False
    version: str | None = None

    @cached_property
    def principal(self) -> Principal:
        return Principal("consumer", self.code, self.scopes, self.values, self.per_minute, self.is_test)


@dataclass(frozen=True, slots=True)
class Credential:
    """One live thing that a consumer is known by; `hash` as `secret_hash` gives it.

    scopes   those of the consumer's that it is good for; None: all of them
    expires  seconds since 1970 by the database's clock; None: it does not
    """

    consumer: str
    kind: CredentialKind
    hash: str
    scopes: frozenset[str] | None = None
    is_test: bool = False
    expires: float | None = None

    def narrowed(self, consumer: Consumer) -> Consumer:
        """The consumer, as far as this lets it act."""
        if self.scopes is None and not self.is_test:
            return consumer
        scopes = consumer.scopes if self.scopes is None else consumer.scopes & self.scopes
        return replace(consumer, scopes=scopes, is_test=self.is_test)


@dataclass(frozen=True)
class Register:
    """Every consumer and every live credential, at one version. Revoked credentials are not in it.

    `clock`: the database's, as far as it is known here; seconds since 1970.
    """

    version: int = 0
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    credentials: tuple[Credential, ...] = ()
    clock: Callable[[], float] = field(default=time.time, compare=False)

    @classmethod
    def of(cls, version: int, consumers: Iterable[Consumer], credentials: Iterable[Credential]) -> Register:
        return cls(version, {consumer.code: consumer for consumer in consumers}, tuple(credentials))

    @property
    def all(self) -> tuple[Consumer, ...]:
        return tuple(self.consumers.values())

    def by_credential(self, kind: CredentialKind, secret: str | bytes) -> Consumer | None:
        """Whom this secret names. Looked up by hash, so the time it takes tells nothing about a secret."""
        known = self._by_hash.get((kind, secret_hash(secret)))
        if known is None:
            return None
        credential, consumer = known
        if credential.expires is not None and credential.expires <= self.clock():
            return None
        self._used.add(credential)
        return consumer

    def by_key(self, secret: str | bytes) -> Consumer | None:
        return self.by_credential("api_key", secret)

    def take_used(self) -> frozenset[Credential]:
        """The credentials that named somebody since this was last asked. Nothing is decided on it: it is for people."""
        used = frozenset(self._used)
        self._used.difference_update(used)
        return used

    @cached_property
    def _by_hash(self) -> Mapping[tuple[str, str], tuple[Credential, Consumer | None]]:
        found: dict[tuple[str, str], tuple[Credential, Consumer | None]] = {}
        for credential in self.credentials:
            whose = self.consumers.get(credential.consumer)
            found[credential.kind, credential.hash] = credential, None if whose is None else credential.narrowed(whose)
        return found

    @cached_property
    def _used(self) -> set[Credential]:
        return set()

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "consumers": [
                {
                    "code": c.code,
                    "name": c.name,
                    "scopes": sorted(c.scopes),
                    "values": dict(c.values),
                    "per_minute": c.per_minute,
                    "version": c.version,
                }
                for c in self.all
            ],
            "credentials": [
                {
                    "consumer": c.consumer,
                    "kind": c.kind,
                    "hash": c.hash,
                    "scopes": None if c.scopes is None else sorted(c.scopes),
                    "is_test": c.is_test,
                    "expires": c.expires,
                }
                for c in self.credentials
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Register:
        """`now`, where the document has it: the database's clock when it was read.

        Raises ValueError when the document is no register.
        """
        try:
            consumers = [
                Consumer(
                    str(c["code"]),
                    str(c["name"]),
                    frozenset(c["scopes"]),
                    dict(c["values"]),
                    c.get("per_minute"),
                    version=c.get("version"),
                )
                for c in document["consumers"]
            ]
            credentials = [_credential(c) for c in document["credentials"]]
            register = cls.of(int(document["version"]), consumers, credentials)
            return replace(register, clock=_clock_at(float(document["now"]))) if "now" in document else register
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a register: {error}") from error


def _credential(document: Mapping[str, Any]) -> Credential:
    scopes, expires = document.get("scopes"), document.get("expires")
    return Credential(
        str(document["consumer"]),
        document["kind"],
        str(document["hash"]),
        None if scopes is None else frozenset(scopes),
        bool(document.get("is_test", False)),
        None if expires is None else float(expires),
    )


def _clock_at(now: float) -> Callable[[], float]:
    """A clock that was set by the database's, and that no jump of ours moves."""
    since = time.monotonic()
    return lambda: now + time.monotonic() - since
