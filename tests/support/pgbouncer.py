"""Debian's PgBouncer, unpacked from its package, in front of a server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from api_gateway.postgres import free_port
from api_gateway.postgres.identity import identity
from tests.support.foreign import debian_package


@contextmanager
def running(
    folder: Path, server_port: int, mode: str, *, ignore: str = "", user: str = "postgres", size: int = 20
) -> Iterator[int]:
    """Its port. `mode`: session, transaction, statement; `ignore`: startup parameters that it drops silently;
    `user`: as whom it comes to the server, over `size` connections of each database.
    """
    program, who, port = debian_package("pgbouncer") / "usr/sbin/pgbouncer", identity(), free_port()
    folder.chmod(0o755)
    configuration = folder / f"{mode}.ini"
    configuration.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server_port} user={user}\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
        f"listen_port={port}\nauth_type=any\npool_mode={mode}\ndefault_pool_size={size}\nunix_socket_dir=\nignore_startup_parameters={ignore}\n"
    )
    process = subprocess.Popen(
        [*who.prefix, program, "-q", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who.popen
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
                break
            except psycopg.OperationalError:
                assert process.poll() is None, "PgBouncer did not start"
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)
