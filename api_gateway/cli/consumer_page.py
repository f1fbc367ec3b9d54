"""What `banyan consumers list|show|keys` print: the register's entry, what is still called, the mail to send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from api_gateway.cli.database import owner_connection
from api_gateway.cli.tables import print_table, shown
from api_gateway.consumers import consumer_summaries
from api_gateway.errors import UsageError
from api_gateway.moves import StillCalled, mail, read_still_called
from api_gateway.project import Project, load_project
from api_gateway.settings import settings


def summaries() -> list[dict[str, Any]]:
    with owner_connection(settings()) as connection:
        return consumer_summaries(connection)


def summary(code: str) -> dict[str, Any]:
    """Raises UsageError for an unknown consumer."""
    row = next((row for row in summaries() if row["code"] == code), None)
    if row is None:
        raise UsageError(f"there is no consumer {code}.", hint="`banyan consumers list` shows them.")
    return row


def print_consumer(code: str, *, as_json: bool) -> None:
    row, project = summary(code), _project()
    still = _still_called(project, code)
    text = mail(project, row["name"], row["contact"], still) if project is not None else ""
    if as_json:
        print_json({**row, "still_called": [one.as_json() for one in still], "mail": text})
        return
    print(f"{row['code']}: {shown(row['name'])}")
    print(f"contact: {shown(row['contact']) or 'none'}")
    if row["notes"]:
        print(f"notes: {shown(row['notes'])}")
    print(f"scopes: {' '.join(row['scopes']) or 'none'}")
    print(f"version of the API: {_version(row['version'], project)}")
    print(f"requests per minute: {'as the project says' if row['per_minute'] is None else row['per_minute']}")
    print(f"values: {', '.join(f'{key}={value}' for key, value in row['values'].items()) or 'none'}")
    print()
    print_credentials(row)
    if project is None:
        return
    print()
    if not still:
        print("It called nothing of the legacy protocol in 30 days.")
        return
    _print_still_called(still)
    print(f"\n{chr(10).join(shown(line) for line in text.splitlines())}")


def print_credentials(row: dict[str, Any]) -> None:
    print_table(
        ["ID", "KIND", "HINT", "SCOPES", "CREATED", "LAST USED", "ENDS", "REVOKED"],
        [
            [
                *(one[column] for column in ("id", "kind", "hint")),
                "all" if one["scopes"] is None else " ".join(one["scopes"]),
                *(one[column] for column in ("created", "last_used", "expires", "revoked")),
            ]
            for one in row["credentials"]
        ],
    )


def known_version(version: str | None) -> str | None:
    """The version as it was given. Raises UsageError for one that the project does not have."""
    project = _project() if version else None
    if project is not None and version not in project.versions:
        raise UsageError(f"there is no version {version} of the API.", hint=f"There is: {', '.join(project.versions)}.")
    return version


def live(row: dict[str, Any]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        one for one in row["credentials"] if one["revoked"] is None and (one["expires"] is None or one["expires"] > now)
    ]


def print_json(document: object) -> None:
    print(json.dumps(document, indent=2, default=str))


def _project() -> Project | None:
    """None where the command is run beside no project: the register can be kept from anywhere."""
    folder = settings().project
    return load_project(folder) if (folder / "banyan.toml").exists() else None


def _still_called(project: Project | None, code: str) -> tuple[StillCalled, ...]:
    if project is None:
        return ()
    with owner_connection(settings()) as connection:
        return read_still_called(connection, project, code)


def _version(version: str | None, project: Project | None) -> str:
    if version is None:
        return "as the address says"
    if project is not None and version not in project.versions:
        return f"{version}, which is not served any more: `banyan consumers set` changes it"
    return f"{version}, where an address names none"


def _print_still_called(still: tuple[StillCalled, ...]) -> None:
    print_table(
        ["STILL CALLED", "ADDRESS", "STAGE", "CALLS", "BY LEGACY", "LAST", "INSTEAD", "UNTIL"],
        [
            [
                one.route,
                one.address,
                one.stage,
                one.calls,
                one.by_legacy,
                one.last,
                one.successor or "nothing yet",
                one.deadline or "no end is set",
            ]
            for one in still
        ],
    )
