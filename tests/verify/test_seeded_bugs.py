"""Every deliberate error is found at seed 1, and named where it is; the right side shows no difference."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api_gateway.project import Project
from api_gateway.verify.findings import Report
from api_gateway.verify.run import Plan, Prepared, ask
from tests.verify.seeded_bugs import BUGS, WITHIN, Bug

pytestmark = [pytest.mark.xdist_group("verify"), pytest.mark.timeout(300)]


def quietly(report: Report, spent: float) -> None:
    """Nobody looks at the progress of a test."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_deliberate_error_is_found_and_named(
    bug: Bug, changed: Callable[[str, str, str], Project], ready: Prepared
) -> None:
    project = changed(bug.file, bug.old, bug.new)
    routes = [project.routes[name] for name in bug.routes]
    report = ask(project, routes, ready, Plan(1, WITHIN, only_first=True, shrinks=False), quietly)
    assert report.found, f"nothing found in {report.asked} requests: {report.tallies[bug.route].outcomes}"
    [found] = report.found
    places = [difference.path for difference in found.trial.comparison.differences]
    assert any(place.startswith(bug.shows) for place in places), places


def test_the_right_side_differs_in_nothing(northgate: Project, ready: Prepared) -> None:
    report = ask(northgate, list(northgate.routes.values()), ready, Plan(7, WITHIN, 300), quietly)
    assert (report.found, report.unproven) == ([], [])
