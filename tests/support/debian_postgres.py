"""The distribution's own PostgreSQL: older than the embedded one, and asking for passwords as real servers do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from api_gateway.postgres import free_port
from api_gateway.postgres.identity import identity

PASSWORD = "s3cret of the administrator"


@dataclass(frozen=True, slots=True)
class DebianServer:
    port: int
    programs: Path

    def url(self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"


def programs() -> Path:
    """The newest installed version's programs. Fails naming the command when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "these tests need a second PostgreSQL; run: sudo apt-get install postgresql"
    return found[-1]


@contextmanager
def running(folder: Path) -> Iterator[DebianServer]:
    who, bin_folder, port = identity(), programs(), free_port()
    folder.mkdir(mode=0o700)
    password = folder.parent / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    initdb = [bin_folder / "initdb", "-D", folder, "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"]
    login = ["--auth=scram-sha-256", f"--pwfile={password}"]
    subprocess.run([*who.prefix, *initdb, *login], check=True, capture_output=True, **who.popen)
    flags = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "wal_level=logical"]
    with (folder.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [*who.prefix, bin_folder / "postgres", "-D", folder, *(x for flag in flags for x in ("-c", flag))],
            stdout=log,
            stderr=log,
            **who.popen,
        )
    server = DebianServer(port, bin_folder)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(server.url()).close()
                break
            time.sleep(0.05)
        yield server
    finally:
        process.send_signal(2)
        process.wait(10)
