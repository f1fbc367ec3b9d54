import time
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, transaction

from sales.management.commands.monthly_report import rebuild
from sales.seed import books, master
from sales.seed.tables import continue_numbering, copy, empty_all, execute, is_empty
from sales.seed.trade import Trade

FULL = {"customers": 5_000, "orders": 50_000, "items": 1_500}
SMALL = {"customers": 200, "orders": 1_000, "items": 150}
PASSWORD = "northgate"


class Command(BaseCommand):
    help = "Fills an empty database with the demonstration company: the same rows every time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--small", action="store_true", help="200 customers and 1,000 orders instead of 50,000")
        parser.add_argument("--force", action="store_true", help="throw away what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            with transaction.atomic():
                self.fill(SMALL if options["small"] else FULL, options["force"])
            execute("ANALYZE")
        except (OperationalError, ProgrammingError) as e:
            raise CommandError(f"{str(e).splitlines()[0]} (is the database up, and `manage.py migrate` done?)") from e
        self.stdout.write(f"Done in {time.monotonic() - started:.1f} s. Log in as admin or clerk, password {PASSWORD}.")

    def fill(self, size: dict[str, int], force: bool) -> None:
        if not is_empty():
            if not force:
                raise CommandError("there is data already; --force throws it away")
            empty_all()
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks still to come cannot be altered
        rng = Random(20141103)
        master.load_codes()
        items = master.make_items(rng, size["items"])
        master.load_prices(rng, items)
        customers = master.make_customers(rng, size["customers"])
        orders = Trade(rng, customers, items, size["orders"]).orders
        invoices = books.make_invoices(rng, orders)
        master.load_customers(rng, customers)
        books.load_orders(rng, orders)
        books.load_invoices(invoices)
        books.load_stock(rng, orders, items)
        books.load_audit(orders)
        copy("ctr", "ctr_cd, nxt", [("INV", len(invoices) + 1), ("CUST", len(customers) + 1)])
        load_accounts(customers)
        continue_numbering()
        rebuild()
        make_staff()
        lines = sum(len(o.lines) for o in orders)
        self.stdout.write(f"{len(customers)} customers, {len(orders)} orders, {lines} lines, {len(invoices)} invoices.")


def load_accounts(customers: list[master.Cust]) -> None:
    """App logins of every tenth customer; one hash for all, hashing each would take minutes."""
    hashed = make_password(PASSWORD, salt="northgatedemo")
    copy(
        "user_acct",
        "login, pw_hash, cust_no, lst_login, lock_fl",
        [
            (
                f"user{c.no}@app.example",
                hashed,
                c.no,
                "1900-01-01" if c.no % 3 else "2026-10-30 08:15",
                "NY"[c.no % 50 == 20],
            )
            for c in customers[9::10]
        ],
    )


def make_staff() -> None:
    hashed = make_password(PASSWORD, salt="northgatestaff")
    joined = {"password": hashed, "is_staff": True, "date_joined": "2014-11-03 08:00:00"}
    User.objects.update_or_create(username="admin", defaults={**joined, "is_superuser": True, "first_name": "Joan"})
    clerk, _ = User.objects.update_or_create(username="clerk", defaults={**joined, "first_name": "Bill"})
    desk, _ = Group.objects.get_or_create(name="Order desk")
    sales = Permission.objects.filter(content_type__app_label="sales")
    desk.permissions.set(
        [*sales.filter(codename__startswith="view_"), *sales.filter(codename__regex="^(add|change)_(ord|cust|stockmv)")]
    )
    clerk.groups.set([desk])
