"""The schema other people build against, the migrations that make it, and the seed that fills it."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable

import psycopg
import pytest

from tests.legacy.conftest import APP, manage

KEYS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY k.n)
  FROM pg_class c JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
  CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k(attnum, n)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
 WHERE c.relnamespace = 'public'::regnamespace GROUP BY c.relname
"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
OPEN_SUM = "SELECT coalesce(sum(gross_amt), 0) FROM inv_hdr i WHERE i.cust_no = c.cust_no AND stat = 'O'"
OWN_OBJECTS = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(auth|django)_'
 UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
def connection(northgate_shared_url: str) -> psycopg.Connection:
    with psycopg.connect(northgate_shared_url) as opened:
        yield opened


def test_the_database_is_as_awkward_as_promised(connection: psycopg.Connection) -> None:
    keys = dict(connection.execute(KEYS).fetchall())
    tables = {name for (name,) in connection.execute(TABLES) if not name.startswith(("auth_", "django_"))}
    assert 15 <= len(tables) <= 25
    assert keys["ord_dtl"] == ["ord_no", "ln_no"]
    assert keys["inv_dtl"] == ["inv_no", "ln_no"]
    assert "audit_log" in tables - set(keys)
    assert "rpt sales" in tables
    referencing = {
        row[0]
        for row in connection.execute(
            "SELECT conrelid::regclass::text || '.' || a.attname FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE contype = 'f'"
        )
    }
    assert {"ord_dtl.ord_no", "inv_hdr.ord_no", "inv_hdr.cust_no", "inv_dtl.inv_no"} <= referencing
    assert not {"ord_hdr.cust_no", "ord_dtl.item_no", "price_lst.item_no", "user_acct.cust_no"} & referencing


@pytest.mark.parametrize(
    ("mess", "sql"),
    [
        ("orders of customers who are gone", "ord_hdr WHERE cust_no NOT IN (SELECT cust_no FROM customer)"),
        ("lines of items that are gone", "ord_dtl WHERE item_no NOT IN (SELECT item_no FROM item)"),
        ("orders in a state nobody knows", "ord_hdr WHERE stat = 55"),
        ("a reference twice", "ord_hdr WHERE ext_ref > '' GROUP BY prt_cd, ext_ref HAVING count(*) > 1"),
        ("deleted customers", "customer WHERE del_fl = 'Y'"),
        ("customers who never ordered", "customer WHERE lst_ord_dt = '1900-01-01'"),
        ("names with blanks at the end", "customer WHERE nm LIKE '%  '"),
        ("mixed-case e-mails", "customer WHERE email <> lower(email)"),
        ("no e-mail as NULL", "customer WHERE email IS NULL"),
        ("no e-mail as ''", "customer WHERE email = ''"),
        ("accents", "customer WHERE nm ~ '[äöüéñ]'"),
        ("letters that Latin-1 lacks", "customer WHERE nm ~ '[Łź]'"),
        ("orders without lines", "ord_hdr WHERE ord_no NOT IN (SELECT ord_no FROM ord_dtl)"),
        ("codes padded with blanks", "customer WHERE octet_length(cust_cd) = 8 AND length(cust_cd) < 8"),
        ("items out of stock", "item WHERE qty_oh <= 0"),
    ],
)  # fmt: skip
def test_even_the_small_seed_has_the_mess_of_the_real_data(connection: psycopg.Connection, mess: str, sql: str) -> None:
    assert connection.execute(f"SELECT EXISTS (SELECT FROM {sql})").fetchone() == (True,), mess


def test_each_demo_partner_has_hundreds_of_orders_and_some_customers(connection: psycopg.Connection) -> None:
    for partner in ("ACME", "BOLT", "CRANE", "DELTA"):
        orders = connection.execute("SELECT count(*) FROM ord_hdr WHERE prt_cd = %s", [partner]).fetchone()
        customers = connection.execute("SELECT count(*) FROM customer WHERE src_cd = %s", [partner]).fetchone()
        assert orders
        assert orders[0] >= 100
        assert customers
        assert customers[0] >= 10


@pytest.mark.parametrize(
    ("promise", "sql"),
    [
        ("totals are the sums of the lines",
         "ord_hdr o WHERE tot_amt <> (SELECT coalesce(sum(ln_amt), 0) FROM ord_dtl d WHERE d.ord_no = o.ord_no)"),
        ("balances are the sums of open invoices",
         f"customer c WHERE bal <> ({OPEN_SUM})"),
        ("stock is the sum of its movements",
         "item i WHERE qty_oh <> (SELECT coalesce(sum(qty), 0) FROM stock_mv m WHERE m.item_no = i.item_no)"),
        ("the last order date is the newest order's",
         "customer c WHERE lst_ord_dt < (SELECT max(ord_dt)::date FROM ord_hdr o WHERE o.cust_no = c.cust_no)"),
        ("invoiced orders and only they have an invoice",
         "ord_hdr o LEFT JOIN inv_hdr i USING (ord_no) WHERE (o.stat = 40) <> (i.inv_no IS NOT NULL)"),
        ("invoice numbers have no gap", "(SELECT count(*) n, max(inv_no) m FROM inv_hdr) x WHERE n <> m"),
    ],
)  # fmt: skip
def test_the_seed_keeps_the_rules_of_the_books(connection: psycopg.Connection, promise: str, sql: str) -> None:
    assert connection.execute(f"SELECT EXISTS (SELECT FROM {sql})").fetchone() == (False,), promise


def fingerprint(url: str) -> dict[str, str]:
    """Every row of every table of the company, in the order of its text."""
    found = {}
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute(TABLES).fetchall():
            if table.startswith(("auth_", "django_")):
                continue
            rows = connection.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1').fetchall()
            found[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def test_seeding_again_with_force_makes_the_very_same_rows(northgate_url: str) -> None:
    before = fingerprint(northgate_url)
    answer = manage(northgate_url, "seed", "--small", "--force")
    assert answer.returncode == 0, answer.stderr
    assert fingerprint(northgate_url) == before


def test_a_database_with_data_is_not_seeded_again_by_accident(northgate_shared_url: str) -> None:
    answer = manage(northgate_shared_url, "seed")
    assert (answer.returncode, answer.stderr) == (1, "CommandError: there is data already; --force throws it away\n")


@pytest.mark.parametrize("missing", ["tables", "server"])
def test_seeding_without_database_or_tables_is_one_readable_line(clone: Callable[[str], str], missing: str) -> None:
    url = clone("template1") if missing == "tables" else "postgresql://nobody@127.0.0.1:1/none"
    answer = manage(url, "seed", "--small")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "is the database up, and `manage.py migrate` done?" in answer.stderr


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://host", "postgresql://host:port/db"])
def test_a_database_url_of_another_form_is_one_readable_line(url: str) -> None:
    answer = manage(url, "check")
    assert answer.returncode == 1
    assert answer.stderr.startswith("NORTHGATE_DATABASE_URL")
    assert answer.stderr.count("\n") == 1


def test_the_migrations_say_all_and_go_back_to_nothing_and_up_again(database_url: str) -> None:
    assert manage(database_url, "migrate", "-v0").returncode == 0
    assert manage(database_url, "makemigrations", "--check").returncode == 0
    assert manage(database_url, "migrate", "sales", "zero", "-v0").returncode == 0
    with psycopg.connect(database_url) as connection:
        assert connection.execute(OWN_OBJECTS).fetchall() == []
    assert manage(database_url, "migrate", "-v0").returncode == 0


def test_the_companys_own_tests_pass(database_url: str) -> None:
    answer = manage(database_url, "test", "--noinput")
    assert answer.returncode == 0, answer.stderr
    assert "\nOK" in answer.stderr


def test_the_app_imports_nothing_but_itself_django_and_psycopg() -> None:
    own = {path.name for path in APP.iterdir() if path.is_dir()}
    imported = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    assert "django" in imported
    assert imported - own - set(sys.stdlib_module_names) <= {"django", "psycopg"}
