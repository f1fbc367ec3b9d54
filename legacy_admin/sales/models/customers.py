from datetime import date
from decimal import Decimal

from django.db import models

from sales.fields import NEVER, YES_NO, CharNField, LocalDateTimeField, local_now


class SalRep(models.Model):
    rep_cd = CharNField("code", max_length=4, primary_key=True)
    nm = models.CharField("name", max_length=60)
    terr = models.CharField("territory", max_length=30, blank=True, default="")
    act_fl = CharNField("active", max_length=1, choices=YES_NO, default="Y", db_default="Y")

    class Meta:
        db_table = "sal_rep"
        verbose_name = "sales rep"

    def __str__(self) -> str:
        return f"{self.rep_cd} {self.nm}"


class Terms(models.Model):
    terms_cd = CharNField("code", max_length=4, primary_key=True)
    descr = models.CharField("description", max_length=40)
    days = models.SmallIntegerField("days net")

    class Meta:
        db_table = "terms"
        verbose_name = verbose_name_plural = "payment terms"

    def __str__(self) -> str:
        return self.descr


class LiveCustomers(models.Manager["Customer"]):
    def get_queryset(self) -> models.QuerySet["Customer"]:
        return super().get_queryset().filter(del_fl="N")


class Customer(models.Model):
    cust_no = models.AutoField("number", primary_key=True)
    cust_cd = CharNField("code", max_length=8, unique=True)
    nm = models.CharField("name", max_length=80)
    addr1 = models.CharField("address", max_length=80, blank=True, default="")
    addr2 = models.CharField("address 2", max_length=80, blank=True, null=True)
    city = models.CharField(max_length=60, blank=True, default="")
    zip = models.CharField(max_length=12, blank=True, default="")
    ctry = CharNField("country", max_length=2, default="US")
    email = models.CharField("e-mail", max_length=120, blank=True, null=True)
    tel = models.CharField("phone", max_length=30, blank=True, default="")
    terms_cd = CharNField("terms", max_length=4, default="N30")  # no foreign key: codes of 2009 were never entered
    cr_lim = models.DecimalField(
        "credit limit", max_digits=12, decimal_places=2, default=Decimal(0), help_text="0 = none"
    )
    bal = models.DecimalField("balance", max_digits=12, decimal_places=2, default=Decimal(0), db_default=Decimal(0))
    act_fl = CharNField("active", max_length=1, choices=YES_NO, default="Y", db_default="Y")
    del_fl = CharNField("deleted", max_length=1, choices=YES_NO, default="N", db_default="N")
    crt_dt = LocalDateTimeField("created", default=local_now)
    lst_ord_dt = models.DateField("last order", default=NEVER, db_default=NEVER)
    rep = models.ForeignKey(SalRep, models.PROTECT, db_column="rep_cd", blank=True, null=True, verbose_name="sales rep")
    src_cd = CharNField("brought by", max_length=8, blank=True, default="", db_default="")

    objects = models.Manager["Customer"]()
    live = LiveCustomers()

    class Meta:
        db_table = "customer"

    def __str__(self) -> str:
        return f"{self.cust_cd} {self.nm.strip()}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.cust_cd = self.cust_cd.upper()
        if self.del_fl == "Y":
            self.act_fl = "N"  # 2015-08: deleted customers still got the monthly mailing
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def terms_days(self) -> int:
        terms = Terms.objects.filter(terms_cd=self.terms_cd).first()
        return terms.days if terms else 30

    def over_limit(self, amount: Decimal) -> bool:
        return self.cr_lim > 0 and self.bal + amount > self.cr_lim

    def has_ordered(self) -> bool:
        return self.lst_ord_dt > NEVER


class CustNote(models.Model):
    note_no = models.AutoField(primary_key=True)
    cust = models.ForeignKey(Customer, models.CASCADE, db_column="cust_no", related_name="notes")
    crt_dt = LocalDateTimeField("written", default=local_now)
    crt_by = models.CharField("by", max_length=30, blank=True, default="")
    txt = models.TextField("note")

    class Meta:
        db_table = "cust_note"
        verbose_name = "note"

    def __str__(self) -> str:
        return f"{self.crt_dt:%m/%d/%Y} {self.crt_by}"


class CustDoc(models.Model):
    """Scanned contracts and tax certificates. In the database because the file share was not backed up (2018)."""

    doc_no = models.AutoField(primary_key=True)
    cust = models.ForeignKey(Customer, models.CASCADE, db_column="cust_no", related_name="docs")
    fname = models.CharField("file name", max_length=120)
    ctype = models.CharField("type", max_length=80, default="application/octet-stream")
    size = models.IntegerField()
    data = models.BinaryField()
    crt_dt = LocalDateTimeField("attached", default=local_now)
    crt_by = models.CharField("by", max_length=30, blank=True, default="")

    class Meta:
        db_table = "cust_doc"
        verbose_name = "document"

    def __str__(self) -> str:
        return self.fname


class UserAcct(models.Model):
    """Logins of the mobile app's pilot (2019). cust_no has no foreign key: accounts come before their customer."""

    acct_id = models.AutoField(primary_key=True)
    login = models.CharField(max_length=60, unique=True)
    pw_hash = models.CharField(max_length=128)
    cust_no = models.IntegerField("customer number", blank=True, null=True)
    lst_login = LocalDateTimeField("last login", default="1900-01-01 00:00:00")
    lock_fl = CharNField("locked", max_length=1, choices=YES_NO, default="N", db_default="N")

    class Meta:
        db_table = "user_acct"
        verbose_name = "app account"

    def __str__(self) -> str:
        return self.login


def last_order_seen(cust_no: int, day: date) -> None:
    """Moves the customer's last order date forward, never back. Does nothing for an unknown customer."""
    Customer.objects.filter(cust_no=cust_no, lst_ord_dt__lt=day).update(lst_ord_dt=day)
