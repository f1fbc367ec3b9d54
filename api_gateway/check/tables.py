"""Operations are typed by `tables.py`: one of another snapshot would let the type checker approve what fails."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Subject
from shared_models.tables_source import tables_source


def outdated_tables(subject: Subject) -> Iterator[Disagreement]:
    path = subject.project.folder / "tables.py"
    if subject.contract is not None and path.exists() and path.read_text("utf-8") != tables_source(subject.snapshot):
        yield Disagreement(
            code="tables_outdated",
            severity="error",
            between="tables.py and snapshot",
            message="tables.py is of another snapshot",
            advice="`banyan check --write` generates it anew.",
            file=path.name,
        )
