"""What verify found in this project is asked again by `make test`, and by `banyan verify --cases`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api_gateway.project import Project
from api_gateway.verify.cases import FOLDER, kept
from api_gateway.verify.run import Prepared, replay
from tests.support.commands import Banyan
from tests.support.small_project import small_project

pytestmark = [pytest.mark.xdist_group("verify"), pytest.mark.timeout(240)]


def test_every_case_of_the_example_shows_no_difference_any_more(northgate: Project, ready: Prepared) -> None:
    cases = kept(northgate, set(northgate.routes))
    assert {f"{case.name}.json" for case in cases} == {path.name for path in (northgate.folder / FOLDER).iterdir()}
    still = {
        case.name: trial.comparison for case, trial in replay(northgate, cases, ready) if trial.comparison.differences
    }
    assert still == {}


def test_a_bug_is_found_kept_shown_again_and_gone_once_it_is_mended(small_url: str, tmp_path: Path) -> None:
    right, wrong = "0 < number < 1000", "0 < number < 9"
    folder = small_project(tmp_path / "small_mended", small_url, change={"mimics.py": (right, wrong)})
    banyan = Banyan(tmp_path, {"BANYAN_DATABASE_URL": small_url})

    found = banyan("verify", "sale.place", "--project", str(folder), "--first", "--no-record")
    assert found.code == 1, found.out + found.err
    [case] = (folder / FOLDER).glob("*.json")
    assert case.stem in found.err

    assert banyan("verify", "--cases", "--project", str(folder)).out == f"{case.stem}: mismatch\n1 cases.\n"
    mended = shutil.copytree(folder, tmp_path / "small_right_again")
    (mended / "mimics.py").write_text((folder / "mimics.py").read_text().replace(wrong, right))
    answer = banyan("verify", "--cases", "--project", str(mended))
    assert (answer.code, answer.out) == (0, f"{case.stem}: match\n1 cases.\n")
