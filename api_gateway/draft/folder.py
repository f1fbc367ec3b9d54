"""Writes the files of a draft and remembers what it wrote: a file that somebody edited is never touched again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from api_gateway.draft.drafting import Selection
from api_gateway.draft.plan import Draft, TableName
from api_gateway.errors import EnvironmentFault, UsageError

MEMORY = ".banyan-init.json"

Outcome = Literal["written", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier runs wrote: the hash of each file, of each table the columns and relations, the tables asked for."""

    hashes: Mapping[str, str] = field(default_factory=dict)
    drafted: Mapping[TableName, frozenset[str]] = field(default_factory=dict)
    related: Mapping[TableName, frozenset[str]] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)


def read_memory(folder: Path) -> Memory:
    """Raises UsageError when the file is there and cannot be read: without it every file would seem edited."""
    path = folder / MEMORY
    try:
        document = json.loads(path.read_text("utf-8"))
        drafted = {(schema, table): frozenset(columns) for schema, table, columns, _ in document["drafted"]}
        related = {(schema, table): frozenset(relations) for schema, table, _, relations in document["drafted"]}
        selection = Selection(tuple(document["include"]), tuple(document["exclude"]))
        return Memory(document["files"], drafted, related, selection)
    except FileNotFoundError:
        return Memory()
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} cannot be read.", hint="Restore it from version control, or delete it.") from None


def is_edited(folder: Path, name: str, memory: Memory) -> bool:
    """Is the file there, and not as an earlier run left it?"""
    text = _read(folder / name)
    return text is not None and memory.hashes.get(name) != _hash(text.encode())


def write_files(folder: Path, files: Mapping[str, str], memory: Memory, draft: Draft) -> dict[str, Outcome]:
    """Writes what is new, keeps what somebody edited. Each file appears whole or not at all.

    Raises EnvironmentFault when the folder cannot be written.
    """
    outcomes: dict[str, Outcome] = {}
    hashes = dict(memory.hashes)
    try:
        for name, text in files.items():
            outcomes[name] = _write(folder / name, text, hashes.get(name))
            if outcomes[name] != "kept":
                hashes[name] = _hash(text.encode())
        # What an edited contract has not taken up stays new until the contract is drafted afresh.
        if outcomes.get("contract.py") != "kept":
            related = {r.name: frozenset(relation.ends for relation in r.relations) for r in draft.resources}
            memory = replace(memory, drafted=_drafted(draft), related=related)
        _remember(folder, replace(memory, hashes=hashes))
    except OSError as error:
        raise EnvironmentFault(f"cannot write {error.filename or folder}: {error.strerror}.") from None
    return outcomes


def write_generated(folder: Path, name: str, content: bytes) -> None:
    """Replaces a file that nobody edits by hand, and remembers it as ours. Raises EnvironmentFault."""
    memory, path = read_memory(folder), folder / name
    try:
        if not path.exists() or path.read_bytes() != content:
            _replace(path, content)
        if memory.hashes:
            _remember(folder, replace(memory, hashes={**memory.hashes, name: _hash(content)}))
    except OSError as error:
        raise EnvironmentFault(f"cannot write {error.filename or folder}: {error.strerror}.") from None


def _write(path: Path, text: str, written_before: str | None) -> Outcome:
    present = _read(path)
    if present == text:
        return "unchanged"
    if present is not None and _hash(present.encode()) != written_before:
        return "kept"
    _replace(path, text.encode())
    return "written"


def _drafted(draft: Draft) -> dict[TableName, frozenset[str]]:
    columns = {r.name: {field.column for field in r.fields} for r in draft.resources}
    for left in (left for resource in draft.resources for left in resource.left_out):
        columns[left.schema, left.table].add(left.what or "")
    columns.update({(left.schema, left.table): set() for left in draft.left_out})
    return {name: frozenset(names) for name, names in columns.items()}


def _remember(folder: Path, memory: Memory) -> None:
    """One line per file and table, so that a review sees what changed."""
    files = [f"  {json.dumps(name)}: {json.dumps(memory.hashes[name])}" for name in sorted(memory.hashes)]
    tables = [
        "  "
        + json.dumps([*name, sorted(memory.drafted[name]), sorted(memory.related.get(name, ()))], ensure_ascii=False)
        for name in sorted(memory.drafted)
    ]
    parts = [
        ' "files": {\n' + ",\n".join(files) + "\n }",
        f' "include": {json.dumps(memory.selection.include)}',
        f' "exclude": {json.dumps(memory.selection.exclude)}',
        ' "drafted": [\n' + ",\n".join(tables) + "\n ]",
    ]
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    if _read(folder / MEMORY) != text:
        _replace(folder / MEMORY, text.encode())


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""  # not ours, whatever it is: it will count as edited


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
