"""What follows from the orders: their rows, invoices, stock movements, the audit log."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from sales.fields import NEVER
from sales.seed import words
from sales.seed.master import TODAY, Article, Cust, money
from sales.seed.tables import copy, execute
from sales.seed.trade import Order

LEDGER_FROM = datetime(2026, 4, 1)  # older stock movements and log entries are on tape


@dataclass
class Invoice:
    no: int
    order: Order
    cust: Cust
    day: date
    due: date
    stat: str
    paid: date
    tax: int


def load_orders(rng: Random, orders: list[Order]) -> None:
    copy(
        "ord_hdr",
        "ord_no, cust_no, stat, ord_dt, req_dt, tot_amt, curr, ship_via, notes, upd_dt, upd_by, rush_fl, prt_cd,"
        " ext_ref",
        (header(rng, o) for o in orders),
    )
    copy(
        "ord_dtl",
        "ord_no, ln_no, item_no, qty, prc, disc_pct, ln_amt",
        (
            (o.no, n, line.item, line.qty, money(line.cents), money(line.disc), money(line.amount))
            for o in orders
            for n, line in enumerate(o.lines, 1)
        ),
    )


def header(rng: Random, o: Order) -> tuple[object, ...]:
    required = (o.at + timedelta(days=rng.randrange(2, 21))).date() if rng.random() < 0.7 else None
    curr = "CAD" if o.cust and o.cust.ctry == "CA" and not o.prt else "USD"
    notes = rng.choices([None, "", rng.choice(words.NOTES)], [75, 8, 17])[0]
    by = (o.prt if o.stat == 10 else "clerk") if o.prt else rng.choice(words.CLERKS)
    return (
        o.no, o.cust.no if o.cust else 900_000 + o.no, o.stat, o.at, required, money(o.total), curr,
        rng.choice(words.CARRIERS), notes, o.changed, by, "Y" if rng.random() < 0.06 else "N", o.prt or None,
        reference(o),
    )  # fmt: skip


def reference(o: Order) -> str | None:
    """Every partner has its own idea of one; some are missing, and now and then the one before came twice."""
    if not o.prt or o.no % 150 == 77:
        return None
    n = o.no // 10 if o.no % 90 < 2 else o.no
    if o.prt == "BOLT":
        return f"PO/{n:06d}"
    if o.prt == "CRANE":
        return f"CR {n:06d} é" if n % 40 == 3 else f"CR {n:06d}"
    if o.prt == "DELTA":
        return f"{n * 2654435761 % 2**32:08x}"
    return f"{o.prt[0]}-{100_000 + n}"


def make_invoices(rng: Random, orders: list[Order]) -> list[Invoice]:
    """Numbers without gaps, by date. What is still open is added to the customer's balance."""
    days = [(min((o.at + timedelta(days=rng.randrange(1, 10))).date(), TODAY), o) for o in orders if o.stat == 40]
    days.sort(key=lambda pair: (pair[0], pair[1].no))
    invoices = []
    for no, (day, o) in enumerate(days, 1):
        if o.cust is None:
            raise AssertionError("an order without customer cannot have been invoiced")
        due = day + timedelta(days=o.cust.days)
        stat = invoice_state(rng, (TODAY - due).days)
        paid = min(day + timedelta(days=rng.randrange(1, o.cust.days + 20)), TODAY) if stat == "P" else NEVER
        tax = (o.total * 6 + 50) // 100 if o.cust.ctry == "US" and not o.prt else 0
        if stat == "O":
            o.cust.bal += o.total + tax
        invoices.append(Invoice(no, o, o.cust, day, due, stat, paid, tax))
    return invoices


def invoice_state(rng: Random, late: int) -> str:
    draw = rng.random()
    if draw < 0.01:
        return "C"
    return "P" if draw < (0.99 if late > 30 else 0.4) else "O"


def load_invoices(invoices: list[Invoice]) -> None:
    copy(
        "inv_hdr",
        "inv_no, ord_no, cust_no, inv_dt, due_dt, stat, net_amt, tax_amt, gross_amt, pd_dt",
        (
            (
                i.no, i.order.no, i.cust.no, i.day, i.due, i.stat, money(i.order.total), money(i.tax),
                money(i.order.total + i.tax), i.paid,
            )
            for i in invoices
        ),
    )  # fmt: skip
    copy(
        "inv_dtl",
        "inv_no, ln_no, item_no, descr, qty, prc, ln_amt",
        (
            (i.no, n, line.item, line.descr, line.qty, money(line.cents), money(line.amount))
            for i in invoices
            for n, line in enumerate(i.order.lines, 1)
        ),
    )


Move = tuple[datetime, str, str, int, str, str | None]


def load_stock(rng: Random, orders: list[Order], items: list[Article]) -> None:
    """The trigger would touch each item thousands of times, so it rests meanwhile and the sums are set at once."""
    moves = sorted(ledger(rng, orders, items), key=lambda move: move[:5])
    execute("ALTER TABLE stock_mv DISABLE TRIGGER trg_stock_bal")
    copy("stock_mv", "mv_dt, item_no, mv_cd, qty, ref, whse_cd", moves)
    execute("ALTER TABLE stock_mv ENABLE TRIGGER trg_stock_bal")
    execute(
        "UPDATE item SET qty_oh = m.qty FROM (SELECT item_no, sum(qty) AS qty FROM stock_mv GROUP BY item_no) m"
        " WHERE m.item_no = item.item_no"
    )


def ledger(rng: Random, orders: list[Order], items: list[Article]) -> Iterable[Move]:
    sold: dict[str, int] = defaultdict(int)
    for o in orders:
        if o.at < LEDGER_FROM:
            continue
        ref = f"ORD {o.no}"
        for line in o.lines:
            yield o.at, line.item, "RS", -line.qty, ref, None
            if o.stat in (30, 40, 90):
                yield o.changed, line.item, "RL", line.qty, ref, None
            if o.stat in (30, 40):
                yield o.changed, line.item, "IS", -line.qty, ref, None
            if o.stat != 90:
                sold[line.item] += line.qty
    for item in items:
        yield LEDGER_FROM, item.no, "AD", rng.choice((5, 20, 60, 150, 400)), "OPENING Q2", "HBG"
        refill = int(sold[item.no] * rng.choice((0.8, 1.0, 1.1, 1.1, 1.3)))
        for month in (4, 5, 7, 8, 10):
            if refill >= 5:
                at = datetime(2026, month, rng.randrange(1, 28), rng.randrange(7, 17))
                yield at, item.no, "RC", refill // 5, f"PO {rng.randrange(10_000, 99_999)}", rng.choice(("HBG", "YRK"))


def load_audit(orders: list[Order]) -> None:
    rows = []
    for o in orders:
        if o.at >= LEDGER_FROM:
            who = o.prt or "clerk"
            rows.append((o.at, who, "NEW", "ord_hdr", str(o.no), f"stat=10 tot={money(o.total)}"))
            if o.stat != 10:
                rows.append((o.changed, "clerk", "CHG", "ord_hdr", str(o.no), f"stat={o.stat} tot={money(o.total)}"))
    copy("audit_log", "at, who, what, tbl, ref, txt", sorted(rows))
