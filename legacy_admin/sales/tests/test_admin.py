from decimal import Decimal

from django.contrib.auth.models import User
from django.test import TestCase

from sales.models import OrdHdr
from sales.tests.company import available, order, set_up


class OrderPage(TestCase):
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        set_up()
        cls.admin = User.objects.create_superuser("joan")

    def setUp(self) -> None:
        self.client.force_login(self.admin)

    def test_a_new_line_gets_the_next_number_and_the_order_a_new_total(self) -> None:
        o = order(1)
        line = o.lines.get()
        url = f"/admin/sales/ordhdr/{o.ord_no}/change/"
        form = {
            "cust": o.cust_id, "stat": 10, "ord_dt_0": "2026-10-30", "ord_dt_1": "08:00:00", "curr": "USD",
            "rush_fl": "Y", "lines-TOTAL_FORMS": 2, "lines-INITIAL_FORMS": 1,
            "lines-0-dtl_id": line.dtl_id, "lines-0-ord": o.ord_no, "lines-0-item_no": "NS-1", "lines-0-qty": 1,
            "lines-0-prc": "9.99", "lines-0-disc_pct": 0,
            "lines-1-ord": o.ord_no, "lines-1-item_no": "ns-1", "lines-1-qty": 2, "lines-1-prc": "5.00",
            "lines-1-disc_pct": 10,
        }  # fmt: skip
        answer = self.client.post(url, form)
        self.assertRedirects(answer, "/admin/sales/ordhdr/")
        o.refresh_from_db()
        self.assertEqual((o.tot_amt, o.rush_fl, o.upd_by), (Decimal("18.99"), "Y", "joan"))
        self.assertEqual([(x.ln_no, x.item_no) for x in o.lines.all()], [(1, "NS-1"), (2, "NS-1")])

    def test_cancelling_selected_orders_skips_the_shipped_ones(self) -> None:
        opened, shipped = order(5), order(5)
        shipped.ship("test")
        form = {"action": "cancel_orders", "_selected_action": [opened.ord_no, shipped.ord_no]}
        answer = self.client.post("/admin/sales/ordhdr/", form, follow=True)
        self.assertContains(answer, "1 orders cancelled.")
        self.assertContains(answer, f"Not cancelled: order {shipped.ord_no} is shipped.")
        self.assertEqual(OrdHdr.objects.get(ord_no=opened.ord_no).stat, 90)
        self.assertEqual(available(), 95)
