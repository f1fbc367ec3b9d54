"""Legacy triggers that would fail when the API writes: they run with the rights of whoever writes, who lacks some.

What a function touches stands in no catalog for PL/pgSQL. Its text is read, comments and literals aside, for the tables
that it names; what is built as text at run time, or written in another language, cannot be seen, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api_gateway.api.contract import touched_by
from api_gateway.check.disagreement import Code, Disagreement, Severity
from api_gateway.check.subject import Live, Subject
from shared_models.grants import deleted, inserted, place_of, updated
from shared_models.snapshot import Snapshot, Table, Trigger
from shared_models.state import API

Place = tuple[str, str]

_FUNCTIONS = """
SELECT t.tgrelid::bigint, n.nspname, c.relname, t.tgname, l.lanname, p.prosrc,
       coalesce((SELECT split_part(s, '=', 2) FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%%'), '')
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND NOT p.prosecdef AND n.nspname = ANY(%(schemas)s)
"""
_MAY = """
SELECT has_schema_privilege(r.oid, n.oid, 'USAGE')
       AND (has_table_privilege(r.oid, c.oid, %(what)s) OR has_any_column_privilege(r.oid, c.oid, %(what)s))
  FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.rolname = %(role)s AND n.nspname = %(schema)s AND c.relname = %(table)s
"""
_MAY_DELETE = _MAY.replace(" OR has_any_column_privilege(r.oid, c.oid, %(what)s)", "")
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_NAME = r'((?:"(?:[^"]|"")+"|[a-z_][\w$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[a-z_][\w$]*))?)'
_TOUCHES: Mapping[str, re.Pattern[str]] = {
    "INSERT": re.compile(rf"\binsert\s+into\s+{_NAME}", re.IGNORECASE),
    "UPDATE": re.compile(rf"\bupdate\s+(?:only\s+)?{_NAME}\s+(?:as\s+)?(?:\w+\s+)?set\b", re.IGNORECASE),
    "DELETE": re.compile(rf"\bdelete\s+from\s+(?:only\s+)?{_NAME}", re.IGNORECASE),
    "SELECT": re.compile(rf"(?<!delete\s)\b(?:from|join)\s+(?:only\s+)?{_NAME}", re.IGNORECASE),
}
_DYNAMIC = re.compile(r"\bexecute\b(?!\s+(?:function|procedure))", re.IGNORECASE)


def failing_triggers(subject: Subject, live: Live) -> Iterator[Disagreement]:
    if subject.contract is None or not _has_role(live):
        return
    written = _written(subject)
    if not written:
        return
    rows = live.connection.execute(_FUNCTIONS, {"schemas": list(live.snapshot.schemas)}).fetchall()
    for _, schema, table, name, language, body, path in rows:
        known = live.snapshot.table(schema, table)
        trigger = next((one for one in known.triggers if one.name == name), None) if known is not None else None
        if known is None or trigger is None or not _fires(trigger, written.get((schema, table), ())):
            continue
        if language not in ("plpgsql", "sql") or _DYNAMIC.search(_NOISE.sub(" ", body)):
            yield _unseen(known, trigger, language)
        for privilege, place in sorted(touched(body, live.snapshot, path or schema)):
            if not _may(live, place, privilege):
                yield _lacking(known, trigger, privilege, place)


def touched(body: str, snapshot: Snapshot, search: str = "public") -> set[tuple[str, Place]]:
    """(privilege, table) of what a function's text names, as far as they are tables of the snapshot."""
    text = _NOISE.sub(" ", body)
    schemas = [part.strip().strip('"') for part in search.split(",")] + ["public", *snapshot.schemas]
    found: set[tuple[str, Place]] = set()
    for privilege, pattern in _TOUCHES.items():
        for match in pattern.finditer(text):
            parts = [_plain(part) for part in re.findall(r'"(?:[^"]|"")+"|[A-Za-z_][\w$]*', match[1])]
            places = [(parts[0], parts[1])] if len(parts) == 2 else [(schema, parts[0]) for schema in schemas]
            place = next((one for one in places if snapshot.table(*one) is not None), None)
            if place is not None:
                found.add((privilege, place))
    return found


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _written(subject: Subject) -> dict[Place, set[str]]:
    """Events by table, of what resources and operations write. Mimics too: they run under the same role."""
    found: dict[Place, set[str]] = {}
    if subject.contract is None:
        return found
    resources = subject.contract.together()
    for resource in resources:
        for place, columns in inserted(resource, resources).items():
            found.setdefault(place, set()).update({"insert"} if columns else ())
        if updated(resource):
            found.setdefault((resource.table.schema, resource.table.name), set()).add("update")
    for place in deleted(resources):
        found.setdefault(place, set()).add("delete")
    for touches in touched_by(subject.project, subject.contract):
        events: Iterable[tuple[str, Iterable[str]]] = (
            ("insert", touches.insert),
            ("update", touches.update),
            ("delete", touches.delete),
        )
        for event, names in events:
            for name in names:
                found.setdefault(place_of(name), set()).add(event)
    return found


def _fires(trigger: Trigger, events: Iterable[str]) -> bool:
    return trigger.enabled and not trigger.security_definer and bool(set(trigger.events) & set(events))


def _has_role(live: Live) -> bool:
    return live.connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [API]).fetchone() is not None


def _may(live: Live, place: Place, privilege: str) -> bool:
    schema, table = place
    known: dict[str, Any] = {"role": API, "what": privilege, "schema": schema, "table": table}
    row = live.connection.execute(_MAY_DELETE if privilege == "DELETE" else _MAY, known).fetchone()
    return bool(row and row[0])


def _lacking(table: Table, trigger: Trigger, privilege: str, place: Place) -> Disagreement:
    other = ".".join(place)
    return _found(
        "trigger_rights",
        "warning",
        table,
        f"trigger {trigger.name} calls {trigger.function} with the rights of whoever writes; it names {other}, on which"
        f" {API} has no {privilege}: a write of the API that gets there fails",
        f"Declare it: @touches({privilege.lower()}=…{other}…), then `banyan grants --apply`; or make the function"
        " SECURITY DEFINER with a fixed search_path.",
        {"trigger": trigger.name, "function": trigger.function, "privilege": privilege, "touches": other},
    )


def _unseen(table: Table, trigger: Trigger, language: str) -> Disagreement:
    return _found(
        "trigger_unseen",
        "note",
        table,
        f"trigger {trigger.name} calls {trigger.function} ({language}) with the rights of whoever writes; what it"
        " touches cannot be seen from outside",
        f"Try a write as {API} on a copy of the database.",
        {"trigger": trigger.name, "function": trigger.function},
    )


def _found(
    code: Code, severity: Severity, table: Table, message: str, advice: str, details: dict[str, Any]
) -> Disagreement:
    return Disagreement(
        code=code,
        severity=severity,
        between="contract and triggers",
        message=message,
        advice=advice,
        table=table.qualified,
        details=details,
    )
