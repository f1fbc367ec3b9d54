"""The legacy tables, typed. Generated from schema.lock.json by `banyan openapi --write`: do not edit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from shared_models.tables import Padded

metadata = sa.MetaData()


class AuditLogColumns(sa.TypedColumns):
    """public.audit_log"""

    at: sa.Named[datetime] = sa.Column("at", sa.DateTime())
    who: sa.Named[str] = sa.Column("who", sa.String(30))
    what: sa.Named[str] = sa.Column("what", sa.String(20))
    tbl: sa.Named[str] = sa.Column("tbl", sa.String(20))
    ref: sa.Named[str] = sa.Column("ref", sa.String(40), server_default=sa.FetchedValue())
    txt: sa.Named[str | None] = sa.Column("txt", sa.Text())


audit_log = sa.Table("audit_log", metadata, AuditLogColumns, schema="public", quote=True)


class AuthGroupColumns(sa.TypedColumns):
    """public.auth_group"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    name: sa.Named[str] = sa.Column("name", sa.String(150))


auth_group = sa.Table("auth_group", metadata, AuthGroupColumns, schema="public", quote=True)


class AuthGroupPermissionsColumns(sa.TypedColumns):
    """public.auth_group_permissions"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    group_id: sa.Named[int] = sa.Column("group_id", sa.Integer())
    permission_id: sa.Named[int] = sa.Column("permission_id", sa.Integer())


auth_group_permissions = sa.Table(
    "auth_group_permissions", metadata, AuthGroupPermissionsColumns, schema="public", quote=True
)


class AuthPermissionColumns(sa.TypedColumns):
    """public.auth_permission"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    name: sa.Named[str] = sa.Column("name", sa.String(255))
    content_type_id: sa.Named[int] = sa.Column("content_type_id", sa.Integer())
    codename: sa.Named[str] = sa.Column("codename", sa.String(100))


auth_permission = sa.Table("auth_permission", metadata, AuthPermissionColumns, schema="public", quote=True)


class AuthUserColumns(sa.TypedColumns):
    """public.auth_user"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    password: sa.Named[str] = sa.Column("password", sa.String(128))
    last_login: sa.Named[datetime | None] = sa.Column("last_login", sa.DateTime(timezone=True))
    is_superuser: sa.Named[bool] = sa.Column("is_superuser", sa.Boolean())
    username: sa.Named[str] = sa.Column("username", sa.String(150))
    first_name: sa.Named[str] = sa.Column("first_name", sa.String(150))
    last_name: sa.Named[str] = sa.Column("last_name", sa.String(150))
    email: sa.Named[str] = sa.Column("email", sa.String(254))
    is_staff: sa.Named[bool] = sa.Column("is_staff", sa.Boolean())
    is_active: sa.Named[bool] = sa.Column("is_active", sa.Boolean())
    date_joined: sa.Named[datetime] = sa.Column("date_joined", sa.DateTime(timezone=True))


auth_user = sa.Table("auth_user", metadata, AuthUserColumns, schema="public", quote=True)


class AuthUserGroupsColumns(sa.TypedColumns):
    """public.auth_user_groups"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    user_id: sa.Named[int] = sa.Column("user_id", sa.Integer())
    group_id: sa.Named[int] = sa.Column("group_id", sa.Integer())


auth_user_groups = sa.Table("auth_user_groups", metadata, AuthUserGroupsColumns, schema="public", quote=True)


class AuthUserUserPermissionsColumns(sa.TypedColumns):
    """public.auth_user_user_permissions"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    user_id: sa.Named[int] = sa.Column("user_id", sa.Integer())
    permission_id: sa.Named[int] = sa.Column("permission_id", sa.Integer())


auth_user_user_permissions = sa.Table(
    "auth_user_user_permissions", metadata, AuthUserUserPermissionsColumns, schema="public", quote=True
)


class CalHolColumns(sa.TypedColumns):
    """public.cal_hol"""

    hol_dt: sa.Named[date] = sa.Column("hol_dt", sa.Date(), primary_key=True, autoincrement=False)
    nm: sa.Named[str] = sa.Column("nm", sa.String(40))


cal_hol = sa.Table("cal_hol", metadata, CalHolColumns, schema="public", quote=True)


class CategoryColumns(sa.TypedColumns):
    """public.category"""

    cat_cd: sa.Named[str] = sa.Column("cat_cd", Padded(4), primary_key=True, autoincrement=False)
    nm: sa.Named[str] = sa.Column("nm", sa.String(60))


category = sa.Table("category", metadata, CategoryColumns, schema="public", quote=True)


class CtrColumns(sa.TypedColumns):
    """public.ctr"""

    ctr_cd: sa.Named[str] = sa.Column("ctr_cd", sa.String(12), primary_key=True, autoincrement=False)
    nxt: sa.Named[int] = sa.Column("nxt", sa.Integer())


ctr = sa.Table("ctr", metadata, CtrColumns, schema="public", quote=True)


class CustDocColumns(sa.TypedColumns):
    """public.cust_doc"""

    doc_no: sa.Named[int] = sa.Column(
        "doc_no", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    cust_no: sa.Named[int] = sa.Column("cust_no", sa.Integer())
    fname: sa.Named[str] = sa.Column("fname", sa.String(120))
    ctype: sa.Named[str] = sa.Column("ctype", sa.String(80))
    size: sa.Named[int] = sa.Column("size", sa.Integer())
    data: sa.Named[bytes] = sa.Column("data", sa.LargeBinary())
    crt_dt: sa.Named[datetime] = sa.Column("crt_dt", sa.DateTime())
    crt_by: sa.Named[str] = sa.Column("crt_by", sa.String(30))


cust_doc = sa.Table("cust_doc", metadata, CustDocColumns, schema="public", quote=True)


class CustNoteColumns(sa.TypedColumns):
    """public.cust_note"""

    note_no: sa.Named[int] = sa.Column(
        "note_no", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    cust_no: sa.Named[int] = sa.Column("cust_no", sa.Integer())
    crt_dt: sa.Named[datetime] = sa.Column("crt_dt", sa.DateTime())
    crt_by: sa.Named[str] = sa.Column("crt_by", sa.String(30))
    txt: sa.Named[str] = sa.Column("txt", sa.Text())


cust_note = sa.Table("cust_note", metadata, CustNoteColumns, schema="public", quote=True)


class CustomerColumns(sa.TypedColumns):
    """public.customer"""

    cust_no: sa.Named[int] = sa.Column(
        "cust_no", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    cust_cd: sa.Named[str] = sa.Column("cust_cd", Padded(8))
    nm: sa.Named[str] = sa.Column("nm", sa.String(80))
    addr1: sa.Named[str] = sa.Column("addr1", sa.String(80))
    addr2: sa.Named[str | None] = sa.Column("addr2", sa.String(80))
    city: sa.Named[str] = sa.Column("city", sa.String(60))
    zip: sa.Named[str] = sa.Column("zip", sa.String(12))
    ctry: sa.Named[str] = sa.Column("ctry", Padded(2))
    email: sa.Named[str | None] = sa.Column("email", sa.String(120))
    tel: sa.Named[str] = sa.Column("tel", sa.String(30))
    terms_cd: sa.Named[str] = sa.Column("terms_cd", Padded(4))
    cr_lim: sa.Named[Decimal] = sa.Column("cr_lim", sa.Numeric(12, 2))
    bal: sa.Named[Decimal] = sa.Column("bal", sa.Numeric(12, 2), server_default=sa.FetchedValue())
    act_fl: sa.Named[str] = sa.Column("act_fl", Padded(1), server_default=sa.FetchedValue())
    del_fl: sa.Named[str] = sa.Column("del_fl", Padded(1), server_default=sa.FetchedValue())
    crt_dt: sa.Named[datetime] = sa.Column("crt_dt", sa.DateTime())
    lst_ord_dt: sa.Named[date] = sa.Column("lst_ord_dt", sa.Date(), server_default=sa.FetchedValue())
    rep_cd: sa.Named[str | None] = sa.Column("rep_cd", Padded(4))
    src_cd: sa.Named[str] = sa.Column("src_cd", Padded(8), server_default=sa.FetchedValue())


customer = sa.Table("customer", metadata, CustomerColumns, schema="public", quote=True)


class DjangoAdminLogColumns(sa.TypedColumns):
    """public.django_admin_log"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    action_time: sa.Named[datetime] = sa.Column("action_time", sa.DateTime(timezone=True))
    object_id: sa.Named[str | None] = sa.Column("object_id", sa.Text())
    object_repr: sa.Named[str] = sa.Column("object_repr", sa.String(200))
    action_flag: sa.Named[int] = sa.Column("action_flag", sa.SmallInteger())
    change_message: sa.Named[str] = sa.Column("change_message", sa.Text())
    content_type_id: sa.Named[int | None] = sa.Column("content_type_id", sa.Integer())
    user_id: sa.Named[int] = sa.Column("user_id", sa.Integer())


django_admin_log = sa.Table("django_admin_log", metadata, DjangoAdminLogColumns, schema="public", quote=True)


class DjangoContentTypeColumns(sa.TypedColumns):
    """public.django_content_type"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    app_label: sa.Named[str] = sa.Column("app_label", sa.String(100))
    model: sa.Named[str] = sa.Column("model", sa.String(100))


django_content_type = sa.Table("django_content_type", metadata, DjangoContentTypeColumns, schema="public", quote=True)


class DjangoMigrationsColumns(sa.TypedColumns):
    """public.django_migrations"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    app: sa.Named[str] = sa.Column("app", sa.String(255))
    name: sa.Named[str] = sa.Column("name", sa.String(255))
    applied: sa.Named[datetime] = sa.Column("applied", sa.DateTime(timezone=True))


django_migrations = sa.Table("django_migrations", metadata, DjangoMigrationsColumns, schema="public", quote=True)


class DjangoSessionColumns(sa.TypedColumns):
    """public.django_session"""

    session_key: sa.Named[str] = sa.Column("session_key", sa.String(40), primary_key=True, autoincrement=False)
    session_data: sa.Named[str] = sa.Column("session_data", sa.Text())
    expire_date: sa.Named[datetime] = sa.Column("expire_date", sa.DateTime(timezone=True))


django_session = sa.Table("django_session", metadata, DjangoSessionColumns, schema="public", quote=True)


class ImpErrColumns(sa.TypedColumns):
    """public.imp_err"""

    err_no: sa.Named[int] = sa.Column(
        "err_no", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    imp_dt: sa.Named[datetime] = sa.Column("imp_dt", sa.DateTime())
    prt_cd: sa.Named[str] = sa.Column("prt_cd", Padded(8))
    row_no: sa.Named[int] = sa.Column("row_no", sa.Integer())
    msg: sa.Named[str] = sa.Column("msg", sa.String(80))
    raw: sa.Named[str] = sa.Column("raw", sa.String(200))


imp_err = sa.Table("imp_err", metadata, ImpErrColumns, schema="public", quote=True)


class InvDtlColumns(sa.TypedColumns):
    """public.inv_dtl"""

    inv_no: sa.Named[int] = sa.Column("inv_no", sa.Integer(), primary_key=True, autoincrement=False)
    ln_no: sa.Named[int] = sa.Column("ln_no", sa.SmallInteger(), primary_key=True, autoincrement=False)
    item_no: sa.Named[str] = sa.Column("item_no", sa.String(20))
    descr: sa.Named[str] = sa.Column("descr", sa.String(120))
    qty: sa.Named[int] = sa.Column("qty", sa.Integer())
    prc: sa.Named[Decimal] = sa.Column("prc", sa.Numeric(10, 2))
    ln_amt: sa.Named[Decimal] = sa.Column("ln_amt", sa.Numeric(12, 2))


inv_dtl = sa.Table("inv_dtl", metadata, InvDtlColumns, schema="public", quote=True)


class InvHdrColumns(sa.TypedColumns):
    """public.inv_hdr"""

    inv_no: sa.Named[int] = sa.Column("inv_no", sa.Integer(), primary_key=True, autoincrement=False)
    ord_no: sa.Named[int] = sa.Column("ord_no", sa.Integer())
    cust_no: sa.Named[int] = sa.Column("cust_no", sa.Integer())
    inv_dt: sa.Named[date] = sa.Column("inv_dt", sa.Date())
    due_dt: sa.Named[date] = sa.Column("due_dt", sa.Date())
    stat: sa.Named[str] = sa.Column("stat", Padded(1))
    net_amt: sa.Named[Decimal] = sa.Column("net_amt", sa.Numeric(12, 2))
    tax_amt: sa.Named[Decimal] = sa.Column("tax_amt", sa.Numeric(12, 2))
    gross_amt: sa.Named[Decimal] = sa.Column("gross_amt", sa.Numeric(12, 2))
    pd_dt: sa.Named[date] = sa.Column("pd_dt", sa.Date(), server_default=sa.FetchedValue())


inv_hdr = sa.Table("inv_hdr", metadata, InvHdrColumns, schema="public", quote=True)


class ItemColumns(sa.TypedColumns):
    """public.item"""

    item_no: sa.Named[str] = sa.Column("item_no", sa.String(20), primary_key=True, autoincrement=False)
    descr: sa.Named[str] = sa.Column("descr", sa.String(120))
    cat_cd: sa.Named[str] = sa.Column("cat_cd", Padded(4))
    uom: sa.Named[str] = sa.Column("uom", Padded(3))
    prc: sa.Named[Decimal] = sa.Column("prc", sa.Numeric(10, 2))
    qty_oh: sa.Named[int] = sa.Column("qty_oh", sa.Integer(), server_default=sa.FetchedValue())
    act_fl: sa.Named[str] = sa.Column("act_fl", Padded(1), server_default=sa.FetchedValue())
    dscnt_dt: sa.Named[date] = sa.Column("dscnt_dt", sa.Date(), server_default=sa.FetchedValue())


item = sa.Table("item", metadata, ItemColumns, schema="public", quote=True)


class OrdDtlColumns(sa.TypedColumns):
    """public.ord_dtl"""

    dtl_id: sa.Named[int] = sa.Column("dtl_id", sa.Integer(), server_default=sa.FetchedValue())
    ord_no: sa.Named[int] = sa.Column("ord_no", sa.Integer(), primary_key=True, autoincrement=False)
    ln_no: sa.Named[int] = sa.Column("ln_no", sa.SmallInteger(), primary_key=True, autoincrement=False)
    item_no: sa.Named[str] = sa.Column("item_no", sa.String(20))
    qty: sa.Named[int] = sa.Column("qty", sa.Integer())
    prc: sa.Named[Decimal] = sa.Column("prc", sa.Numeric(10, 2))
    disc_pct: sa.Named[Decimal] = sa.Column("disc_pct", sa.Numeric(5, 2), server_default=sa.FetchedValue())
    ln_amt: sa.Named[Decimal] = sa.Column("ln_amt", sa.Numeric(12, 2))


ord_dtl = sa.Table("ord_dtl", metadata, OrdDtlColumns, schema="public", quote=True)


class OrdHdrColumns(sa.TypedColumns):
    """public.ord_hdr"""

    ord_no: sa.Named[int] = sa.Column(
        "ord_no", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    cust_no: sa.Named[int | None] = sa.Column("cust_no", sa.Integer())
    stat: sa.Named[int] = sa.Column("stat", sa.SmallInteger())
    ord_dt: sa.Named[datetime] = sa.Column("ord_dt", sa.DateTime())
    req_dt: sa.Named[date | None] = sa.Column("req_dt", sa.Date())
    tot_amt: sa.Named[Decimal] = sa.Column("tot_amt", sa.Numeric(12, 2))
    curr: sa.Named[str] = sa.Column("curr", Padded(3), server_default=sa.FetchedValue())
    ship_via: sa.Named[str | None] = sa.Column("ship_via", sa.String(20))
    notes: sa.Named[str | None] = sa.Column("notes", sa.Text())
    upd_dt: sa.Named[datetime] = sa.Column("upd_dt", sa.DateTime())
    upd_by: sa.Named[str] = sa.Column("upd_by", sa.String(30))
    rush_fl: sa.Named[str] = sa.Column("rush_fl", Padded(1), server_default=sa.FetchedValue())
    prt_cd: sa.Named[str | None] = sa.Column("prt_cd", Padded(8))
    ext_ref: sa.Named[str | None] = sa.Column("ext_ref", sa.String(40))


ord_hdr = sa.Table("ord_hdr", metadata, OrdHdrColumns, schema="public", quote=True)


class PartnerColumns(sa.TypedColumns):
    """public.partner"""

    prt_cd: sa.Named[str] = sa.Column("prt_cd", Padded(8), primary_key=True, autoincrement=False)
    nm: sa.Named[str] = sa.Column("nm", sa.String(80))
    api_tok: sa.Named[str] = sa.Column("api_tok", sa.String(64))
    basic_pw: sa.Named[str] = sa.Column("basic_pw", sa.String(64))
    prc_lst: sa.Named[str] = sa.Column("prc_lst", Padded(4))
    act_fl: sa.Named[str] = sa.Column("act_fl", Padded(1), server_default=sa.FetchedValue())
    contact: sa.Named[str] = sa.Column("contact", sa.String(120))


partner = sa.Table("partner", metadata, PartnerColumns, schema="public", quote=True)


class PriceLstColumns(sa.TypedColumns):
    """public.price_lst"""

    id: sa.Named[int] = sa.Column(
        "id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    item_no: sa.Named[str] = sa.Column("item_no", sa.String(20))
    lst_cd: sa.Named[str] = sa.Column("lst_cd", Padded(4))
    min_qty: sa.Named[int] = sa.Column("min_qty", sa.Integer())
    prc: sa.Named[Decimal] = sa.Column("prc", sa.Numeric(10, 2))
    vld_from: sa.Named[date] = sa.Column("vld_from", sa.Date())
    vld_to: sa.Named[date] = sa.Column("vld_to", sa.Date(), server_default=sa.FetchedValue())


price_lst = sa.Table("price_lst", metadata, PriceLstColumns, schema="public", quote=True)


class RptSalesColumns(sa.TypedColumns):
    """public.rpt sales"""

    rpt_id: sa.Named[int] = sa.Column(
        "rpt_id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    Sales_Month: sa.Named[date] = sa.Column("Sales Month", sa.Date(), key="Sales_Month")
    Rep: sa.Named[str] = sa.Column("Rep", Padded(4))
    Invoices: sa.Named[int] = sa.Column("Invoices", sa.Integer())
    Net_Amount: sa.Named[Decimal] = sa.Column("Net Amount", sa.Numeric(14, 2), key="Net_Amount")


rpt_sales = sa.Table("rpt sales", metadata, RptSalesColumns, schema="public", quote=True)


class SalRepColumns(sa.TypedColumns):
    """public.sal_rep"""

    rep_cd: sa.Named[str] = sa.Column("rep_cd", Padded(4), primary_key=True, autoincrement=False)
    nm: sa.Named[str] = sa.Column("nm", sa.String(60))
    terr: sa.Named[str] = sa.Column("terr", sa.String(30))
    act_fl: sa.Named[str] = sa.Column("act_fl", Padded(1), server_default=sa.FetchedValue())


sal_rep = sa.Table("sal_rep", metadata, SalRepColumns, schema="public", quote=True)


class StockMvColumns(sa.TypedColumns):
    """public.stock_mv"""

    mv_no: sa.Named[int] = sa.Column(
        "mv_no", sa.BigInteger(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    item_no: sa.Named[str] = sa.Column("item_no", sa.String(20))
    mv_cd: sa.Named[str] = sa.Column("mv_cd", Padded(2))
    qty: sa.Named[int] = sa.Column("qty", sa.Integer())
    ref: sa.Named[str] = sa.Column("ref", sa.String(30))
    mv_dt: sa.Named[datetime] = sa.Column("mv_dt", sa.DateTime())
    whse_cd: sa.Named[str | None] = sa.Column("whse_cd", Padded(3))


stock_mv = sa.Table("stock_mv", metadata, StockMvColumns, schema="public", quote=True)


class TermsColumns(sa.TypedColumns):
    """public.terms"""

    terms_cd: sa.Named[str] = sa.Column("terms_cd", Padded(4), primary_key=True, autoincrement=False)
    descr: sa.Named[str] = sa.Column("descr", sa.String(40))
    days: sa.Named[int] = sa.Column("days", sa.SmallInteger())


terms = sa.Table("terms", metadata, TermsColumns, schema="public", quote=True)


class UserAcctColumns(sa.TypedColumns):
    """public.user_acct"""

    acct_id: sa.Named[int] = sa.Column(
        "acct_id", sa.Integer(), primary_key=True, autoincrement=False, server_default=sa.FetchedValue()
    )
    login: sa.Named[str] = sa.Column("login", sa.String(60))
    pw_hash: sa.Named[str] = sa.Column("pw_hash", sa.String(128))
    cust_no: sa.Named[int | None] = sa.Column("cust_no", sa.Integer())
    lst_login: sa.Named[datetime] = sa.Column("lst_login", sa.DateTime())
    lock_fl: sa.Named[str] = sa.Column("lock_fl", Padded(1), server_default=sa.FetchedValue())


user_acct = sa.Table("user_acct", metadata, UserAcctColumns, schema="public", quote=True)


class VOpenOrdColumns(sa.TypedColumns):
    """public.v_open_ord"""

    ord_no: sa.Named[int | None] = sa.Column("ord_no", sa.Integer())
    ord_dt: sa.Named[datetime | None] = sa.Column("ord_dt", sa.DateTime())
    req_dt: sa.Named[date | None] = sa.Column("req_dt", sa.Date())
    stat: sa.Named[int | None] = sa.Column("stat", sa.SmallInteger())
    rush_fl: sa.Named[str | None] = sa.Column("rush_fl", Padded(1))
    prt_cd: sa.Named[str | None] = sa.Column("prt_cd", Padded(8))
    ext_ref: sa.Named[str | None] = sa.Column("ext_ref", sa.String(40))
    tot_amt: sa.Named[Decimal | None] = sa.Column("tot_amt", sa.Numeric(12, 2))
    curr: sa.Named[str | None] = sa.Column("curr", Padded(3))
    cust_no: sa.Named[int | None] = sa.Column("cust_no", sa.Integer())
    cust_cd: sa.Named[str | None] = sa.Column("cust_cd", Padded(8))
    cust_nm: sa.Named[str | None] = sa.Column("cust_nm", sa.String(80))
    ln_cnt: sa.Named[int | None] = sa.Column("ln_cnt", sa.BigInteger())


v_open_ord = sa.Table("v_open_ord", metadata, VOpenOrdColumns, schema="public", quote=True)


class WhseColumns(sa.TypedColumns):
    """public.whse"""

    whse_cd: sa.Named[str] = sa.Column("whse_cd", Padded(3), primary_key=True, autoincrement=False)
    nm: sa.Named[str] = sa.Column("nm", sa.String(40))
    city: sa.Named[str] = sa.Column("city", sa.String(60))


whse = sa.Table("whse", metadata, WhseColumns, schema="public", quote=True)
