"""Writes the table of deliberate errors into its page: `python -m tests.support.seeded_bugs`."""

from __future__ import annotations

from pathlib import Path

from tests.verify.seeded_bugs import BUGS, NEEDS_LUCK, Bug

PAGE = Path(__file__).parent.parent.parent / "docs" / "explanation" / "seeded-bugs.md"
MARK = "<!-- written by tests.support.seeded_bugs -->\n"


def page() -> str:
    """The page with the table as the errors are now."""
    head = PAGE.read_text("utf-8").partition(MARK)[0]
    luck = "These need rows of which the data has a handful. They are found at one seed and not at another:"
    return head + MARK + "\n".join([*_table(BUGS), "", luck, "", *_table(NEEDS_LUCK)]) + "\n"


def _table(bugs: list[Bug]) -> list[str]:
    rows = [f"| {bug.what} | `{bug.file}` | `{bug.route}` | `{bug.shows}…` |" for bug in bugs]
    return ["| error | file | found on | named |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
