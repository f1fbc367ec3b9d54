# mypy: disallow-any-generics=False
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from sales.models import CustNote, Customer, ImpErr, Partner, SalRep, Terms, UserAcct


class NoteInline(admin.TabularInline):
    model = CustNote
    fields = ["txt", "crt_by", "crt_dt"]
    readonly_fields = ["crt_dt"]
    extra = 0


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["cust_cd", "nm", "city", "ctry", "email", "bal", "last_order", "act_fl", "del_fl"]
    list_filter = ["del_fl", "act_fl", "src_cd", "ctry", "rep"]
    search_fields = ["cust_cd", "nm", "email", "city"]
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ["bal", "crt_dt", "lst_ord_dt"]
    raw_id_fields = ["rep"]
    inlines = [NoteInline]
    actions = ["put_on_hold", "mark_deleted"]
    fieldsets = [
        (None, {"fields": [("cust_cd", "nm"), ("email", "tel")]}),
        ("Address", {"fields": ["addr1", "addr2", ("zip", "city", "ctry")]}),
        ("Business", {"fields": [("terms_cd", "cr_lim", "bal"), ("rep", "src_cd"), ("lst_ord_dt", "crt_dt")]}),
        ("State", {"fields": [("act_fl", "del_fl")]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False  # orders point here without a foreign key: see 2013

    @admin.display(description="last order", ordering="lst_ord_dt")
    def last_order(self, c: Customer) -> str:
        return f"{c.lst_ord_dt:%m/%d/%Y}" if c.has_ordered() else "never"

    @admin.action(description="Put selected customers on hold", permissions=["change"])
    def put_on_hold(self, request: HttpRequest, chosen: QuerySet[Customer]) -> None:
        count = chosen.filter(act_fl="Y").update(act_fl="N")
        messages.success(request, f"{count} customers put on hold.")

    @admin.action(description="Mark selected customers as deleted", permissions=["change"])
    def mark_deleted(self, request: HttpRequest, chosen: QuerySet[Customer]) -> None:
        count = chosen.update(del_fl="Y", act_fl="N")
        messages.success(request, f"{count} customers marked as deleted.")


@admin.register(Partner)
class PartnerAdmin(admin.ModelAdmin):
    list_display = ["prt_cd", "nm", "prc_lst", "act_fl", "contact"]
    list_filter = ["act_fl"]


@admin.register(ImpErr)
class ImpErrAdmin(admin.ModelAdmin):
    list_display = ["imp_dt", "prt_cd", "row_no", "msg", "raw"]
    list_filter = ["prt_cd"]
    ordering = ["-err_no"]


@admin.register(UserAcct)
class UserAcctAdmin(admin.ModelAdmin):
    list_display = ["login", "cust_no", "lst_login", "lock_fl"]
    list_filter = ["lock_fl"]
    search_fields = ["login"]
    exclude = ["pw_hash"]


admin.site.register(SalRep, list_display=["rep_cd", "nm", "terr", "act_fl"])
admin.site.register(Terms, list_display=["terms_cd", "descr", "days"])
