"""Run `banyan` as a person does: its words, its variables, what it prints, how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_gateway import cli
from api_gateway.settings import settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line that tells what is wrong (a hint may follow, indented). Fails when there is more, or a trace."""
        first, *rest = self.err.rstrip("\n").split("\n")
        assert first.startswith("banyan: "), self.err
        assert all(line.startswith("        ") for line in rest), self.err
        return first.removeprefix("banyan: ")


@dataclass(frozen=True, slots=True)
class Banyan:
    """The command line in this process (a process of its own costs half a second each time), in a folder of its own.

    `variables` are the BANYAN_* variables that are set for it; there are no others.
    """

    folder: Path
    variables: Mapping[str, str]

    def __call__(self, *words: str, stdin: str = "", **variables: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with _as_called(self.folder, {**self.variables, **variables}, words, stdin):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    cli.main()
                    code = 0
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return Answer(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_called(folder: Path, variables: Mapping[str, str], words: tuple[str, ...], stdin: str) -> Iterator[None]:
    environment, arguments, reader = dict(os.environ), sys.argv, sys.stdin
    kept = {name: value for name, value in environment.items() if not name.startswith("BANYAN_")}
    try:
        _set_environment({**kept, **variables})
        sys.argv, sys.stdin = ["banyan", *words], io.StringIO(stdin)
        settings.cache_clear()
        with contextlib.chdir(folder):
            yield
    finally:
        _set_environment(environment)
        sys.argv, sys.stdin = arguments, reader
        settings.cache_clear()


def _set_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
