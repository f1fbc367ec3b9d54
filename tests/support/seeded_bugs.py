"""Writes the table of deliberate errors into its page: `python -m tests.support.seeded_bugs`."""

from __future__ import annotations

from pathlib import Path

from tests.verify.seeded_bugs import BUGS

PAGE = Path(__file__).parent.parent.parent / "docs" / "explanation" / "seeded-bugs.md"
MARK = "<!-- written by tests.support.seeded_bugs -->\n"


def page() -> str:
    """The page with the table as the errors are now."""
    head = PAGE.read_text("utf-8").partition(MARK)[0]
    rows = [f"| {bug.what} | `{bug.file}` | `{bug.route}` | `{bug.shows}…` |" for bug in BUGS]
    table = ["| error | file | found on | named |", "|---|---|---|---|", *rows]
    return head + MARK + "\n".join(table) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
