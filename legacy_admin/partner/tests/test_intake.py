"""What partners' programs rely on. If one of these fails, somebody's purchasing department calls."""

from django.test import TestCase

from partner.wire import intval
from sales.models import Customer, OrdHdr
from sales.tests.company import TOKEN, set_up

GOOD = {"token": TOKEN, "cust": "HARL1", "item1": "NS-1", "qty1": "2"}
FORM = "application/x-www-form-urlencoded"


class OrderIn(TestCase):
    setUpTestData = classmethod(lambda cls: set_up())

    def send(self, body: str | bytes, content_type: str = FORM) -> str:
        answer = self.client.generic("POST", "/partner/order_in", body, content_type)
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()

    def said(self, **fields: str) -> str:
        return self.send("&".join(f"{name}={value}" for name, value in {**GOOD, **fields}.items()))

    def test_the_second_time_the_same_reference_names_the_first_order(self) -> None:
        first = self.said(ref="A-1")
        number = OrdHdr.objects.get(ext_ref="A-1").ord_no
        self.assertEqual((first, self.said(ref="A-1")), (f"OK|{number}", f"ERR|DUP|{number}"))

    def test_refusals(self) -> None:
        self.assertEqual(self.said(token="x"), "ERR|AUTH|bad token")
        self.assertEqual(self.said(cust="NOBODY"), "ERR|CUST|unknown customer")
        self.assertEqual(self.said(item1="NS-9"), "ERR|ITEM|unknown item NS-9")
        self.assertEqual(self.said(qty1="many"), "ERR|QTY|bad quantity for NS-1")
        self.assertEqual(self.said(req_dt="soon"), "ERR|DATE|bad req_dt")
        self.assertEqual(self.said(item1=""), "ERR|EMPTY|no items")
        Customer.objects.update(cr_lim=10)
        self.assertEqual(self.said(), "ERR|CREDIT|credit limit exceeded")
        self.assertEqual(OrdHdr.objects.count(), 0)

    def test_bolts_machine_sends_latin1_and_no_content_type(self) -> None:
        body = f"token={TOKEN}&cust=harl1&item1=NS-1&notes=Hr.+M%FCller".encode()
        self.assertTrue(self.send(body, "").startswith("OK|"))
        self.assertEqual(OrdHdr.objects.get().notes, "Hr. Müller")

    def test_numbers_are_read_as_php_did(self) -> None:
        self.assertEqual(
            [intval(x) for x in ("12", " 12 ", "12.9", "x", "", None, "9" * 40)], [12, 12, 12, 0, 0, 0, 2**31 - 1]
        )
