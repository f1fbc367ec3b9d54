"""The example's legacy app, served as in production by gunicorn, against a given database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from api_gateway.postgres import free_port

FOLDER = Path(__file__).parent.parent.parent / "legacy_admin"


@contextmanager
def running_legacy(database_url: str, **variables: str) -> Iterator[str]:
    """Its URL. Fails when it does not answer within a minute."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        Path(sys.executable).parent / "gunicorn",
        "northgate.wsgi:application",
        "--bind",
        url.removeprefix("http://"),
    ]
    environment = {**os.environ, "NORTHGATE_DATABASE_URL": database_url, **variables}
    with subprocess.Popen(
        [*command, "--workers", "1", "--threads", "4", "--log-level", "error"], cwd=FOLDER, env=environment
    ) as process:
        try:
            _wait(url)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(f"{url}/index.php?action=ping", timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
