"""`banyan consumers`: who may call, and by what they are known. Secrets come from standard input, not as arguments."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from psycopg import Connection

    from api_gateway.settings import Settings

app = typer.Typer(help="Register consumers, their API keys and their legacy tokens.", no_args_is_help=True)


class Kind(StrEnum):
    """How a consumer is known: an API key, or what the legacy protocol carries."""

    api_key = "api_key"
    query = "query"
    form = "form"
    header = "header"
    basic = "basic"
    path = "path"
    certificate = "certificate"


Code = Annotated[str, typer.Argument(help="The consumer's code.")]
Test = Annotated[bool, typer.Option("--test", help="A test key: all that it writes is rolled back.")]
Contact = Annotated[str | None, typer.Option(help="Whom to write to: an address, for people.")]
Notes = Annotated[str | None, typer.Option(help="What is to be known of it, for people.")]
Version = Annotated[
    str | None, typer.Option(help="Its version of the API, where an address names none: v1. Empty: none.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="For people.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="What it may do, such as orders:read. Repeatable.")] = None,
    value: Annotated[list[str] | None, typer.Option(help="What its rows are told apart by: name=value.")] = None,
    per_minute: Annotated[int | None, typer.Option(min=0, help="Requests; 0: any number.")] = None,
    contact: Contact = None,
    notes: Notes = None,
    version: Version = None,
) -> None:
    """Register a consumer."""
    from api_gateway import consumers
    from api_gateway.cli.consumer_page import known_version
    from api_gateway.cli.database import owner_connection
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        consumers.add_consumer(
            connection,
            code,
            name or code,
            scopes=scope or [],
            values=_values(value or []),
            per_minute=per_minute,
            contact=contact or "",
            notes=notes or "",
            version=known_version(version) or None,
        )
        print(f"{code} is registered.")
        _wait(connection, settings())


@app.command()
def limit(
    code: Code,
    per_minute: Annotated[int | None, typer.Option(min=0, help="Requests; 0: any number; left out: as all.")] = None,
) -> None:
    """Set how many requests of the typed API a consumer may make in a minute."""
    from api_gateway import consumers
    from api_gateway.cli.database import owner_connection
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        consumers.limit_consumer(connection, code, per_minute)
        told = "as the project says" if per_minute is None else "any number" if per_minute == 0 else str(per_minute)
        print(f"{code}: requests per minute: {told}.")
        _wait(connection, settings())


@app.command("set")
def set_(
    code: Code,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    contact: Contact = None,
    notes: Notes = None,
    version: Version = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do from now on; those before are gone. Repeatable.")
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option(help="What its rows are told apart by from now on: name=value.")
    ] = None,
) -> None:
    """Change what is known of a consumer; what is not said stays."""
    from api_gateway import consumers
    from api_gateway.cli.consumer_page import known_version
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import UsageError
    from api_gateway.settings import settings

    if all(one is None for one in (name, contact, notes, version, scope, value)):
        raise UsageError("nothing is to be changed.", hint="`banyan consumers set --help` tells what can be.")
    with owner_connection(settings()) as connection:
        consumers.change_consumer(
            connection,
            code,
            name=name,
            contact=contact,
            notes=notes,
            version=known_version(version),
            scopes=scope,
            values=_values(value) if value is not None else None,
        )
        print(f"{code} is changed.")
        _wait(connection, settings())


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every consumer."""
    from api_gateway.cli.consumer_page import live, print_json, summaries
    from api_gateway.cli.tables import print_table

    found = summaries()
    if as_json:
        print_json(found)
        return
    print_table(
        ["CODE", "NAME", "CONTACT", "VERSION", "SCOPES", "KNOWN BY", "LAST USED"],
        [
            [
                row["code"],
                row["name"],
                row["contact"],
                row["version"],
                " ".join(row["scopes"]),
                ", ".join(f"{one['kind']} {one['hint']}" for one in live(row)),
                max((one["last_used"] for one in live(row) if one["last_used"]), default=None),
            ]
            for row in found
        ],
    )


@app.command()
def show(code: Code, as_json: AsJson = False) -> None:
    """Show one consumer, what it still calls on legacy, and the mail that asks it to leave."""
    from api_gateway.cli.consumer_page import print_consumer

    print_consumer(code, as_json=as_json)


@app.command()
def keys(code: Code, as_json: AsJson = False) -> None:
    """List everything that a consumer is or was known by."""
    from api_gateway.cli.consumer_page import print_credentials, print_json, summary

    row = summary(code)
    if as_json:
        print_json(row["credentials"])
    else:
        print_credentials(row)


@app.command()
def key(
    code: Code,
    kind: Annotated[
        Kind, typer.Option(help="What the legacy protocol carries, read from standard input.")
    ] = Kind.api_key,
    scope: Annotated[
        list[str] | None, typer.Option(help="Fewer than the consumer has: what this key may do. Repeatable.")
    ] = None,
    expires_in: Annotated[str | None, typer.Option(help="When the key ends, from now: 90d, 12h.")] = None,
    test: Test = False,
) -> None:
    """Make an API key and print it this once; or, with --kind, make a legacy token known."""
    from api_gateway import consumers
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.durations import duration
    from api_gateway.errors import UsageError
    from api_gateway.settings import settings

    ends = None if expires_in is None else duration(expires_in)
    if kind is not Kind.api_key and (scope or ends is not None or test):
        raise UsageError("--scope, --expires-in and --test are of API keys.")
    secret = None if kind is Kind.api_key else _read_secret(kind)
    with owner_connection(settings()) as connection:
        if secret is None:
            _show_once(consumers.create_key(connection, code, scopes=scope, expires_in=ends, is_test=test))
        else:
            consumers.add_credential(connection, code, kind.value, secret)
            print(f"{code} is now known by this {kind}.")
        _wait(connection, settings())


@app.command()
def rotate(
    code: Code,
    overlap: Annotated[str, typer.Option(help="How long the old key is good besides: 7d, 1h.")] = "7d",
    test: Test = False,
) -> None:
    """Make a key like the newest one and print it this once; the old one ends after the overlap."""
    from api_gateway import consumers
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.durations import duration
    from api_gateway.settings import settings

    time = duration(overlap)
    with owner_connection(settings()) as connection:
        _show_once(consumers.rotate_key(connection, code, time, is_test=test))
        print(f"The old one is good for {overlap} more.", file=sys.stderr)
        _wait(connection, settings())


@app.command()
def revoke(
    code: Code,
    credential: Annotated[int | None, typer.Option(help="Number of the credential, from `show`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything the consumer is known by.")] = False,
) -> None:
    """Revoke a credential. Exits 0 when no live process accepts it any more."""
    from api_gateway import consumers
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import UsageError
    from api_gateway.settings import settings

    if (credential is None) == (not all_):
        raise UsageError(
            "say which: --credential NUMBER, or --all.", hint=f"`banyan consumers show {code}` lists them."
        )
    with owner_connection(settings()) as connection:
        ended = consumers.revoke(connection, code, credential=credential)
        print(f"{ended} revoked." if ended else "nothing was live; nothing changed.")
        _wait(connection, settings())


def _show_once(secret: str) -> None:
    print(secret, flush=True)
    print("This is the only time that the key is shown.", file=sys.stderr)


def _wait(connection: Connection[Any], settings: Settings) -> None:
    """Until every live process knows the change. Raises Finding naming those that do not."""
    from api_gateway.consumers import register_version
    from api_gateway.errors import Finding
    from api_gateway.ledger import await_processes, names, register_laggards

    version = register_version(connection)
    late = await_processes(lambda: register_laggards(connection, version), settings.acknowledge_timeout)
    if late:
        raise Finding(f"done, but not yet known to {names(late)}.")


def _read_secret(kind: Kind) -> str:
    what = "user:password" if kind is Kind.basic else f"the {kind} secret"
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def _values(pairs: list[str]) -> dict[str, str]:
    from api_gateway.errors import UsageError

    values: dict[str, str] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise UsageError(f"--value {pair!r} must be name=value.")
        values[key] = text
    return values
