# mypy: disallow-any-generics=False
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from sales.models import Item, OrdDtl, OrdHdr
from sales.models.orders import WrongState


class LineForm(forms.ModelForm):
    class Meta:
        model = OrdDtl
        fields = ["item_no", "qty", "prc", "disc_pct"]

    def clean_item_no(self) -> str:
        """Lines of items that are gone may stay; new ones must exist."""
        item_no = str(self.cleaned_data["item_no"]).upper()
        if "item_no" in self.changed_data and not Item.objects.filter(item_no=item_no).exists():
            raise forms.ValidationError("There is no such item.")
        return item_no


class LineInline(admin.TabularInline):
    model = OrdDtl
    form = LineForm
    readonly_fields = ["ln_no", "ln_amt"]
    fields = ["ln_no", "item_no", "qty", "prc", "disc_pct", "ln_amt"]
    extra = 1


@admin.register(OrdHdr)
class OrdHdrAdmin(admin.ModelAdmin):
    list_display = ["ord_no", "ord_dt", "customer_name", "prt_cd", "ext_ref", "stat", "rush_fl", "tot_amt", "curr"]
    list_filter = ["stat", "rush_fl", "prt_cd", "curr"]
    search_fields = ["=ord_no", "=ext_ref", "cust__cust_cd", "cust__nm"]
    date_hierarchy = "ord_dt"
    ordering = ["-ord_no"]
    list_per_page = 50
    list_select_related = ["cust"]
    show_full_result_count = False
    raw_id_fields = ["cust"]
    readonly_fields = ["tot_amt", "upd_dt", "upd_by"]
    inlines = [LineInline]
    actions = ["cancel_orders"]

    @admin.display(description="customer", ordering="cust__nm")
    def customer_name(self, o: OrdHdr) -> str:
        cust = o.customer()
        return str(cust) if cust else f"#{o.cust_id} (gone)"

    def has_delete_permission(self, request: HttpRequest, obj: OrdHdr | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: OrdHdr, form: Any, change: bool) -> None:
        obj.upd_by = request.user.get_username()[:30]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            form.instance.save()  # the total, now that the lines are there

    @admin.action(description="Cancel selected orders", permissions=["change"])
    def cancel_orders(self, request: HttpRequest, chosen: QuerySet[OrdHdr]) -> None:
        refused = []
        for order in chosen:
            try:
                order.cancel(request.user.get_username())
            except WrongState as e:
                refused.append(str(e))
        messages.success(request, f"{len(chosen) - len(refused)} orders cancelled.")
        for reason in refused[:5]:
            messages.warning(request, f"Not cancelled: {reason}.")
