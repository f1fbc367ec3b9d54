"""Whatever goes wrong outside is one readable line and exit code 2; neither a process nor a database is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from api_gateway.verify import sides
from api_gateway.verify.copies import PREFIX
from tests.support.commands import Banyan
from tests.support.instance import ROOT
from tests.support.small_project import small_project

pytestmark = [pytest.mark.xdist_group("verify"), pytest.mark.timeout(240)]


OTHERS: set[str] = set()  # copies of tests that share the server


def copies(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()]
    return {name for name in names if name.startswith(PREFIX)}


@pytest.fixture(autouse=True)
def others(small_url: str) -> None:
    OTHERS.clear()
    OTHERS.update(copies(small_url))


def left_behind(url: str, folder: Path) -> list[str]:
    """Copies that are still there, and processes that run in the project's folder."""
    running = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    running.append((entry / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
    return [*sorted(copies(url) - OTHERS), *running]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("never", "the legacy app did not start on its copy: no licence file, giving up"),
        ("exit:2", "the legacy app ended in the middle: no output"),
    ],
)
def test_a_legacy_app_that_does_not_start_or_dies(small_url: str, tmp_path: Path, fault: str, complaint: str) -> None:
    folder = small_project(tmp_path / "small_faulty", small_url, fault=fault)
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": small_url})
    answer = banyan("verify", "sale.place", "--project", str(folder), "--no-record")
    assert answer.code == 2, answer.out
    assert answer.complaint.startswith(complaint)
    assert left_behind(small_url, folder) == []


def test_one_that_hangs(small_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "MOST_SILENT", 1)
    folder = small_project(tmp_path / "small_hanging", small_url, fault="hang:1")
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": small_url})
    answer = banyan("verify", "sale.place", "--project", str(folder), "--no-record")
    assert answer.code == 2, answer.out
    assert answer.complaint.startswith("the legacy app gave no whole answer 1 times in a row (timed out)")
    assert left_behind(small_url, folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_an_order_to_end(small_url: str, tmp_path: Path, number: signal.Signals) -> None:
    folder = small_project(tmp_path / "small_stopped", small_url)
    words = ["verify", "--project", str(folder), "--no-record", "--budget", "10m"]
    process = subprocess.Popen(
        [sys.executable, "-m", "api_gateway.cli", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BANYAN_DATABASE_URL": small_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any("app.py" in each for each in left_behind(small_url, folder)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert err.startswith("banyan: stopped")
    assert len(err.splitlines()) == 1
    assert left_behind(small_url, folder) == []


def test_copies_of_a_verify_that_was_killed_are_dropped_by_the_next(small_url: str, tmp_path: Path) -> None:
    with psycopg.connect(small_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {PREFIX}0123abcd_legacy".encode())
    folder = small_project(tmp_path / "small_after", small_url, fault="never")
    Banyan(tmp_path, {"BANYAN_DATABASE_URL": small_url})("verify", "--project", str(folder))
    assert left_behind(small_url, folder) == []


def test_a_report_that_cannot_be_written(small_url: str, tmp_path: Path) -> None:
    folder = small_project(tmp_path / "small_full", small_url)
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": small_url})
    words = ("verify", "sale.show", "--project", str(folder), "--requests", "3", "--no-record", "--html")
    assert banyan(*words, str(tmp_path / "away" / "report.html")).complaint.startswith("--html: there is no folder")
    full = banyan(*words, "/dev/full")
    assert (full.code, full.complaint) == (2, "/dev/full cannot be written: No space left on device.")
