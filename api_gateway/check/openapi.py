"""Is the API still what the frozen OpenAPI document promises?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api_gateway.api.freeze import frozen_documents
from api_gateway.check.callers import scopes_of
from api_gateway.check.disagreement import Code, Disagreement, Severity
from api_gateway.check.documents import Difference, differences
from api_gateway.check.subject import Subject
from api_gateway.errors import UsageError

_FREEZE = "`banyan check --write` freezes the document anew."


def against_frozen_document(subject: Subject) -> Iterator[Disagreement]:
    """Of each version. Raises UsageError when a file is there and cannot be read."""
    if subject.contract is None:
        return
    for version, document in frozen_documents(subject.project, subject.contract).items():
        yield from _of_version(subject, subject.project.openapi_path_of(version), document)


def _of_version(subject: Subject, path: Path, document: bytes) -> Iterator[Disagreement]:
    try:
        committed = path.read_bytes()
        if committed == document:
            return
        before = json.loads(committed)
    except FileNotFoundError:
        yield _found("openapi_missing", "error", "the frozen document is missing", _FREEZE, path.name)
        return
    except ValueError:
        yield _found("openapi_unreadable", "error", "the frozen document is no JSON", _FREEZE, path.name)
        return
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from None
    found = list(differences(before, json.loads(document)))
    for one in found or [Difference(False, "descriptions or details changed", frozenset())]:
        if one.breaking:
            advice = f"Consumers may rely on it: bring it back, or agree with them and then {_FREEZE}"
            details = {"paths": sorted(one.paths), "scopes": scopes_of(subject, one.paths)}
            yield _found("openapi_breaking", "error", one.message, advice, path.name, details)
        else:
            yield _found("openapi_changed", "warning", one.message, f"If it is meant: {_FREEZE}", path.name)


def _found(
    code: Code, severity: Severity, message: str, advice: str, file: str, details: dict[str, Any] | None = None
) -> Disagreement:
    return Disagreement(
        code=code,
        severity=severity,
        between="contract and frozen OpenAPI",
        message=message,
        advice=advice,
        file=file,
        details=details,
    )
