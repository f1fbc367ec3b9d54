"""The files of a drafted project, as text. `folder` writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from api_gateway.draft.plan import Draft
from api_gateway.draft.source import contract_source
from api_gateway.errors import EnvironmentFault
from shared_models.snapshot import Snapshot
from shared_models.tables_source import tables_source, tables_stub

_TOML = """\
# {name}: the project beside your legacy app. No secrets here; those are BANYAN_* variables.
name = {quoted_name}
schemas = {schemas}

[legacy]
# Where the legacy app listens; `banyan up --legacy-url` and BANYAN_LEGACY_URL override it.
{url}
# How one machine starts it, for `banyan up` and `banyan verify`. Leave it out where it runs already.
# start = "gunicorn app.wsgi --bind {{host}}:{{port}}"
# prepare = ["…"]                 # commands for a new, empty database
# workdir = "../legacy"           # relative to this folder
# env = {{ DATABASE_URL = "{{database_url}}" }}
ready_path = "/"                  # answers below 500 when the app is up
panel_path = "/"                  # where an operations team enters

[api]
# The legacy app must not use this prefix itself.
prefix = "/api"
version = "v1"
title = {title}
# The wall clock that LocalTime fields mean which name no zone themselves: timestamps without time zone store none.
time_zone = "UTC"

[edge]
trusted_hops = 0                  # proxies in front of the edge whose X-Forwarded-For is believed
"""

_ROUTES = '''\
"""The migration on one page: the legacy requests that are listed, one entry each.

What is not listed goes from the edge straight to the legacy app.
"""

from __future__ import annotations

from api_gateway.routes import Route

routes: list[Route] = [
    # Route(
    #     "orders.list",                          # its name, everywhere
    #     "GET",
    #     "/partner/orders.xml",                  # `{no}` stands for one segment
    #     consumer=QueryToken("token"),           # how the legacy protocol names the caller
    #     successor="/api/v1/orders",             # what partners call instead, one day
    # ),
]
'''

_README = """\
# {name}

Drafted by `banyan init` from a database with {tables} tables and views: {exposed} became resources, {left} were
left out; {related} of {keys} foreign keys became relations. Everything left out stands in `contract.py` with its
reason. Nothing here has been written to your database.

| file | what it is | who writes it |
|---|---|---|
| `banyan.toml` | where legacy runs, prefixes, the time zone of naive timestamps | you |
| `contract.py` | what the API shows of the schema | you, starting from the draft |
| `routes.py` | the legacy requests to migrate, one entry each | you |
| `operations/` | endpoints for what is more than one row | you |
| `mimics/` | answers in the legacy app's own shape | you |
| `migrations/` | changes to the shared tables | you |
| `schema.lock.json` | the schema as it was when you last looked | `banyan check --write` |
| `tables.py`, `tables.pyi` | its tables, typed, for operations | `banyan check --write` |
| `contract.openapi.json` | the API document, frozen for review | `banyan check --write` |

## Next steps

1. Read `contract.py` from the top. Delete what nobody shall see, rename what has a bad name, take up the proposals.
   `Rows.all()` shows every row to everybody who has the scope: write `Rows.where(…)` where rows belong to somebody.
2. `banyan check --project . --database-url …` until it is silent; put the same line into CI.
3. `BANYAN_PROJECT=. banyan grants` prints the roles and the least privileges that the contract needs.
4. `banyan up --project . --database-url … --legacy-url …` serves it all beside the legacy app.
5. List the first legacy request in `routes.py`; `banyan routes list` shows where it stands.

Run `banyan init` again after the schema has changed: files that you have edited are never overwritten, what is new
is printed.
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the files say besides the draft itself."""

    name: str
    legacy_url: str | None


def project_files(draft: Draft, snapshot: Snapshot, facts: Facts) -> Mapping[str, str]:
    """Text by path inside the project's folder; everything but `contract.openapi.json`."""
    with ThreadPoolExecutor(1) as aside:
        contract = aside.submit(formatted, contract_source(draft))  # by another process, meanwhile:
        lock, tables, stub = snapshot.to_json(), tables_source(snapshot), tables_stub(snapshot)
    return {
        "__init__.py": f'"""{facts.name}: a project drafted by `banyan init`."""\n',
        "banyan.toml": _toml(snapshot, facts),
        "contract.py": contract.result(),
        "routes.py": _ROUTES,
        "operations/__init__.py": '"""Endpoints written by hand, for what is more than one row."""\n',
        "mimics/__init__.py": '"""Answers in the legacy app\'s own shape: deleted one day."""\n',
        "migrations/README.md": "Changes to the tables that the legacy app and the API share, as Alembic revisions.\n",
        "README.md": _readme(draft, snapshot, facts),
        "schema.lock.json": lock,
        "tables.py": tables,
        "tables.pyi": stub,
    }


def formatted(source: str) -> str:
    """Through ruff, with its defaults and not those of whatever folder the project happens to lie in."""
    command = [_ruff(), "format", "--isolated", "--line-length", "110", "--target-version", "py311", "-"]
    try:
        done = subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8", check=True)
    except FileNotFoundError:
        raise EnvironmentFault("ruff, which formats the draft, is not installed.", hint="pip install ruff") from None
    except subprocess.CalledProcessError as error:
        raise EnvironmentFault(f"ruff could not format the draft: {error.stderr.strip().splitlines()[0]}") from None
    return done.stdout


def _ruff() -> str:
    """The one of this environment, else the one on the path."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.exists() else "ruff"


def _toml(snapshot: Snapshot, facts: Facts) -> str:
    url = f"url = {_quoted(facts.legacy_url)}" if facts.legacy_url else '# url = "http://127.0.0.1:8080"'
    schemas = ", ".join(map(_quoted, snapshot.schemas))
    title = f"{facts.name} API"
    return _TOML.format(
        name=facts.name, quoted_name=_quoted(facts.name), schemas=f"[{schemas}]", url=url, title=_quoted(title)
    )


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _readme(draft: Draft, snapshot: Snapshot, facts: Facts) -> str:
    return _README.format(
        name=facts.name,
        tables=len(snapshot.tables),
        exposed=len(draft.resources),
        left=len(draft.left_out),
        related=draft.related,
        keys=draft.foreign_keys,
    )
