"""Databases that nobody here wrote: how to get them, and how to load them. None of them is committed."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from api_gateway.postgres.binaries import programs
from api_gateway.postgres.identity import identity
from tests.support.large_schema import Large

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "banyan-tests"
HERE = Path(__file__).parents[1] / "foreign"
SHARED = Path(__file__).parents[3] / "shared" / "schemas"

Load = Callable[[str], None]


def psql(url: str, *scripts: str, stop: bool = True) -> None:
    """Runs scripts as their authors meant: with psql, COPY data and backslash commands included."""
    command = [programs(identity()) / "psql", "-X", "-q", "-v", f"ON_ERROR_STOP={int(stop)}", "-d", url]
    environment = {**os.environ, "PGOPTIONS": "-c client_min_messages=warning", "PGCLIENTENCODING": "UTF8"}
    answer = subprocess.run(
        command, input="\n".join(scripts).encode(), capture_output=True, env=environment, check=False
    )
    assert answer.returncode == 0, answer.stderr.decode(errors="replace")[-2000:]


def debian_package(name: str) -> Path:
    """The unpacked contents of a Debian package, fetched once. Fails naming the command when it cannot be had."""
    folder = CACHE / name
    if (folder / "unpacked").exists():
        return folder / "unpacked"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "download", name]
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
        said = answer.stderr or answer.stdout
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        said = str(error)
    archives = sorted(folder.glob("*.deb"))
    needed = f"this test needs the Debian package {name}; run in {folder}: {' '.join(command)}"
    assert archives, f"{needed}\n(perhaps apt-get update first)\n{said.strip()[-400:]}"
    subprocess.run(["dpkg", "-x", archives[-1], folder / "unpacking"], check=True, capture_output=True)
    (folder / "unpacking").rename(folder / "unpacked")
    return folder / "unpacked"


def _zabbix(url: str) -> None:
    folder = debian_package("zabbix-server-pgsql") / "usr/share/zabbix-server-pgsql"
    parts = (folder / f"{part}.sql.gz" for part in ("schema", "images", "data"))
    # A replica does not check foreign keys row by row: 100,000 INSERTs take half as long.
    psql(url, "SET session_replication_role = replica;", *(gzip.decompress(p.read_bytes()).decode() for p in parts))


def _script_of(package: str, path: str) -> Load:
    """A schema that a package brings as one script."""
    return lambda url: psql(url, (debian_package(package) / path).read_text("utf-8"))


def _corner_cases(url: str) -> None:
    psql(url, (HERE / "corner_cases.sql").read_text("utf-8"))


def _chinook(url: str) -> None:
    text = (SHARED / "chinook/Chinook_PostgreSql.sql").read_text("utf-8")
    psql(url, text.split("\\c chinook;", 1)[-1])


def _sakila(url: str) -> None:
    folder = SHARED / "sakila"
    scripts = ("postgres-sakila-schema.sql", "postgres-sakila-insert-data-using-copy.sql")
    psql(url, *((folder / script).read_text("utf-8") for script in scripts))


def _pagila(url: str) -> None:
    psql(url, (SHARED / "pagila_schema/pagila-schema.sql").read_text("utf-8"))


def _adventureworks(url: str) -> None:
    """The rows are not there, and the embedded server has no uuid-ossp: its one function used is put in its place."""
    text = (SHARED / "adventureworks_schema/install.sql").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("\\copy") and "uuid-ossp" not in line]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'")
    psql(url, "\n".join(lines), stop=False)


OURS: Mapping[str, Load] = {
    "zabbix": _zabbix,
    "corner_cases": _corner_cases,
    "generated": Large(tables=120, views=24, functions=120, rows=3).load,
    "kea": _script_of("kea-admin", "usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql"),
    "roundcube": _script_of("roundcube-core", "usr/share/roundcube/SQL/postgres.initial.sql"),
    "icingaweb2": _script_of("icingaweb2", "usr/share/icingaweb2/schema/pgsql.schema.sql"),
}
SHARED_LOADS: Mapping[str, tuple[str, Load]] = {
    "chinook": ("chinook", _chinook),
    "sakila": ("sakila", _sakila),
    "pagila": ("pagila_schema", _pagila),
    "adventureworks": ("adventureworks_schema", _adventureworks),
}


def loads() -> dict[str, Load]:
    """Debian's and the corner cases always; what lies in the shared folder where that is present."""
    found = dict(OURS)
    found.update({name: load for name, (folder, load) in SHARED_LOADS.items() if (SHARED / folder).is_dir()})
    return found
