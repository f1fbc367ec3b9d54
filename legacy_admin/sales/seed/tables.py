"""Rows into tables, fast: COPY on Django's own connection."""

from collections.abc import Iterable, Sequence

from django.db import connection

# Parents before children.
TABLES = [
    "category", "sal_rep", "terms", "whse", "cal_hol", "ctr", "partner", "customer", "cust_note", "cust_doc",
    "user_acct", "item", "price_lst", "ord_hdr", "ord_dtl", "inv_hdr", "inv_dtl", "stock_mv", "audit_log", "imp_err",
    "rpt sales",
]  # fmt: skip
NUMBERED = {
    "customer": "cust_no", "cust_note": "note_no", "cust_doc": "doc_no", "user_acct": "acct_id", "price_lst": "id",
    "ord_hdr": "ord_no", "ord_dtl": "dtl_id", "stock_mv": "mv_no", "imp_err": "err_no", "rpt sales": "rpt_id",
}  # fmt: skip


def copy(table: str, columns: str, rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as into:
        for row in rows:
            into.write_row(row)
            count += 1
    return count


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def is_empty() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM customer) OR EXISTS (SELECT FROM ord_hdr)")
        row = cursor.fetchone()
    return not (row and row[0])


def empty_all() -> None:
    execute("TRUNCATE " + ", ".join(f'"{table}"' for table in TABLES) + " RESTART IDENTITY")


def continue_numbering() -> None:
    """COPY brought its own numbers; the next insert takes the one after."""
    for table, column in NUMBERED.items():
        execute(
            f"""SELECT setval(pg_get_serial_sequence('"{table}"', '{column}'), max({column})) FROM "{table}"
                HAVING max({column}) IS NOT NULL"""
        )
