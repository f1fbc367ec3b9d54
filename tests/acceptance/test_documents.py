"""The documents, done as they are read: every command that they show, in their order, and what it prints."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from api_gateway.draft.init import init_project
from tests.support.documents import ROOT, Command, Terminal, commands, files, pages
from tests.support.instance import Instance, copy_of_the_example, up

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.timeout(420)]

TUTORIAL = ROOT / "docs" / "tutorial.md"
HOW_TO = ROOT / "docs" / "how-to"


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, clone: Callable[[str], str], northgate_template: str
) -> Iterator[Instance]:
    """What a reader has cloned and started: the example, and `.venv`. One reader reads all of these pages."""
    folder = tmp_path_factory.mktemp("reader")
    project = copy_of_the_example(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    traffic = project / "traffic.py"
    text = traffic.read_text("utf-8")
    assert "PAUSE = (0.8, 1.8)" in text
    traffic.write_text(text.replace("PAUSE = (0.8, 1.8)", "PAUSE = (0.1, 0.3)"))  # a reader has more time than we
    with up(folder, "--traffic", environment={"DATABASE_URL": clone(northgate_template)}) as instance:
        yield instance


def terminal(folder: Path, **variables: str) -> Terminal:
    """A reader's shell: no variable of the tests' own, the engine importable as `make up` installs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BANYAN_", "DATABASE_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return Terminal(folder, {**kept, "PATH": path, "PYTHONPATH": str(ROOT), **variables})


def in_terminal(page: Path) -> list[Command]:
    return [command for command in commands(page) if not command.terminal]


def kept_running(page: Path) -> list[str]:
    return [command.text for command in commands(page) if command.terminal]


def test_the_tutorial_goes_as_it_says_and_no_partner_sees_a_failed_request(running: Instance) -> None:
    assert kept_running(TUTORIAL) == ["make up"]
    assert "banyan up --traffic" in (ROOT / "Makefile").read_text("utf-8")
    shell = terminal(running.folder)
    for command in in_terminal(TUTORIAL):
        shell.run(command)
    statistics = json.loads((running.state / "traffic.json").read_text("utf-8"))
    assert statistics["requests"] > 200
    assert (statistics["failed"], statistics["failures"]) == (0, [])


def test_adding_a_route_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "add-a-route.md"):
        shell.run(command)


def test_proving_a_mimic_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "prove-a-mimic.md"):
        shell.run(command)


def test_taking_stock_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "take-stock.md"):
        shell.run(command)


def test_recording_requests_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "record-requests.md"):
        shell.run(command)


def test_rolling_out_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "roll-out.md"):
        shell.run(command)


def test_letting_accounts_in_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder, BANYAN_DATABASE_URL=running.description()["database"])
    for command in in_terminal(HOW_TO / "let-accounts-in.md"):
        shell.run(command, replacing={"http://127.0.0.1:8000": running.description()["edge"]})


def test_submitting_a_job_goes_as_it_says(running: Instance) -> None:
    shell = terminal(running.folder)
    for command in in_terminal(HOW_TO / "submit-a-job.md"):
        shell.run(command)


def test_bringing_out_a_version_goes_as_it_says(tmp_path: Path, northgate_url: str) -> None:
    page = HOW_TO / "bring-out-a-version.md"
    copy_of_the_example(tmp_path)
    for path, text in files(page).items():
        (tmp_path / path).write_text(text, "utf-8")
    shell = terminal(tmp_path, BANYAN_DATABASE_URL=northgate_url)
    for command in in_terminal(page):
        shell.run(command)


def test_a_release_and_the_way_home_go_as_they_say(running: Instance) -> None:
    running.banyan("routes", "move", "orders.list", "shadow", "--reason", "so that there is something to go back from")
    shell = terminal(running.folder, BANYAN_DATABASE_URL=running.description()["database"])
    for command in in_terminal(HOW_TO / "run-in-production.md"):
        shell.run(command)
    standings = json.loads(running.banyan("routes", "show", "orders.list", "--json").stdout)["standings"]
    assert {standing["stage"] for standing in standings} == {"legacy"}


def test_starting_on_your_own_database_goes_as_it_says(tmp_path: Path, northgate_url: str) -> None:
    page = HOW_TO / "start-on-your-database.md"
    where = urlsplit(northgate_url)
    written = {
        "postgresql://admin@db.example:5432/shop": northgate_url,
        "http://app.example:8080": f"http://127.0.0.1:{where.port}",
    }
    shell = terminal(tmp_path)
    for command in in_terminal(page):
        shell.run(command, replacing=written)
    with psycopg.connect(northgate_url) as connection:
        assert connection.execute("SELECT to_regclass('banyan.ledger')").fetchone() != (None,)
    (last,) = kept_running(page)
    assert last == "banyan up --project shop_api --port 8000"
    words = last.replace(" --port 8000", "").split()[2:]
    environment = {"DATABASE_URL": northgate_url, "BANYAN_LEGACY_URL": written["http://app.example:8080"]}
    with up(tmp_path, *words, environment=environment) as instance:
        assert instance.description()["project"] == str(tmp_path / "shop_api")


def test_checking_in_ci_goes_as_it_says(tmp_path: Path, northgate_url: str) -> None:
    init_project(tmp_path / "shop_api", northgate_url)
    shell = terminal(tmp_path)
    for command in in_terminal(HOW_TO / "check-in-ci.md"):
        shell.run(command, replacing={"postgresql://admin@db.example:5432/shop": northgate_url})


def test_every_page_with_commands_is_run_by_a_test_above() -> None:
    with_commands = {page.name for page in pages() if commands(page)}
    run = set(re.findall(r'HOW_TO / "([a-z-]+\.md)"', Path(__file__).read_text("utf-8")))
    assert with_commands == {TUTORIAL.name, "README.md", *run}
    assert [command.text for command in commands(ROOT / "README.md")] == ["make up", "make test"]
