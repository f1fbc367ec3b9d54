from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from sales import audit
from sales.models import OrdHdr
from sales.models.customers import last_order_seen


@receiver(post_save, sender=OrdHdr)
def order_saved(sender: type[OrdHdr], instance: OrdHdr, created: bool, raw: bool = False, **rest: Any) -> None:
    if raw:
        return
    what = "NEW" if created else "CHG"
    audit.write(instance.upd_by, what, "ord_hdr", instance.ord_no, f"stat={instance.stat} tot={instance.tot_amt:.2f}")
    if created and instance.cust_id:
        last_order_seen(instance.cust_id, instance.ord_dt.date())
