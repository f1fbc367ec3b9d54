from django.db import models

from sales.fields import YES_NO, CharNField, LocalDateTimeField, local_now


class Partner(models.Model):
    prt_cd = CharNField("code", max_length=8, primary_key=True)
    nm = models.CharField("name", max_length=80)
    api_tok = models.CharField("token", max_length=64)
    basic_pw = models.CharField("password", max_length=64)
    prc_lst = CharNField("price list", max_length=4, default="STD")
    act_fl = CharNField("active", max_length=1, choices=YES_NO, default="Y", db_default="Y")
    contact = models.CharField("contact e-mail", max_length=120, blank=True, default="")

    class Meta:
        db_table = "partner"

    def __str__(self) -> str:
        return f"{self.prt_cd} {self.nm}"


class ImpErr(models.Model):
    """Rejected rows of price uploads. Purged when somebody thinks of it."""

    err_no = models.AutoField(primary_key=True)
    imp_dt = LocalDateTimeField("uploaded", default=local_now)
    prt_cd = CharNField("partner", max_length=8)
    row_no = models.IntegerField("row")
    msg = models.CharField("message", max_length=80)
    raw = models.CharField("row text", max_length=200, blank=True, default="")

    class Meta:
        db_table = "imp_err"
        verbose_name = "upload error"

    def __str__(self) -> str:
        return f"{self.prt_cd} row {self.row_no}: {self.msg}"
