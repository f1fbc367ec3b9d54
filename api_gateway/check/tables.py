"""Operations are typed by `tables.pyi`: one of another snapshot would let the type checker approve what fails."""

from __future__ import annotations

from collections.abc import Iterator

from api_gateway.check.disagreement import Disagreement
from api_gateway.check.subject import Subject
from shared_models.tables_source import tables_source, tables_stub


def outdated_tables(subject: Subject) -> Iterator[Disagreement]:
    if subject.contract is None or not (subject.project.folder / "tables.py").exists():
        return
    for name, source in (("tables.py", tables_source), ("tables.pyi", tables_stub)):
        path = subject.project.folder / name
        if not path.exists() or path.read_text("utf-8") != source(subject.snapshot):
            yield Disagreement(
                code="tables_outdated",
                severity="error",
                between=f"{name} and snapshot",
                message=f"{name} is of another snapshot",
                advice="`banyan check --write` generates it anew.",
                file=name,
            )
