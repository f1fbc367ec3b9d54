"""The rules that were paid for."""

from datetime import date
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.test import TestCase

from sales import audit, invoicing
from sales.fields import NEVER
from sales.models import Ctr, Customer, InvHdr, Item, OrdDtl, OrdHdr, PriceLst, StockMv
from sales.models.items import price_of
from sales.models.orders import CANCELLED, INVOICED, SHIPPED, WrongState
from sales.tests.company import available, order, set_up


class Orders(TestCase):
    setUpTestData = classmethod(lambda cls: set_up())

    def test_the_total_is_the_sum_of_the_lines_and_lines_are_numbered(self) -> None:
        o = order(3, 1)
        self.assertEqual(o.tot_amt, Decimal("39.96"))
        self.assertEqual([line.ln_no for line in o.lines.all()], [1, 2])

    def test_a_discount_rounds_half_up(self) -> None:
        line = OrdDtl(item_no="NS-1", qty=1, prc=Decimal("0.10"), disc_pct=Decimal(5))
        self.assertEqual(line.amount(), Decimal("0.10"))  # 0.095

    def test_an_order_reserves_and_its_cancellation_releases(self) -> None:
        o = order(30)
        self.assertEqual(available(), 70)
        o.cancel("test")
        self.assertEqual((available(), o.stat), (100, CANCELLED))

    def test_shipping_books_the_issue_in_place_of_the_reservation(self) -> None:
        o = order(30)
        o.ship("test")
        kinds = StockMv.objects.filter(ref=f"ORD {o.ord_no}").order_by("mv_no").values_list("mv_cd", "qty")
        self.assertEqual(list(kinds), [("RS", -30), ("RL", 30), ("IS", -30)])
        self.assertEqual(available(), 70)

    def test_what_is_shipped_cannot_be_cancelled(self) -> None:
        o = order(1)
        o.ship("test")
        with self.assertRaises(WrongState):
            o.cancel("test")
        self.assertEqual(OrdHdr.objects.get(ord_no=o.ord_no).stat, SHIPPED)

    def test_every_save_is_in_the_audit_log_and_the_first_moves_the_customers_date(self) -> None:
        self.assertEqual(Customer.objects.get(cust_cd="HARL1").lst_ord_dt, NEVER)
        o = order(1)
        o.allocate("bill")
        entries = {(e.what, e.who, e.txt) for e in audit.trail("ord_hdr", o.ord_no)}
        self.assertEqual(entries, {("NEW", "test", "stat=10 tot=9.99"), ("CHG", "bill", "stat=20 tot=9.99")})
        self.assertEqual(Customer.objects.get(cust_cd="HARL1").lst_ord_dt, o.ord_dt.date())

    def test_two_lines_with_one_number_are_refused_by_the_database(self) -> None:
        o = order(1)
        with self.assertRaises(IntegrityError), transaction.atomic():
            OrdDtl.objects.create(ord=o, ln_no=1, item_no="NS-1", prc=Decimal(1))

    def test_an_order_whose_customer_is_gone_still_works(self) -> None:
        o = order(1)
        OrdHdr.objects.filter(ord_no=o.ord_no).update(cust=999_999)
        lost = OrdHdr.objects.select_related("cust").get(ord_no=o.ord_no)
        self.assertIsNone(lost.customer())


class Stock(TestCase):
    setUpTestData = classmethod(lambda cls: set_up())

    def test_the_trigger_follows_changed_and_deleted_movements(self) -> None:
        Item.objects.create(item_no="NS-2", descr="Saw", cat_cd="TOOL", prc=Decimal(1))
        with connection.cursor() as c:
            c.execute("UPDATE stock_mv SET item_no = 'NS-2', qty = 7")
        self.assertEqual((available("NS-1"), available("NS-2")), (0, 7))
        StockMv.objects.all().delete()
        self.assertEqual(available("NS-2"), 0)

    def test_the_best_quantity_break_that_is_valid_counts(self) -> None:
        item = Item.objects.get(item_no="NS-1")
        for min_qty, prc, vld_from in ((1, 8, 2025), (12, 7, 2025), (12, 6, 2027)):
            PriceLst.objects.create(
                item_no="NS-1", lst_cd="P1", min_qty=min_qty, prc=Decimal(prc), vld_from=date(vld_from, 1, 1)
            )
        prices = [price_of(item, lst, qty, date(2026, 5, 1)) for lst, qty in (("P1", 1), ("P1", 144), ("P2", 1))]
        self.assertEqual(prices, [Decimal(8), Decimal(7), Decimal("9.99")])


class Invoices(TestCase):
    setUpTestData = classmethod(lambda cls: set_up())

    def shipped(self, **columns: object) -> OrdHdr:
        o = order(10, **columns)
        o.ship("test")
        return o

    def test_an_invoice_takes_the_next_number_adds_tax_and_raises_the_balance(self) -> None:
        o = self.shipped()
        inv = invoicing.issue(o.ord_no, date(2026, 10, 30), "test")
        self.assertEqual((inv.inv_no, inv.net_amt, inv.tax_amt), (501, Decimal("99.90"), Decimal("5.99")))
        self.assertEqual(inv.due_dt, date(2026, 11, 30))  # November 29 is a Sunday
        self.assertEqual(inv.lines.get().descr, "Hammer")
        self.assertEqual(Customer.objects.get(cust_cd="HARL1").bal, Decimal("105.89"))
        self.assertEqual(OrdHdr.objects.get(ord_no=o.ord_no).stat, INVOICED)

    def test_partners_pay_no_sales_tax(self) -> None:
        inv = invoicing.issue(self.shipped(prt_cd="ACME").ord_no, date(2026, 10, 30), "test")
        self.assertEqual(inv.tax_amt, 0)

    def test_a_refused_invoice_leaves_no_gap(self) -> None:
        o = self.shipped()
        OrdHdr.objects.filter(ord_no=o.ord_no).update(cust=999_999)
        with self.assertRaises(invoicing.NotBillable):
            invoicing.issue(o.ord_no, date(2026, 10, 30), "test")
        self.assertEqual((Ctr.objects.get(ctr_cd="INV").nxt, InvHdr.objects.count()), (501, 0))
