"""A large, awkward schema of our own making, for tests and benchmarks: the same parameters give the same SQL.

Spread over it: several schemas; names with hyphens, blanks, upper case, other alphabets and reserved words; tables
without a key, with composite and natural keys; foreign keys across schemas, composite, deferrable, to themselves;
enums, domains, row types, arrays, ranges; defaults, generated columns, checks, partial and expression indexes;
partitions, heirs, views over views, triggers, functions (most of them called by nobody), policies, comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import psycopg

_SCHEMAS = ("core", "Sales Dept", "hr-2", "ARCHIVE", "wörter")
_STEMS = ("cust_hdr", "Order-Lines", "Unit Price List", "UserData", "tbl", "ключ", "select", "stock level", "x_ref")
_COLUMNS = (
    ("nm", "varchar(40) NOT NULL DEFAULT ''"),
    ("Unit Price", "numeric(12,2)"),
    ("no-ship", "char(1) DEFAULT 'N'"),
    ("UpdatedAt", "timestamp"),
    ("crt_dt", "timestamptz NOT NULL DEFAULT now()"),
    ("stat", "core.state DEFAULT 'new'"),
    ("order", "int"),
    ("mail", "core.email"),
    ("tags", "text[] NOT NULL DEFAULT '{}'"),
    ("Größe", "double precision"),
    ("doc", "jsonb"),
    ("home", "core.place"),
    ("valid", "daterange"),
    ("big", "bigint DEFAULT 0"),
    ("raw", "bytea"),
    ("addr", "inet"),
    ("took", "interval"),
    ("from", "date"),
    ("ok?", "boolean NOT NULL DEFAULT true"),
    ("states", "core.state[]"),
)
_KEYS = {  # (column, type, type of a column that refers to it)
    "identity": (("id", "bigint GENERATED ALWAYS AS IDENTITY", "bigint"),),
    "serial": (("Id", "serial", "int"),),
    "uuid": (("id", "uuid DEFAULT gen_random_uuid()", "uuid"),),
    "natural": (("code", "char(8)", "char(8)"),),
    "composite": (("tenant", "int", "int"), ("nr", "int", "int")),
    "partitioned": (("id", "int", "int"), ("day", "date", "date")),
    "keyless": (),
}
_TURN = ("identity", "serial", "identity", "composite", "uuid", "identity", "natural", "serial", "identity", "identity")
_BOUNDS = ("FROM (MINVALUE) TO ('2026-01-01')", "FROM ('2026-01-01') TO (MAXVALUE)")


@dataclass(frozen=True, slots=True)
class Large:
    """`tables` counts partitions too; `columns` is the mean of a table's; views come on top of the tables.

    `rows`: of each table that takes a row of nothing but defaults.
    """

    tables: int = 1000
    columns: int = 12
    views: int = 200
    functions: int = 1000
    rows: int = 0

    def statements(self) -> Iterator[str]:
        """SQL, in an order in which it runs."""
        yield from _preparations(self.functions)
        made = list(_tables(self))
        for table in made:
            yield from table.creation()
        for table in made:
            yield from table.additions()
        yield from _views(self.views, made)
        for table in made:
            if table.kind in ("identity", "serial", "uuid", "keyless"):
                yield f"INSERT INTO {table.place} DEFAULT VALUES;" * self.rows

    def load(self, url: str) -> None:
        """Into an empty database: many statements at a time, but not more than the server's lock table bears."""
        with psycopg.connect(url, autocommit=True) as connection:
            batch: list[str] = []
            for statement in self.statements():
                batch.append(statement)
                if len(batch) == 100:
                    connection.execute(";".join(batch).encode())
                    batch.clear()
            connection.execute(";".join(batch).encode())


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class _Table:
    number: int
    width: int
    kind: str
    references: tuple[_Table, ...]

    @property
    def schema(self) -> str:
        return _SCHEMAS[self.number % len(_SCHEMAS)]

    @property
    def name(self) -> str:
        return f"{_STEMS[self.number % len(_STEMS)]}{'-' if self.number % 4 == 1 else '_'}{self.number}"

    @property
    def place(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def key(self) -> str:
        return ", ".join(quoted(name) for name, _, _ in _KEYS[self.kind])

    def foreign(self) -> list[list[tuple[str, str]]]:
        """For each reference its own columns, as names and types."""
        return [
            [(f"{name}_of_{n}", kind) for name, _, kind in _KEYS[target.kind]]
            for n, target in enumerate(self.references)
        ]

    def columns(self) -> list[tuple[str, str]]:
        found = [(name, kind) for name, kind, _ in _KEYS[self.kind]]
        found += [column for columns in self.foreign() for column in columns]
        for n in range(self.width - len(found)):
            name, kind = _COLUMNS[(self.number * 7 + n) % len(_COLUMNS)]
            found.append((name if n < len(_COLUMNS) else f"{name} {n}", kind))
        return found

    def creation(self) -> Iterator[str]:
        lines = [f"{quoted(name)} {kind}" for name, kind in self.columns()]
        if self.number % 11 == 3 and self.kind != "partitioned":
            lines[-1] = f"{quoted(f'computed {self.number}')} int GENERATED ALWAYS AS ({self.number} + 1) STORED"
        if self.key:
            lines.append(f"PRIMARY KEY ({self.key})")
        if self.number % 3 == 0:
            lines.append(f"CONSTRAINT {quoted(f'check {self.number}')} CHECK ({self._plain()} IS NULL OR true)")
        tail = " PARTITION BY RANGE (day)" if self.kind == "partitioned" else ""
        yield f"CREATE TABLE {self.place} ({', '.join(lines)}){tail}"
        for n, bounds in enumerate(_BOUNDS if self.kind == "partitioned" else ()):
            part = f"{quoted(self.schema)}.{quoted(f'{self.name} p{n}')}"
            yield f"CREATE TABLE {part} PARTITION OF {self.place} FOR VALUES {bounds}"

    def additions(self) -> Iterator[str]:
        for n, (target, columns) in enumerate(zip(self.references, self.foreign(), strict=True)):
            own = ", ".join(quoted(name) for name, _ in columns)
            late = " DEFERRABLE INITIALLY DEFERRED" if (self.number + n) % 5 == 0 else ""
            yield f"ALTER TABLE {self.place} ADD FOREIGN KEY ({own}) REFERENCES {target.place} ({target.key}){late}"
            yield f"CREATE INDEX ON {self.place} ({own})"
        if self.number % 4 == 0:
            yield f"CREATE INDEX ON {self.place} ((({self._plain()})::text)) WHERE {self._plain()} IS NOT NULL"
        if self.number % 5 == 0:
            name, function = quoted(f"tr-{self.number}"), f"core.trigger_{self.number % 40}()"
            what = "BEFORE INSERT OR UPDATE" if self.number % 2 else "AFTER DELETE"
            yield f"CREATE TRIGGER {name} {what} ON {self.place} FOR EACH ROW EXECUTE FUNCTION {function}"
        if self.number % 6 == 0:
            yield f"COMMENT ON TABLE {self.place} IS 'Table no. {self.number}, it''s told'"
            yield f"COMMENT ON COLUMN {self.place}.{self._plain()} IS 'One of {self.width} columns'"
        if self.number % 50 == 9:
            yield f"ALTER TABLE {self.place} ENABLE ROW LEVEL SECURITY"
            yield f"CREATE POLICY all_rows ON {self.place} USING (true)"
        if self.number % 25 == 7:
            yield f"GRANT SELECT ON {self.place} TO public"

    def _plain(self) -> str:
        """The first column of the table."""
        return quoted(self.columns()[0][0])


def _preparations(functions: int) -> Iterator[str]:
    yield from (f"CREATE SCHEMA {quoted(schema)}" for schema in _SCHEMAS)
    yield "CREATE TYPE core.state AS ENUM ('new', 'in work', 'done', 'it''s off')"
    yield "CREATE DOMAIN core.email AS varchar(120) CHECK (VALUE LIKE '%@%')"
    yield "CREATE TYPE core.place AS (street text, zip char(5), at point)"
    for n in range(0, 40, 5):
        rights = " SECURITY DEFINER" if n % 10 else ""
        yield (
            f"CREATE FUNCTION core.trigger_{n}() RETURNS trigger LANGUAGE plpgsql{rights} AS "
            "$$BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END$$"
        )
    for n in range(functions):
        schema = quoted(_SCHEMAS[n % len(_SCHEMAS)])
        yield f"CREATE FUNCTION {schema}.fn_{n}(a int, b text DEFAULT '') RETURNS text LANGUAGE sql AS 'SELECT b'"


def _tables(size: Large) -> Iterator[_Table]:
    made: list[_Table] = []
    count = number = 0
    while count < size.tables:
        kind = _TURN[number % len(_TURN)]
        if number % 20 == 13:
            kind = "keyless"
        if number % 60 == 17 and count + 3 <= size.tables:
            kind = "partitioned"
        chance = Random(number)
        references = tuple(chance.sample([t for t in made if t.kind != "keyless"], number % 3 if number > 3 else 0))
        width = size.columns + number % 5 - 2
        table = _Table(number, width, kind, references)
        made.append(table)
        count += 3 if kind == "partitioned" else 1
        number += 1
        yield table


def _views(count: int, made: list[_Table]) -> Iterator[str]:
    """Plain ones, joins with computed columns, and every third over the view before."""
    for n in range(count):
        place = f"{quoted(_SCHEMAS[n % len(_SCHEMAS)])}.{quoted(f'view no. {n}')}"
        table = made[n * 3 % len(made)]
        columns = ", ".join(f"t.{quoted(name)}" for name, _ in table.columns()[:8])
        kind = "MATERIALIZED VIEW" if n % 20 == 19 else "VIEW"
        if n % 3 == 2:
            before = f"{quoted(_SCHEMAS[(n - 1) % len(_SCHEMAS)])}.{quoted(f'view no. {n - 1}')}"
            yield f"CREATE {kind} {place} AS SELECT v.* FROM {before} v"
        elif n % 3 == 1 and table.references:
            pairs = " AND ".join(
                f"t.{quoted(own)} = r.{quoted(key)}"
                for (own, _), (key, _, _) in zip(table.foreign()[0], _KEYS[table.references[0].kind], strict=True)
            )
            counted = f"(SELECT count(*) FROM {table.place} c) AS counted, upper('{n}') AS label"
            joined = f"{table.place} t LEFT JOIN {table.references[0].place} r ON {pairs}"
            yield f"CREATE {kind} {place} AS SELECT {columns}, {counted} FROM {joined}"
        else:
            yield f"CREATE {kind} {place} AS SELECT {columns} FROM {table.place} t"
