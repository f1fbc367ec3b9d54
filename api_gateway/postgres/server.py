"""Start, ask and stop one embedded server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from api_gateway.errors import EnvironmentFault
from api_gateway.postgres.binaries import programs
from api_gateway.postgres.identity import Identity, identity
from api_gateway.postgres.place import data_folder

_START_SECONDS = 30.0
_INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on 127.0.0.1. `programs` is the folder of psql, pg_dump, … of the same version."""

    port: int
    process: subprocess.Popen[bytes]
    programs: Path
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def stop(self, seconds: float = 10.0) -> None:
        """Fast shutdown: sessions are ended, data is written."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    data: Path,
    *,
    port: int | None = None,
    durable: bool = True,
    settings: Mapping[str, str] | None = None,
    who: Identity | None = None,
) -> Server:
    """Start a server on `data`, making the cluster when there is none.

    `durable=False` gives up safety against power loss for speed: for tests. Raises EnvironmentFault in one line when
    the programs are missing, the port is taken, the disk is full, or another server holds the data.
    """
    who = who or identity()
    bin_folder = programs(who)
    try:
        folder = data_folder(data, who)
        if not (folder / "PG_VERSION").exists():
            _make_cluster(folder, who, bin_folder)
        return _launch(folder, who, bin_folder, port or free_port(), durable, settings or {})
    except OSError as error:
        raise EnvironmentFault(f"PostgreSQL's data folder {data}: {error.strerror or error}") from error


@contextmanager
def running(data: Path, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    server = start(data, durable=durable, settings=settings)
    try:
        yield server
    finally:
        server.stop()


def _make_cluster(folder: Path, who: Identity, bin_folder: Path) -> None:
    for leftover in folder.iterdir():  # of a first start that was cut off
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    command = [*who.prefix, str(bin_folder / "initdb"), "-D", str(folder), *_INITDB, *_LOCALE]
    answer = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **who.popen
    )
    if answer.returncode:
        raise EnvironmentFault(f"PostgreSQL could not make its data folder: {_reason(answer.stdout.decode())}")


def _launch(
    folder: Path, who: Identity, bin_folder: Path, port: int, durable: bool, settings: Mapping[str, str]
) -> Server:
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_connections": "200",
        "file_copy_method": "clone",
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
        **settings,
    }
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    log_path = folder.with_name(f"{folder.name}.log")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*who.prefix, str(bin_folder / "postgres"), "-D", str(folder), *flags],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal must not end it before those who use it
            env={**os.environ, "PGDATA": "", "LC_ALL": "C"},
            **who.popen,
        )
    server = Server(port, process, bin_folder, log_path)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(psycopg.OperationalError):
            psycopg.connect(server.url(), connect_timeout=5).close()
            return
        if server.process.poll() is not None:
            raise EnvironmentFault(f"PostgreSQL did not start: {_reason(server.log.read_text(errors='replace'))}")
        if time.monotonic() > deadline:
            raise EnvironmentFault(f"PostgreSQL did not answer within {_START_SECONDS:.0f} s; see {server.log}.")
        time.sleep(0.01)


def _reason(output: str) -> str:
    """The one line of PostgreSQL's output that says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (telling or lines or ["no output"])[0]
