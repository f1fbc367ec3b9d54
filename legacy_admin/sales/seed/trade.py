"""The orders of seven years, as values."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from sales.seed import words
from sales.seed.master import FIRST_DAY, TODAY, Article, Cust

PHONE = ""


@dataclass
class Line:
    item: str
    descr: str
    qty: int
    cents: int  # each
    disc: int  # hundredths of a percent
    amount: int


@dataclass
class Order:
    no: int
    cust: Cust | None
    at: datetime
    prt: str
    stat: int
    lines: list[Line]
    total: int
    changed: datetime


class Trade:
    """Makes `count` orders over seven years, more of them towards the end, in the order they came in."""

    def __init__(self, rng: Random, customers: list[Cust], items: list[Article], count: int) -> None:
        self.rng = rng
        self.items = items
        self.by_source: dict[str, list[Cust]] = defaultdict(list)
        for c in customers:
            self.by_source[c.src].append(c)
        shares = {cd: share for cd, _, _, _, share, _ in words.PARTNERS}
        shares[PHONE] = 100 - sum(shares.values())
        self.partners, self.weights = list(shares), list(shares.values())
        span = (TODAY - FIRST_DAY).days
        days = sorted(TODAY - timedelta(days=1 + int(rng.random() ** 2 * span)) for _ in range(count))
        self.orders = [self.order(no, day) for no, day in enumerate(days, 1)]

    def order(self, no: int, day: date) -> Order:
        rng = self.rng
        prt = rng.choices(self.partners, self.weights)[0]
        hour = rng.randrange(24) if prt else rng.randrange(7, 18)
        at = datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60))
        cust = None if no % 400 == 211 else self.customer(prt)
        lines = [] if no % 300 == 150 else self.lines(prt)
        stat = self.state(no, (TODAY - day).days, cust)
        if cust:
            cust.last = max(cust.last, day)
        changed = at if stat == 10 else min(at + timedelta(hours=rng.randrange(1, 200)), datetime(2026, 10, 31, 18))
        return Order(no, cust, at, prt, stat, lines, sum(line.amount for line in lines), max(at, changed))

    def customer(self, prt: str) -> Cust:
        """Mostly the partner's own customers, a few big ones most often; sometimes a house account."""
        pool = self.by_source[prt] if self.rng.random() < 0.95 else self.by_source[PHONE]
        pool = pool or self.by_source[PHONE]
        return pool[int(self.rng.random() ** 2 * len(pool) * 0.97)]

    def lines(self, prt: str) -> list[Line]:
        rng = self.rng
        count = rng.choices((1, 2, 3, 4, 5, 6, 8, 12), (20, 17, 15, 14, 11, 10, 8, 5))[0]
        return [self.line(prt) for _ in range(count)]

    def line(self, prt: str) -> Line:
        rng = self.rng
        item = self.items[int(rng.random() ** 1.5 * len(self.items))]
        number, descr = item.no, item.descr
        if rng.random() < 0.002:
            number, descr = rng.choice([("FREIGHT", "Freight"), ("NS-0042", "(item no longer carried)")])
        qty = rng.choice((1, 1, 2, 4, 5, 10, 12, 24, 50, 144))
        cents = max(1, item.cents * 88 // 100) if prt else item.cents
        disc = 0 if prt or rng.random() > 0.1 else rng.choice((250, 500, 1000))
        return Line(number, descr, qty, cents, disc, (qty * cents * (10_000 - disc) + 5_000) // 10_000)

    def state(self, no: int, age: int, cust: Cust | None) -> int:
        draw = self.rng.random()
        if no % 500 == 137:
            return 55
        if age > 45:
            stat = 40 if draw < 0.93 else 90 if draw < 0.985 else 30 if draw < 0.99 else 10  # forgotten ones
        else:
            stat = 10 if draw < 0.25 else 20 if draw < 0.4 else 30 if draw < 0.6 else 40 if draw < 0.95 else 90
        return 30 if stat == 40 and cust is None else stat
