"""Our share of the database: schema `banyan`, the roles and their grants, consumers with keys, the console's login."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from api_gateway.api.contract import load_contract, wanted_grants
from api_gateway.console import ensure_console_account
from api_gateway.consumers import CredentialKind, Register, add_consumer, add_credential, create_key, load_register
from api_gateway.errors import EnvironmentFault
from api_gateway.project import Project
from api_gateway.up.instance import Instance
from shared_models.granting import MayNot, apply
from shared_models.migrations import MigrationFault, upgrade

ROLES = {"owner": "banyan_owner", "api": "banyan_api", "read": "banyan_read"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """The database as its administrator and as each of our three roles sees it."""

    administrator: str
    owner: str
    api: str
    read: str


@dataclass(frozen=True, slots=True)
class Share:
    """What the processes and a person are told: addresses, API keys by consumer, the console's login."""

    addresses: Addresses
    keys: Mapping[str, str]
    console: Mapping[str, str]


def prepare_share(project: Project, database_url: str, instance: Instance, *, embedded: bool) -> Share:
    """Make everything of ours that is not there yet. Raises EnvironmentFault in one line."""
    scopes = migrate_and_grant(project, database_url)
    addresses = role_addresses(database_url, instance, embedded=embedded)
    traffic = project.configuration.traffic
    partners = project.module(traffic).partners if traffic is not None else []
    keys = register_consumers(partners, scopes, addresses.owner, instance)
    console = {"username": "operator", "password": instance.secret("console:operator")}
    ensure_console_account(addresses.owner, console["username"], console["password"])
    return Share(addresses, keys, console)


class Partner(Protocol):
    """A simulated partner, as a project's traffic module describes it."""

    code: str
    name: str
    scopes: Sequence[str]
    values: Mapping[str, str]
    credentials: Iterable[tuple[CredentialKind, str]]


def migrate_and_grant(project: Project, database_url: str) -> tuple[str, ...]:
    """Schema `banyan`, the roles, and what they may touch. Returns every scope that a consumer can be given."""
    try:
        upgrade(database_url)
    except MigrationFault as fault:
        raise EnvironmentFault(fault.message, hint=fault.hint) from None
    contract = load_contract(project, strict=False)
    target = wanted_grants(project, contract)
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            apply(connection, target)
    except MayNot:
        raise EnvironmentFault(
            "this login may not grant the API's roles what the contract needs.",
            hint="`banyan grants --apply` prints the SQL for somebody who may.",
        ) from None
    return contract.scopes()


def role_addresses(database_url: str, instance: Instance, *, embedded: bool) -> Addresses:
    """The URL of each role. On a server that asks for passwords, each role gets one that this folder keeps."""
    if not embedded:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for name in ROLES.values():
                statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Literal(instance.secret(name))))
    passwords = {name: None if embedded else instance.secret(name) for name in ROLES.values()}
    return Addresses(database_url, *(_as_role(database_url, name, passwords[name]) for name in ROLES.values()))


def _as_role(database_url: str, role: str, password: str | None) -> str:
    parts = urlsplit(database_url)
    login = role if password is None else f"{role}:{quote(password, safe='')}"
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


def register_consumers(
    partners: Sequence[Partner], every_scope: Sequence[str], owner_url: str, instance: Instance
) -> dict[str, str]:
    """Register the demonstration's partners, or one `developer` where nobody is registered yet. Returns API keys."""
    with psycopg.connect(owner_url) as connection:
        known = {consumer.code for consumer in load_register(connection).all}
        for partner in partners:
            if partner.code not in known:
                add_consumer(connection, partner.code, partner.name, scopes=partner.scopes, values=partner.values)
                for kind, secret in partner.credentials:
                    add_credential(connection, partner.code, kind, secret)
        if not partners and not known:
            add_consumer(connection, "developer", "Developer on this machine", scopes=every_scope)
        register = load_register(connection)
        codes = [partner.code for partner in partners] or [c for c in register.consumers if c == "developer"]
        return {code: _working_key(connection, register, instance, code) for code in codes}


def _working_key(connection: psycopg.Connection[Any], register: Register, instance: Instance, code: str) -> str:
    """The key this folder keeps, when the register still knows it; else a new one."""
    kept = instance.kept_secret(f"key:{code}")
    owner = register.by_key(kept) if kept is not None else None
    if kept is not None and owner is not None and owner.code == code:
        return kept
    fresh = create_key(connection, code)
    instance.keep_secret(f"key:{code}", fresh)
    return fresh


def process_environment(addresses: Addresses, settings: Mapping[str, str]) -> dict[str, str]:
    """What every process of ours is told, on top of this process's own environment."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {
        **inherited,
        "BANYAN_DATABASE_URL": addresses.administrator,
        "BANYAN_OWNER_DATABASE_URL": addresses.owner,
        "BANYAN_API_DATABASE_URL": addresses.api,
        "BANYAN_READ_DATABASE_URL": addresses.read,
        **{f"BANYAN_{name.upper()}": value for name, value in settings.items()},
    }
