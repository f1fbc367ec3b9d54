"""The legacy app and our API, each over a copy of the same database: what both were told to do, row by row."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import psycopg

from tests.support.accounts import SECRET_KEY
from tests.support.api import Api
from tests.support.legacy import running_legacy

LEGACY = Path(__file__).parent.parent.parent / "legacy_admin"
UNSEEN = {"django_session": None, "auth_user": {"last_login"}}
"""What logging in to the panel writes: no business of a flow."""

Row = tuple[str, tuple[Any, ...]]


def token(partner: str) -> str:
    return hashlib.sha256(f"northgate-demo-token-{partner}".encode()).hexdigest()[:32]


def basic(partner: str) -> tuple[str, str]:
    return partner, hashlib.sha256(f"northgate-demo-password-{partner}".encode()).hexdigest()[:32]


@dataclass
class BothSides:
    """`url`: our copy as its administrator sees it; `legacy_url`: theirs; `legacy`: where the legacy app listens."""

    api: Api
    url: str
    legacy: str
    legacy_url: str

    def prepare(self, statements: str) -> None:
        """The same change to both."""
        for url in (self.url, self.legacy_url):
            with psycopg.connect(url) as connection:
                connection.execute(statements.encode())

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Of ours."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def as_partner(self, path: str, partner: str = "ACME", **form: str) -> httpx2.Response:
        """A form post of a partner's program, named by token and by password."""
        form = {"token": token(partner), **form}
        return httpx2.post(f"{self.legacy}{path}", data=form, auth=basic(partner), timeout=30)

    @cached_property
    def desk(self) -> httpx2.Client:
        """A clerk's browser, logged in to the legacy panel and its admin pages."""
        client = httpx2.Client(base_url=self.legacy, follow_redirects=True, timeout=30)
        self.send(client, "/panel/login/", username="admin", password="northgate")
        return client

    def at_the_desk(self, page: str, **fields: Any) -> str:
        return self.send(self.desk, page, **fields)

    @staticmethod
    def send(client: httpx2.Client, page: str, **fields: Any) -> str:
        """Fill in the page's form as a browser would, its CSRF token included."""
        found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', client.get(page).text)
        assert found
        answer = client.post(page, data={"csrfmiddlewaretoken": found[1], **fields})
        assert answer.status_code == 200, answer.text
        return answer.text

    def take_over_the_sessions(self) -> None:
        """Who is signed in to the legacy panel is so over ours. Signing in, Django renews the password's hash."""
        with psycopg.connect(self.legacy_url) as theirs, psycopg.connect(self.url) as ours:
            rows = theirs.execute("SELECT session_key, session_data, expire_date FROM django_session").fetchall()
            ours.cursor().executemany("INSERT INTO django_session VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", rows)
            hashes = theirs.execute("SELECT password, id FROM auth_user").fetchall()
            ours.cursor().executemany("UPDATE auth_user SET password = %s WHERE id = %s", hashes)

    def differences(self) -> tuple[Counter[Row], Counter[Row]]:
        """Rows of ours that they do not have, rows of theirs that we do not have."""
        ours, theirs = images(self.url), images(self.legacy_url)
        return ours - theirs, theirs - ours

    def assert_same(self) -> None:
        more, less = self.differences()
        assert (sorted(more.elements(), key=str), sorted(less.elements(), key=str)) == ([], [])


def images(url: str) -> Counter[Row]:
    """Every row of every table of the legacy app; a moment that is now reads `now`, a salted hash reads `hash`."""
    found: Counter[Row] = Counter()
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        for (table,) in tables:
            hidden = UNSEEN.get(table, set())
            if hidden is None:
                continue
            cursor = connection.execute(f'SELECT * FROM "{table}"'.encode())
            names = [column.name for column in cursor.description or ()]
            shown = [n for n, name in enumerate(names) if name not in hidden]
            found.update((table, tuple(_steady(row[n]) for n in shown)) for row in cursor)
    return found


def _steady(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("pbkdf2_sha256$"):
        return "hash"
    if not isinstance(value, datetime):
        return value
    now = datetime.now(UTC) if value.tzinfo else datetime.now(ZoneInfo("America/New_York")).replace(tzinfo=None)
    return "now" if abs(now - value) < timedelta(minutes=5) else value


def said_by_django(url: str, code: str) -> str:
    """What the legacy app's own code says in its shell, over this database."""
    environment = {**os.environ, "NORTHGATE_DATABASE_URL": url}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    answer = subprocess.run(command, cwd=LEGACY, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@contextmanager
def both_sides(clone: Callable[[str], str], template: str, serve: Callable[[str], Any]) -> Iterator[BothSides]:
    """Two copies of the template; `serve` gives our API over a database."""
    url, legacy_url = clone(template), clone(template)
    with running_legacy(legacy_url, NORTHGATE_SECRET_KEY=SECRET_KEY) as legacy, serve(url) as api:
        yield BothSides(api, url, legacy, legacy_url)
