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
from tests.support.debian_packages import debian_package
from tests.support.large_schema import Large

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


def _zabbix(url: str) -> None:
    folder = debian_package("zabbix-server-pgsql") / "usr/share/zabbix-server-pgsql"
    parts = (folder / f"{part}.sql.gz" for part in ("schema", "images", "data"))
    # A replica does not check foreign keys row by row: 100,000 INSERTs take half as long.
    psql(url, "SET session_replication_role = replica;", *(gzip.decompress(p.read_bytes()).decode() for p in parts))


def _script_of(package: str, path: str) -> Load:
    """A schema that a package brings as one script."""
    return lambda url: psql(url, (debian_package(package) / path).read_text("utf-8"))


def _jabberd2(url: str) -> None:
    """Names with hyphens in them, tables and columns alike."""
    psql(url, gzip.decompress(_file("jabberd2", "db-setup.pgsql.gz").read_bytes()).decode())


def _davical(url: str) -> None:
    parts = (("libawl-php", "awl-tables.sql"), ("libawl-php", "schema-management.sql"), ("davical", "davical.sql"))
    psql(url, *(_file(*part).read_text("utf-8") for part in (*parts, ("davical", "base-data.sql"))), stop=False)


def _ledgersmb(url: str) -> None:
    """Accounting: 250 foreign keys, a key that nothing points to, hundreds of functions."""
    main = _file("ledgersmb", "Pg-database.sql")
    order = (main.parent / "modules/LOADORDER").read_text("utf-8").splitlines()
    modules = (main.parent / "modules" / name for name in order if name and not name.startswith("#"))
    psql(url, *(path.read_text("utf-8") for path in (main, *modules) if path.exists()), stop=False)


def _bacula(url: str) -> None:
    (script,) = debian_package("bacula-director-pgsql").rglob("dbconfig-common/data/*/install/pgsql")
    psql(url, script.read_text("utf-8"), stop=False)


def _file(package: str, name: str) -> Path:
    """A file of a package, wherever this release of Debian keeps it."""
    return min(debian_package(package).rglob(name), key=lambda path: (len(path.parts), path))


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
    "bacula": _bacula,
    "davical": _davical,
    "jabberd2": _jabberd2,
    "ledgersmb": _ledgersmb,
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
