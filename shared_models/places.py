"""Where in a contract's source a class or a field stands, for messages a person can act on."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from shared_models.contract import Resource
from shared_models.resources import Finding


class Places:
    """Reads each source file at most once, and only when there is something to report."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}

    def finding(
        self,
        cls: type[Resource],
        table: str,
        column: str | None,
        message: str,
        attribute: str | None = None,
        *,
        verbs: tuple[str, ...] = (),
        link: str | None = None,
    ) -> Finding:
        file, line = self.find(cls, attribute)
        named = f"{attribute}: {message}" if attribute is not None and attribute != column else message
        return Finding(Path(file).name, line, cls.__name__, table, column, named, verbs, link)

    def find(self, cls: type[Resource], attribute: str | None = None) -> tuple[str, int]:
        """File and line of the field, else of the class; line 0 where the source cannot be read."""
        try:
            file = inspect.getfile(cls)
        except (OSError, TypeError):
            return cls.__module__, 0
        tree = self._tree(file)
        classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == cls.__name__] if tree else []
        for node in classes:
            for statement in node.body:
                target = statement.target if isinstance(statement, ast.AnnAssign) else None
                if attribute is not None and isinstance(target, ast.Name) and target.id == attribute:
                    return file, statement.lineno
        return file, classes[0].lineno if classes else 0

    def _tree(self, file: str) -> ast.Module | None:
        if file not in self._trees:
            try:
                self._trees[file] = ast.parse(Path(file).read_text("utf-8"))
            except (OSError, SyntaxError):
                self._trees[file] = None
        return self._trees[file]
