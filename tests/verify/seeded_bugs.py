"""Deliberate errors in the example's mimics and operations, each as people make them. The table of them is in docs/."""

from __future__ import annotations

from dataclasses import dataclass

WITHIN = 120.0  # seconds
INTAKE = ("orders.intake",)
CANCEL = ("orders.intake", "orders.cancel")
ORDERS, CUSTOMERS, PRICES = "operations/orders.py", "operations/customers.py", "mimics/price_upload.py"


@dataclass(frozen=True, slots=True)
class Bug:
    """One text of one file replaced. `shows`: what the place of a difference begins with, where it must be named."""

    what: str
    file: str
    old: str
    new: str
    routes: tuple[str, ...]
    shows: str

    @property
    def route(self) -> str:
        return self.routes[-1]


BUGS = [
    Bug("a page is one short", "mimics/order_list.py", "PAGE = 50", "PAGE = 49", ("orders.list",), "/orders"),
    Bug(
        "oldest first",
        "mimics/order_list.py",
        "_order.ord_dt.desc(), _order.ord_no.desc()",
        "_order.ord_dt, _order.ord_no",
        ("orders.list",),
        "/orders/order",
    ),
    Bug(
        "one decimal",
        "mimics/order_list.py",
        "{order['tot_amt']:.2f}",
        "{order['tot_amt']:.1f}",
        ("orders.list",),
        "/orders/order",
    ),
    Bug("days first", "mimics/order_list.py", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", ("orders.list",), "/orders/order"),
    Bug(
        "the day that it is required, days last",
        "mimics/order_list.py",
        "{order['req_dt']:%Y-%m-%d}",
        "{order['req_dt']:%Y-%d-%m}",
        ("orders.list",),
        "/orders/order",
    ),
    Bug(
        "what Latin-1 does not have is a question mark",
        "mimics/order_list.py",
        '"xmlcharrefreplace"',
        '"replace"',
        ("orders.list",),
        "/orders/order",
    ),
    Bug(
        "another partner's orders can be read",
        "mimics/order_status.py",
        "wanted = [_order.prt_cd == code]",
        "wanted = [_order.ord_no > 0]",
        ("orders.status",),
        "$",
    ),
    Bug("a rounded price", "mimics/order_status.py", "{amount:.2f}", "{amount:.1f}", ("orders.status",), "$"),
    Bug("a number for a string", "mimics/order_status.py", 'str(line["qty"])', 'line["qty"]', ("orders.status",), "$"),
    Bug(
        "a decimal point",
        "mimics/stock.py",
        """f"{row['prc']:.2f}".replace(".", ",")""",
        """f"{row['prc']:.2f}\"""",
        ("stock.csv",),
        "row[",
    ),
    Bug("below zero", "mimics/stock.py", 'max(row["qty_oh"], 0)', 'row["qty_oh"]', ("stock.csv",), "row["),
    Bug(
        "another status",
        "mimics/stock.py",
        r'"access denied\r\n", 403',
        r'"access denied\r\n", 401',
        ("stock.csv",),
        "status",
    ),
    Bug("what is no longer sold", "mimics/stock.py", 'i.act_fl == "Y"', 'i.act_fl != ""', ("stock.csv",), "row["),
    Bug(
        "another partner's invoice can be read",
        "mimics/invoice_text.py",
        "i.inv_no == number, o.prt_cd == partner",
        'i.inv_no == number, o.prt_cd != ""',
        ("invoice.text",),
        "status",
    ),
    Bug(
        "a column too narrow",
        "mimics/invoice_text.py",
        "{line['descr']:<26.26}",
        "{line['descr']:<25.25}",
        ("invoice.text",),
        "line[",
    ),
    Bug(
        "a credited invoice does not say so",
        "mimics/invoice_text.py",
        'if inv["stat"] != "O":',
        'if inv["stat"] == "P":',
        ("invoice.text",),
        "line",
    ),
    Bug(
        "the smallest quantity break",
        "operations/pricing.py",
        "p.min_qty.desc(), p.vld_from.desc()",
        "p.min_qty, p.vld_from.desc()",
        ("prices",),
        "line[",
    ),
    Bug(
        "an empty note for none",
        "mimics/order_in.py",
        'fields.get("notes", "")[:2000] or None',
        'fields.get("notes", "")[:2000]',
        INTAKE,
        "written.public.ord_hdr[1].notes",
    ),
    Bug(
        "no audit row",
        ORDERS,
        'await log(tx, draft.partner, "NEW", "ord_hdr", number, f"stat={OPEN} tot={draft.total:.2f}")',
        "",
        INTAKE,
        "written.public.audit_log",
    ),
    Bug(
        "no stock movement",
        ORDERS,
        'await book(tx, "RS", number, [(line.item, -line.quantity) for line in draft.lines])',
        "",
        INTAKE,
        "written.public.",
    ),
    Bug(
        "lines numbered from 0",
        ORDERS,
        "enumerate(draft.lines, 1)",
        "enumerate(draft.lines)",
        INTAKE,
        "written.public.ord_dtl",
    ),
    Bug("a lost line", ORDERS, "enumerate(draft.lines, 1)", "enumerate(draft.lines[:1], 1)", INTAKE, "written.public."),
    Bug(
        "UTC for the wall clock", "operations/clock.py", "ZoneInfo(ZONE)", 'ZoneInfo("UTC")', INTAKE, "written.public."
    ),
    Bug(
        "two errors in another order",
        "mimics/order_in.py",
        'if found["act_fl"] != "Y":',
        'if found["act_fl"] == "never":',
        INTAKE,
        "line[1]",
    ),
    Bug(
        "stock is taken twice instead of given back",
        ORDERS,
        '[(line["item_no"], line["qty"]) for line in lines]',
        '[(line["item_no"], -line["qty"]) for line in lines]',
        CANCEL,
        "written.public.",
    ),
    Bug(
        "another error text",
        "mimics/order_in.py",
        'err("NOTFOUND", number)',
        'err("NOTFOUND", "order")',
        CANCEL,
        "line[1]",
    ),
    Bug("a code padded otherwise", CUSTOMERS, ":06d}", ":05d}", ("customers.create",), "$.cust"),
    Bug(
        "a number is left out",
        "operations/numbers.py",
        "nxt=ctr.c.nxt + 1",
        "nxt=ctr.c.nxt + 2",
        ("customers.create",),
        "written.public.ctr",
    ),
    Bug(
        "a row too many",
        CUSTOMERS,
        'await log(tx, partner, "NEW", "customer", number, new.name)',
        'for what in ("NEW", "CHG"):\n        await log(tx, partner, what, "customer", number, new.name)',
        ("customers.create",),
        "written.public.audit_log",
    ),
    Bug(
        "a town cut too short",
        "mimics/customer_new.py",
        'fields.get("city", "")[:60]',
        'fields.get("city", "")[:20]',
        ("customers.create",),
        "written.public.customer",
    ),
    Bug("a dime", PRICES, 'Decimal("0.01")', 'Decimal("0.1")', ("prices.upload",), "written.public.price_lst"),
    Bug(
        "rows counted from 0",
        PRICES,
        "enumerate(csv.splitlines(), 1)",
        "enumerate(csv.splitlines())",
        ("prices.upload",),
        "written.public.imp_err",
    ),
    Bug(
        "nothing is said of a bad quantity",
        PRICES,
        "if quantity < 1:",
        "if quantity < -99:",
        ("prices.upload",),
        "written.public.",
    ),
    Bug(
        "the oldest of two with one reference",
        "mimics/order_status.py",
        ".order_by(_order.ord_no.desc())",
        ".order_by(_order.ord_no)",
        ("orders.status",),
        "$",
    ),
    Bug(
        "null for an empty reference",
        "mimics/order_status.py",
        'order["ext_ref"] or ""',
        'order["ext_ref"]',
        ("orders.status",),
        "$.ref",
    ),
    Bug(
        "what is allocated cannot be cancelled",
        ORDERS,
        "if state in (OPEN, ALLOCATED):\n        lines",
        "if state == OPEN:\n        lines",
        CANCEL,
        "written.public.",
    ),
]
