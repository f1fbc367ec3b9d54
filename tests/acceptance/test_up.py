"""`banyan up`: everything comes up with one command, is described in a file, and goes away without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from api_gateway.postgres import Server
from api_gateway.up.children import descendants
from tests.support.debian_postgres import DebianServer
from tests.support.instance import (
    Instance,
    alive,
    copy_of_the_example,
    run_banyan,
    start_up,
    up,
    wait_until_ready,
)

pytestmark = pytest.mark.xdist_group("up")


@pytest.fixture
def instance(tmp_path: Path, northgate_url: str) -> Iterator[Instance]:
    copy_of_the_example(tmp_path)
    with up(tmp_path, "--project", "northgate_api", "--database-url", northgate_url) as running:
        yield running


def test_everything_that_runs_is_described_in_up_json(instance: Instance) -> None:
    described = instance.description()
    assert set(described) >= {"edge", "legacy", "console", "gateway", "database", "logins", "keys", "pids"}
    assert set(described["logins"]) == {"panel", "console"}
    assert set(described["pids"]) >= {"edge", "legacy", "gateway", "worker", "observer", "postgres"}
    assert len(described["gateway"]) == len(described["pids"]["gateway"]) == 2
    assert alive(instance.pids()) == instance.pids()
    assert httpx2.get(described["edge"] + "/admin/login/").status_code == 200
    assert httpx2.get(described["edge"] + "/api/docs").status_code == 200
    assert httpx2.get(described["console"], follow_redirects=True).status_code == 200
    assert stat.S_IMODE((instance.state / "up.json").stat().st_mode) == 0o600


def test_a_key_of_the_description_opens_the_api(instance: Instance) -> None:
    described = instance.description()
    consumer, key = next(iter(described["keys"].items()))
    answer = httpx2.get(described["edge"] + "/api/v1/orders", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, (consumer, answer.text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_after_a_signal_no_process_is_left(instance: Instance, number: signal.Signals) -> None:
    everything = [*descendants(instance.process.pid), *instance.pids()]
    instance.process.send_signal(number)
    instance.process.wait(10)
    assert not alive(everything)
    assert instance.process.returncode == 0


def test_after_every_child_was_killed_a_signal_still_leaves_nothing(instance: Instance) -> None:
    everything = {*descendants(instance.process.pid), *instance.pids()}
    for pid in instance.pids():
        os.kill(pid, signal.SIGKILL)
    everything |= set(descendants(instance.process.pid))
    instance.process.send_signal(signal.SIGTERM)
    instance.process.wait(10)
    assert not alive(sorted(everything))


def test_a_killed_gateway_is_started_again(instance: Instance) -> None:
    killed = instance.description()["pids"]["gateway"][0]
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while killed in instance.description()["pids"]["gateway"]:
        assert time.monotonic() < deadline, "the gateway was not started again"
        time.sleep(0.1)
    described = instance.description()
    assert alive(described["pids"]["gateway"]) == described["pids"]["gateway"]


def test_a_second_up_in_the_same_folder_is_refused_in_one_line(instance: Instance) -> None:
    answer = instance.banyan("up", "--project", "northgate_api", "--port", "18999")
    assert answer.returncode == 2
    assert "already up here" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_what_a_killed_up_left_behind_is_ended_by_the_next(tmp_path: Path, northgate_url: str) -> None:
    copy_of_the_example(tmp_path)
    words = ("--project", "northgate_api", "--database-url", northgate_url)
    first = start_up(tmp_path, *words)
    wait_until_ready(first)
    left = first.pids()
    port = first.edge.rsplit(":", 1)[1]
    first.process.kill()
    first.process.wait()
    assert alive(left)
    (tmp_path / ".banyan" / "up.json").unlink()
    with up(tmp_path, *words, "--port", port) as second:
        assert not alive(left)
        assert httpx2.get(second.edge + "/admin/login/").status_code == 200


def test_an_up_that_is_killed_while_it_starts_leaves_nothing_to_the_next(tmp_path: Path, northgate_url: str) -> None:
    copy_of_the_example(tmp_path)
    words = ("--project", "northgate_api", "--database-url", northgate_url)
    first = start_up(tmp_path, *words)
    on_file = tmp_path / ".banyan" / "pids.json"
    deadline = time.monotonic() + 60
    while not on_file.exists() or len(json.loads(on_file.read_text())) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    first.process.kill()
    first.process.wait()
    left = alive([int(pid) for pid in json.loads(on_file.read_text())])
    assert left
    with up(tmp_path, *words) as second:
        assert not alive(left)
        assert httpx2.get(second.edge + "/admin/login/").status_code == 200


def test_without_a_database_url_the_embedded_server_keeps_its_data(tmp_path: Path) -> None:
    copy_of_the_example(tmp_path)
    with up(tmp_path, "--project", "northgate_api") as first:
        assert first.description()["pids"]["postgres"]
        keys = first.description()["keys"]
        assert "manage.py seed" in first.said()
    with up(tmp_path, "--project", "northgate_api") as again:
        assert again.description()["keys"] == keys
        assert "seed" not in again.said()


def test_a_taken_port_is_one_readable_line(tmp_path: Path) -> None:
    copy_of_the_example(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run_banyan("up", "--project", "northgate_api", "--port", port, folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"banyan: port {port} cannot be had")
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_away_is_one_readable_line_without_its_password(tmp_path: Path) -> None:
    copy_of_the_example(tmp_path)
    url = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"
    answer = run_banyan("up", "--project", "northgate_api", "--database-url", url, folder=tmp_path)
    assert answer.returncode == 2
    assert "127.0.0.1:1/nowhere is away" in answer.stderr
    assert "hunter2" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_folder_that_is_no_project_is_one_readable_line(tmp_path: Path) -> None:
    answer = run_banyan("up", "--project", ".", folder=tmp_path)
    assert answer.returncode == 2
    assert "it has no banyan.toml" in answer.stderr


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    answer = run_banyan("up", folder=tmp_path, environment={"BANYAN_EDGE_PORT": "eight thousand"})
    assert answer.returncode == 2
    assert "BANYAN_EDGE_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_root_without_user_namespaces_still_starts_postgres(tmp_path: Path, server: Server) -> None:
    """In a container root may not make user namespaces; the embedded server then runs as nobody."""
    if os.geteuid() != 0:
        from api_gateway.postgres.identity import identity

        assert identity().name == "user"
        return
    from api_gateway.postgres import identity as identities
    from api_gateway.postgres import server as servers

    nobody = identities.Identity(
        "nobody",
        identities.NOBODY,
        popen={"user": identities.NOBODY, "group": identities.NOBODY, "extra_groups": [], "cwd": "/"},
    )
    started = servers.start(tmp_path / "data", durable=False, who=nobody)
    try:
        owner = Path(f"/proc/{started.pid}").stat().st_uid
        assert owner == identities.NOBODY
    finally:
        started.stop()


def test_an_existing_server_that_asks_for_passwords_is_used(tmp_path: Path, debian_server: DebianServer) -> None:
    with psycopg.connect(debian_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE existing")
    copy_of_the_example(tmp_path)
    url = debian_server.url("existing")
    with up(tmp_path, "--project", "northgate_api", environment={"DATABASE_URL": url}) as running:
        described = running.description()
        assert described["pids"]["postgres"] is None
        answer = httpx2.get(
            described["edge"] + "/api/v1/items?limit=1",
            headers={"Authorization": f"Bearer {next(iter(described['keys'].values()))}"},
        )
        assert answer.status_code == 200
        assert "s3cret" not in "".join(path.read_text() for path in (running.state / "log").glob("*.log"))
