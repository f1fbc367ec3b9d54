"""Is what travels to the database encrypted, is it known whose server it is, and what does pg_hba.conf let in?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api_gateway.doctor.symptom import Symptom
from api_gateway.settings import Settings

CHECKING = ("verify-ca", "verify-full")
"""Values of sslmode under which libpq checks whose certificate it is; weaker ones speak to anybody."""

_LINE = """
SELECT current_setting('ssl') = 'on', s.ssl, s.version, inet_client_addr() IS NULL,
       coalesce(host(inet_client_addr()) = host(inet_server_addr()), true)
  FROM (SELECT) one LEFT JOIN pg_stat_ssl s ON s.pid = pg_backend_pid()
"""
_RULES = """
SELECT line_number, type, database, user_name, address, netmask, auth_method, error FROM pg_hba_file_rules
 ORDER BY line_number
"""
_LOGINS = ("api_database_url", "read_database_url", "owner_database_url")


@dataclass(frozen=True, slots=True)
class Line:
    """How the connection that was looked at travels. `is_local`: it does not leave the machine."""

    server_can: bool
    is_encrypted: bool
    version: str | None
    is_local: bool


def encryption(connection: psycopg.Connection[Any], url: str, settings: Settings) -> Iterator[Symptom]:
    """Raises psycopg.Error."""
    row = connection.execute(_LINE).fetchone()
    if row is not None:
        yield line(Line(row[0], bool(row[1]), row[2], bool(row[3] or row[4])), _mode(url))
        if not (row[3] or row[4]):
            yield from weaker(settings)
    yield from _rules(connection)


def line(seen: Line, mode: str) -> Symptom:
    if seen.is_local:
        return Symptom("encryption", "ok", "the database is on this machine: nothing travels over a network")
    if not seen.is_encrypted:
        message = "rows and passwords travel to the database unencrypted"
        turn_on = "" if seen.server_can else "Give the server a certificate and ssl = on; then "
        return Symptom("encryption", "error", message, f"{turn_on}sslmode=verify-full in every database URL.")
    if mode not in CHECKING:
        message = f"the connection is encrypted ({seen.version}), but nobody checks whose server it is: sslmode={mode}"
        return Symptom("encryption", "warning", message, "sslmode=verify-full&sslrootcert=… in every database URL.")
    return Symptom(
        "encryption", "ok", f"the connection is encrypted ({seen.version}), and the server's name is checked"
    )


def weaker(settings: Settings) -> Iterator[Symptom]:
    """The processes' own URLs, which may say something else than the administrator's."""
    for name in _LOGINS:
        url = getattr(settings, name)
        mode = _mode(url.get_secret_value()) if url is not None else "verify-full"
        if mode not in CHECKING:
            message = f"BANYAN_{name.upper()} has sslmode={mode}: it speaks to any server, or in the clear"
            yield Symptom("encryption", "warning", message, "sslmode=verify-full there too.")


def _mode(url: str) -> str:
    """libpq's default is `prefer`: encrypted where the server likes it, never checked."""
    return str(conninfo_to_dict(url).get("sslmode") or "prefer")


def _rules(connection: psycopg.Connection[Any]) -> Iterator[Symptom]:
    """Only an administrator may read the file; for others there is nothing to say."""
    try:
        rows = connection.execute(_RULES).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        connection.rollback()
        return
    names = ("line", "type", "database", "user_name", "address", "netmask", "method", "error")
    yield from hba([dict(zip(names, row, strict=True)) for row in rows])


def hba(rules: list[Mapping[str, Any]]) -> Iterator[Symptom]:
    """`rules` as pg_hba_file_rules gives them."""
    found = [symptom for rule in rules for symptom in _of_rule(rule)]
    yield from found or [Symptom("hba", "ok", "pg_hba.conf lets nobody in from the network without a password")]


def _of_rule(rule: Mapping[str, Any]) -> Iterator[Symptom]:
    where = f"pg_hba.conf line {rule['line']}"
    if rule["error"] is not None and rule["type"] is not None:  # hostssl, where the server has no TLS
        yield Symptom("hba", "warning", f"{where} matches nobody as the server is", "Give the server a certificate.")
        return
    if rule["error"] is not None:
        yield Symptom("hba", "error", f"{where} cannot be read: after a reload nobody may log in", "Mend that line.")
        return
    if rule["type"] == "local" or _is_loopback(rule["address"], rule["netmask"]):
        return
    who = f"{','.join(rule['user_name'] or ())} from {rule['address']}"
    if rule["method"] == "trust":
        message = f"{where} lets in {who} without a password"
        yield Symptom("hba", "warning", message, "scram-sha-256 instead of trust there.")
    elif rule["method"] in ("password", "md5") and rule["type"] != "hostssl":
        message = f"{where} takes {rule['method']} passwords of {who} over lines that need not be encrypted"
        yield Symptom("hba", "warning", message, "hostssl … scram-sha-256 there.")


def _is_loopback(address: str | None, netmask: str | None) -> bool:
    try:
        network = ipaddress.ip_network(f"{address}/{netmask}" if netmask else str(address), strict=False)
    except ValueError:
        return address in ("samehost", "localhost")
    return network.is_loopback
