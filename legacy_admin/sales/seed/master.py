"""Customers, items, partners and price lists."""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from sales.fields import NEVER, OPEN_END
from sales.seed import words
from sales.seed.tables import copy

TODAY = date(2026, 11, 1)  # the day the demonstration data ends
FIRST_DAY = date(2019, 11, 4)  # older orders are on tape


@dataclass
class Cust:
    no: int
    cd: str
    nm: str
    src: str
    ctry: str
    days: int
    deleted: bool
    bal: int = 0  # cents
    last: date = NEVER
    row: list[object] = field(default_factory=list)


@dataclass
class Article:
    no: str
    descr: str
    cents: int


def secret(kind: str, code: str) -> str:
    """The demonstration's tokens and passwords: 32 hex digits that everybody can work out."""
    return hashlib.sha256(f"northgate-demo-{kind}-{code}".encode()).hexdigest()[:32]


def money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def load_codes() -> None:
    copy("category", "cat_cd, nm", words.CATEGORIES.items())
    copy("sal_rep", "rep_cd, nm, terr, act_fl", [(*r, "N" if r[0] == "XX" else "Y") for r in words.REPS])
    copy("terms", "terms_cd, descr, days", words.TERMS)
    copy("whse", "whse_cd, nm, city", words.WAREHOUSES)
    years = range(FIRST_DAY.year, TODAY.year + 2)
    copy("cal_hol", "hol_dt, nm", [(date(y, m, d), nm) for y in years for m, d, nm in words.HOLIDAYS])
    copy(
        "partner",
        "prt_cd, nm, api_tok, basic_pw, prc_lst, act_fl, contact",
        [
            (cd, nm, secret("token", cd), secret("password", cd), lst, active, contact)
            for cd, nm, lst, active, _, contact in words.PARTNERS
        ],
    )


def make_customers(rng: Random, count: int) -> list[Cust]:
    sources = [cd for cd, *_ in words.PARTNERS]
    weights = [15, 12, 10, 8, 2, 2, 1, 1]
    taken: set[str] = set()
    customers = []
    for no in range(1, count + 1):
        partner = words.PARTNERS[no - 1] if no <= len(words.PARTNERS) else None
        src = partner[0] if partner else rng.choices([*sources, ""], [*weights, 49])[0]
        name = partner[1] if partner else company(rng, no)
        code = partner[0] if partner else code_of(name, no, src, taken)
        taken.add(code)
        customers.append(customer(rng, no, code, name, src))
    return customers


def company(rng: Random, no: int) -> str:
    if no % 15 == 11:
        return words.ODD_NAMES[no // 15 % len(words.ODD_NAMES)]
    name = f"{rng.choice(words.SURNAMES)} {rng.choice(words.TRADES)} {rng.choice(words.FORMS)}".strip()
    mess = rng.random()
    return name.upper() if mess < 0.04 else name.lower() if mess < 0.05 else name + "  " if mess < 0.08 else name


def code_of(name: str, no: int, src: str, taken: set[str]) -> str:
    """Made from the name by hand until 2017; what partners bring has a running number."""
    if src:
        return f"C{no:06d}"
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    stem = "".join(c for c in letters if c.isalpha())[:4] or "CUST"
    return next(code for n in range(1, 10**4) if (code := f"{stem}{n}") not in taken)


def customer(rng: Random, no: int, code: str, name: str, src: str) -> Cust:
    ctry, city, postal = rng.choice(words.ABROAD if rng.random() < 0.12 else words.CITIES)
    terms = rng.choices(["N30", "N15", "N60", "COD", "2/10"], [70, 12, 8, 8, 2])[0]
    deleted = no > len(words.PARTNERS) and rng.random() < 0.015
    hold = deleted or (no > len(words.PARTNERS) and rng.random() < 0.03)
    created = datetime.combine(
        FIRST_DAY - timedelta(days=rng.randrange(3000)), time(rng.randrange(7, 18), rng.randrange(60))
    )
    c = Cust(no, code, name, src, ctry, {"N15": 15, "N60": 60, "COD": 0}.get(terms, 30), deleted)
    c.row = [
        no, code, name, f"{rng.randrange(1, 9900)} {rng.choice(words.STREETS)}",
        rng.choices([None, "", f"Suite {rng.randrange(1, 400)}"], [60, 25, 15])[0],
        city, postal, ctry, email(rng, name, no), phone(rng), terms,
        rng.choices([0, 25_000, 50_000, 250_000], [70, 10, 12, 8])[0], "N" if hold else "Y", "Y" if deleted else "N",
        created, rng.choice(words.REPS)[0] if rng.random() < 0.8 else None, src,
    ]  # fmt: skip
    return c


def email(rng: Random, name: str, no: int) -> str | None:
    kind = rng.random()
    if kind < 0.25:
        return None if kind < 0.15 else ""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    domain = "".join(c for c in ascii_name if c.isalnum()).lower()[:18] or "mail"
    box = rng.choice(["orders", "office", "Purchasing", "AP", "info", "j.smith"])
    address = f"{box}{no}@{domain}.example"
    return address.upper() if kind < 0.32 else address + " " if kind < 0.34 else address


def phone(rng: Random) -> str:
    area, a, b = rng.choice([717, 570, 814, 410]), rng.randrange(200, 999), rng.randrange(10000)
    return rng.choice([f"({area}) {a}-{b:04d}", f"{area}-{a}-{b:04d}", f"{area}{a}{b:04d}", "", "n/a"])


def load_customers(rng: Random, customers: list[Cust]) -> None:
    """After the orders are made: balance and last order date come from them."""
    copy(
        "customer",
        "cust_no, cust_cd, nm, addr1, addr2, city, zip, ctry, email, tel, terms_cd, cr_lim, act_fl, del_fl, crt_dt,"
        " rep_cd, src_cd, bal, lst_ord_dt",
        ([*c.row, money(c.bal), c.last] for c in customers),
    )
    numbers = [c.no for c in customers]
    notes = []
    for no in range(1, len(customers) // 10):
        day = TODAY - timedelta(days=rng.randrange(1500))
        written = datetime.combine(day, time(rng.randrange(8, 17), rng.randrange(60)))
        notes.append((rng.choice(numbers), written, rng.choice(words.CLERKS), f"{rng.choice(words.NOTES)} ({no})"))
    copy("cust_note", "cust_no, crt_dt, crt_by, txt", notes)
    paper = "TAX EXEMPTION CERTIFICATE\r\nCommonwealth of Pennsylvania\r\nHolder: Müller\r\n".encode("latin-1")
    copy(
        "cust_doc",
        "cust_no, fname, ctype, size, data, crt_dt, crt_by",
        [
            (no, f"tax cert {no}.txt", "text/plain", len(paper), paper, "2024-02-05 10:15", "clerk")
            for no in numbers[:9]
        ],
    )


def make_items(rng: Random, count: int) -> list[Article]:
    """Numbers have gaps, as items were deleted over the years."""
    items = []
    number = 10_000
    rows: list[tuple[object, ...]] = []
    for i in range(count):
        number += rng.choice([1, 1, 1, 2, 5])
        cat = rng.choice(list(words.ITEMS))
        uom, nouns = words.ITEMS[cat]
        descr = f"{rng.choice(nouns)} {rng.choice(words.SIZES)} {rng.choice(words.MATERIALS)}"
        cents = (
            rng.choice([100, 500, 1200]) * rng.randrange(1, 60) if i % 12 == 0 else int(35 + rng.random() ** 6 * 30_000)
        )
        items.append(Article(f"NS-{number}", descr, cents))
        gone = rng.choices([OPEN_END, TODAY - timedelta(days=400), TODAY + timedelta(days=200)], [95, 3, 2])[0]
        # The first dozen stays orderable: the examples in the partners' manuals use them.
        active = "Y" if i < 12 or rng.random() > 0.04 else "N"
        gone = OPEN_END if i < 12 else gone
        rows.append((items[-1].no, descr, "MISC" if i % 97 == 50 else cat, uom, money(cents), 0, active, gone))
    copy("item", "item_no, descr, cat_cd, uom, prc, qty_oh, act_fl, dscnt_dt", rows)
    return items


def load_prices(rng: Random, items: list[Article]) -> None:
    rows: list[tuple[object, ...]] = []
    for lst, share in (("P1", 84), ("P2", 88), ("CRN", 90), ("STD", 97)):
        for item in items:
            if rng.random() < 0.4:
                continue
            for min_qty, less in ((1, 0), (12, 4), (144, 9))[: rng.randrange(1, 4)]:
                cents = max(1, item.cents * (share - less) // 100)
                rows.append((item.no, lst, min_qty, money(cents + 1), date(2025, 1, 1), date(2025, 12, 31)))
                rows.append((item.no, lst, min_qty, money(cents), date(2026, 1, 1), OPEN_END))
    rows.append(("NS-9999", "P1", 1, "1.00", date(2025, 1, 1), OPEN_END))  # the item never came
    copy("price_lst", "item_no, lst_cd, min_qty, prc, vld_from, vld_to", rows)
