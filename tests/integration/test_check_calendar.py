"""Dates that RFC 3339 cannot say: `init` drafts what the rows hold, `check` counts what a contract did not foresee."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.commands import Banyan

SCHEMA = """
CREATE TABLE terms (no int PRIMARY KEY, since date NOT NULL, until date, moved timestamptz,
  "Ends" date DEFAULT 'infinity', made timestamptz NOT NULL DEFAULT '2024-01-01Z', plain date);
CREATE VIEW running AS SELECT no, until FROM terms;
INSERT INTO terms VALUES (1, '2024-01-01', 'infinity', 'infinity', NULL),
  (2, '0044-03-15 BC', '9999-12-31', NULL, NULL), (3, '2024-01-01', '15000-01-01', '2024-01-01Z', NULL);
"""


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    made = clone("template1")
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    return made


def drafted(folder: Path, url: str, *words: str) -> tuple[str, list[dict[str, Any]]]:
    """The contract, and what `check` then finds in the rows."""
    banyan, project = Banyan(folder, {}), folder / f"{folder.name}_api"
    made = banyan("init", str(project), "--database-url", url, *words)
    assert made.code == 0, made.out + made.err
    found = banyan("check", "--project", str(project), "--database-url", url, "--json").json["findings"]
    return (project / "contract.py").read_text("utf-8"), [one for one in found if one["code"].startswith("rows_")]


def test_init_drafts_what_the_rows_and_defaults_hold(url: str, tmp_path: Path) -> None:
    text, found = drafted(tmp_path, url)
    for line in (
        "since: date | str\n", "until: date | str | None = None\n", "moved: datetime | str | None = None\n",
        'ends: Annotated[date | str | None, Column("Ends")] = None\n', "made: datetime\n",
        "plain: date | None = None\n",
    ):  # fmt: skip
        assert f"    {line}" in text
    assert text.count("until: date | str | None = None") == 2  # the view passes the column on
    assert '# proposal: until: Annotated[date | None, Column("until"), NoneWhen("infinity")] = None' in text
    assert found == []


def test_check_counts_dates_that_break_the_promise(url: str, tmp_path: Path) -> None:
    _, found = drafted(tmp_path, url, "--no-data")
    broken = {(one["table"], one["column"]): one for one in found}
    assert {one["code"] for one in found} == {"rows_beyond_calendar"}
    assert {place: (one["details"]["count"], one["details"]["keys"]) for place, one in broken.items()} == {
        ("public.terms", "since"): (1, ["2"]), ("public.terms", "until"): (2, ["1", "3"]),
        ("public.terms", "moved"): (1, ["1"]), ("public.running", "until"): (2, []),
    }  # fmt: skip
    assert "reads it as null" in broken["public.terms", "until"]["message"]
    assert "PostgreSQL's own word" in broken["public.terms", "since"]["message"]
