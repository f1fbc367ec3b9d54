"""A candidate whose sources have changed is another candidate: it is run anew, and starts from zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_gateway.project import Project
from tests.support.observed import Observer, exchange

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestRenewal:
    async def test_a_change_is_noticed_once_and_not_again_when_the_new_candidate_runs(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        observer.shadow("good")
        await observer.exchanges.take(exchange("good", "good acme "))
        await observer.compared(connection, 1)
        present = observer.candidates.fingerprint("good")
        assert not observer.candidates.is_outdated("good", present)
        assert observer.candidates.is_outdated("good", "another")
        observer.candidates.renew()
        assert not observer.candidates.is_outdated("good", "another")

    async def test_a_changed_candidate_is_run_and_starts_from_zero(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        observer.shadow("bad")
        await observer.exchanges.take(exchange("bad", "mended"))
        [before] = await observer.compared(connection, 1)
        path = project.folder / "mimics" / "deeds.py"
        source = path.read_text()
        try:
            path.write_text(source.replace('Response("bad"', 'Response("mended"'))
            observer.candidates.renew()
            await observer.exchanges.take(exchange("bad", "mended"))
            _, after = await observer.compared(connection, 2)
        finally:
            path.write_text(source)
            observer.candidates.renew()
        assert (before["verdict"], after["verdict"]) == ("mismatch", "match")
        assert before["fingerprint"] != after["fingerprint"]

    async def test_a_project_that_cannot_be_imported_is_inconclusive(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        path: Path = project.folder / "mimics" / "deeds.py"
        source = path.read_text()
        observer.shadow("good")
        try:
            path.write_text(source + "\nimport nothing_of_this_name\n")
            observer.candidates.renew()
            await observer.exchanges.take(exchange("good", "good acme "))
            [row] = await observer.compared(connection, 1)
        finally:
            path.write_text(source)
        assert (row["verdict"], row["request"]["why"]) == ("inconclusive", "candidate unavailable")

    async def test_sources_that_change_while_they_are_loaded_earn_nothing(
        self, observer: Observer, connection: Any, project: Project
    ) -> None:
        """Else the old code's runs would count for the new candidate."""
        path: Path = project.folder / "mimics" / "deeds.py"
        late = path.with_name("late.py")
        source = path.read_text()
        observer.shadow("good")
        try:
            changing = f"import pathlib, time\npathlib.Path({str(late)!r}).write_text(str(time.time_ns()))\n"
            path.write_text(f"{source}\n{changing}")
            observer.candidates.renew()
            await observer.exchanges.take(exchange("good", "good acme "))
            [row] = await observer.compared(connection, 1)
        finally:
            path.write_text(source)
            late.unlink(missing_ok=True)
        assert (row["verdict"], row["request"]["why"]) == ("inconclusive", "candidate unavailable")
