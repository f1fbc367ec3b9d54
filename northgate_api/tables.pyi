"""The legacy tables, typed. Generated from schema.lock.json by `banyan check --write`: do not edit."""

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

metadata: sa.MetaData

class AuditLogColumns(sa.TypedColumns):
    """public.audit_log"""

    at: sa.Named[datetime]
    who: sa.Named[str]
    what: sa.Named[str]
    tbl: sa.Named[str]
    ref: sa.Named[str]
    txt: sa.Named[str | None]

audit_log: sa.Table[AuditLogColumns]

class AuthGroupColumns(sa.TypedColumns):
    """public.auth_group"""

    id: sa.Named[int]
    name: sa.Named[str]

auth_group: sa.Table[AuthGroupColumns]

class AuthGroupPermissionsColumns(sa.TypedColumns):
    """public.auth_group_permissions"""

    id: sa.Named[int]
    group_id: sa.Named[int]
    permission_id: sa.Named[int]

auth_group_permissions: sa.Table[AuthGroupPermissionsColumns]

class AuthPermissionColumns(sa.TypedColumns):
    """public.auth_permission"""

    id: sa.Named[int]
    name: sa.Named[str]
    content_type_id: sa.Named[int]
    codename: sa.Named[str]

auth_permission: sa.Table[AuthPermissionColumns]

class AuthUserColumns(sa.TypedColumns):
    """public.auth_user"""

    id: sa.Named[int]
    password: sa.Named[str]
    last_login: sa.Named[datetime | None]
    is_superuser: sa.Named[bool]
    username: sa.Named[str]
    first_name: sa.Named[str]
    last_name: sa.Named[str]
    email: sa.Named[str]
    is_staff: sa.Named[bool]
    is_active: sa.Named[bool]
    date_joined: sa.Named[datetime]

auth_user: sa.Table[AuthUserColumns]

class AuthUserGroupsColumns(sa.TypedColumns):
    """public.auth_user_groups"""

    id: sa.Named[int]
    user_id: sa.Named[int]
    group_id: sa.Named[int]

auth_user_groups: sa.Table[AuthUserGroupsColumns]

class AuthUserUserPermissionsColumns(sa.TypedColumns):
    """public.auth_user_user_permissions"""

    id: sa.Named[int]
    user_id: sa.Named[int]
    permission_id: sa.Named[int]

auth_user_user_permissions: sa.Table[AuthUserUserPermissionsColumns]

class CalHolColumns(sa.TypedColumns):
    """public.cal_hol"""

    hol_dt: sa.Named[date]
    nm: sa.Named[str]

cal_hol: sa.Table[CalHolColumns]

class CategoryColumns(sa.TypedColumns):
    """public.category"""

    cat_cd: sa.Named[str]
    nm: sa.Named[str]

category: sa.Table[CategoryColumns]

class CtrColumns(sa.TypedColumns):
    """public.ctr"""

    ctr_cd: sa.Named[str]
    nxt: sa.Named[int]

ctr: sa.Table[CtrColumns]

class CustDocColumns(sa.TypedColumns):
    """public.cust_doc"""

    doc_no: sa.Named[int]
    cust_no: sa.Named[int]
    fname: sa.Named[str]
    ctype: sa.Named[str]
    size: sa.Named[int]
    data: sa.Named[bytes]
    crt_dt: sa.Named[datetime]
    crt_by: sa.Named[str]

cust_doc: sa.Table[CustDocColumns]

class CustNoteColumns(sa.TypedColumns):
    """public.cust_note"""

    note_no: sa.Named[int]
    cust_no: sa.Named[int]
    crt_dt: sa.Named[datetime]
    crt_by: sa.Named[str]
    txt: sa.Named[str]

cust_note: sa.Table[CustNoteColumns]

class CustomerColumns(sa.TypedColumns):
    """public.customer"""

    cust_no: sa.Named[int]
    cust_cd: sa.Named[str]
    nm: sa.Named[str]
    addr1: sa.Named[str]
    addr2: sa.Named[str | None]
    city: sa.Named[str]
    zip: sa.Named[str]
    ctry: sa.Named[str]
    email: sa.Named[str | None]
    tel: sa.Named[str]
    terms_cd: sa.Named[str]
    cr_lim: sa.Named[Decimal]
    bal: sa.Named[Decimal]
    act_fl: sa.Named[str]
    del_fl: sa.Named[str]
    crt_dt: sa.Named[datetime]
    lst_ord_dt: sa.Named[date]
    rep_cd: sa.Named[str | None]
    src_cd: sa.Named[str]

customer: sa.Table[CustomerColumns]

class DjangoAdminLogColumns(sa.TypedColumns):
    """public.django_admin_log"""

    id: sa.Named[int]
    action_time: sa.Named[datetime]
    object_id: sa.Named[str | None]
    object_repr: sa.Named[str]
    action_flag: sa.Named[int]
    change_message: sa.Named[str]
    content_type_id: sa.Named[int | None]
    user_id: sa.Named[int]

django_admin_log: sa.Table[DjangoAdminLogColumns]

class DjangoContentTypeColumns(sa.TypedColumns):
    """public.django_content_type"""

    id: sa.Named[int]
    app_label: sa.Named[str]
    model: sa.Named[str]

django_content_type: sa.Table[DjangoContentTypeColumns]

class DjangoMigrationsColumns(sa.TypedColumns):
    """public.django_migrations"""

    id: sa.Named[int]
    app: sa.Named[str]
    name: sa.Named[str]
    applied: sa.Named[datetime]

django_migrations: sa.Table[DjangoMigrationsColumns]

class DjangoSessionColumns(sa.TypedColumns):
    """public.django_session"""

    session_key: sa.Named[str]
    session_data: sa.Named[str]
    expire_date: sa.Named[datetime]

django_session: sa.Table[DjangoSessionColumns]

class ImpErrColumns(sa.TypedColumns):
    """public.imp_err"""

    err_no: sa.Named[int]
    imp_dt: sa.Named[datetime]
    prt_cd: sa.Named[str]
    row_no: sa.Named[int]
    msg: sa.Named[str]
    raw: sa.Named[str]

imp_err: sa.Table[ImpErrColumns]

class InvDtlColumns(sa.TypedColumns):
    """public.inv_dtl"""

    inv_no: sa.Named[int]
    ln_no: sa.Named[int]
    item_no: sa.Named[str]
    descr: sa.Named[str]
    qty: sa.Named[int]
    prc: sa.Named[Decimal]
    ln_amt: sa.Named[Decimal]

inv_dtl: sa.Table[InvDtlColumns]

class InvHdrColumns(sa.TypedColumns):
    """public.inv_hdr"""

    inv_no: sa.Named[int]
    ord_no: sa.Named[int]
    cust_no: sa.Named[int]
    inv_dt: sa.Named[date]
    due_dt: sa.Named[date]
    stat: sa.Named[str]
    net_amt: sa.Named[Decimal]
    tax_amt: sa.Named[Decimal]
    gross_amt: sa.Named[Decimal]
    pd_dt: sa.Named[date]

inv_hdr: sa.Table[InvHdrColumns]

class ItemColumns(sa.TypedColumns):
    """public.item"""

    item_no: sa.Named[str]
    descr: sa.Named[str]
    cat_cd: sa.Named[str]
    uom: sa.Named[str]
    prc: sa.Named[Decimal]
    qty_oh: sa.Named[int]
    act_fl: sa.Named[str]
    dscnt_dt: sa.Named[date]

item: sa.Table[ItemColumns]

class OrdDtlColumns(sa.TypedColumns):
    """public.ord_dtl"""

    dtl_id: sa.Named[int]
    ord_no: sa.Named[int]
    ln_no: sa.Named[int]
    item_no: sa.Named[str]
    qty: sa.Named[int]
    prc: sa.Named[Decimal]
    disc_pct: sa.Named[Decimal]
    ln_amt: sa.Named[Decimal]

ord_dtl: sa.Table[OrdDtlColumns]

class OrdHdrColumns(sa.TypedColumns):
    """public.ord_hdr"""

    ord_no: sa.Named[int]
    cust_no: sa.Named[int | None]
    stat: sa.Named[int]
    ord_dt: sa.Named[datetime]
    req_dt: sa.Named[date | None]
    tot_amt: sa.Named[Decimal]
    curr: sa.Named[str]
    ship_via: sa.Named[str | None]
    notes: sa.Named[str | None]
    upd_dt: sa.Named[datetime]
    upd_by: sa.Named[str]
    rush_fl: sa.Named[str]
    prt_cd: sa.Named[str | None]
    ext_ref: sa.Named[str | None]

ord_hdr: sa.Table[OrdHdrColumns]

class PartnerColumns(sa.TypedColumns):
    """public.partner"""

    prt_cd: sa.Named[str]
    nm: sa.Named[str]
    api_tok: sa.Named[str]
    basic_pw: sa.Named[str]
    prc_lst: sa.Named[str]
    act_fl: sa.Named[str]
    contact: sa.Named[str]

partner: sa.Table[PartnerColumns]

class PriceLstColumns(sa.TypedColumns):
    """public.price_lst"""

    id: sa.Named[int]
    item_no: sa.Named[str]
    lst_cd: sa.Named[str]
    min_qty: sa.Named[int]
    prc: sa.Named[Decimal]
    vld_from: sa.Named[date]
    vld_to: sa.Named[date]

price_lst: sa.Table[PriceLstColumns]

class RptSalesColumns(sa.TypedColumns):
    """public.rpt sales"""

    rpt_id: sa.Named[int]
    Sales_Month: sa.Named[date]
    Rep: sa.Named[str]
    Invoices: sa.Named[int]
    Net_Amount: sa.Named[Decimal]

rpt_sales: sa.Table[RptSalesColumns]

class SalRepColumns(sa.TypedColumns):
    """public.sal_rep"""

    rep_cd: sa.Named[str]
    nm: sa.Named[str]
    terr: sa.Named[str]
    act_fl: sa.Named[str]

sal_rep: sa.Table[SalRepColumns]

class StockMvColumns(sa.TypedColumns):
    """public.stock_mv"""

    mv_no: sa.Named[int]
    item_no: sa.Named[str]
    mv_cd: sa.Named[str]
    qty: sa.Named[int]
    ref: sa.Named[str]
    mv_dt: sa.Named[datetime]
    whse_cd: sa.Named[str | None]

stock_mv: sa.Table[StockMvColumns]

class TermsColumns(sa.TypedColumns):
    """public.terms"""

    terms_cd: sa.Named[str]
    descr: sa.Named[str]
    days: sa.Named[int]

terms: sa.Table[TermsColumns]

class UserAcctColumns(sa.TypedColumns):
    """public.user_acct"""

    acct_id: sa.Named[int]
    login: sa.Named[str]
    pw_hash: sa.Named[str]
    cust_no: sa.Named[int | None]
    lst_login: sa.Named[datetime]
    lock_fl: sa.Named[str]

user_acct: sa.Table[UserAcctColumns]

class VOpenOrdColumns(sa.TypedColumns):
    """public.v_open_ord"""

    ord_no: sa.Named[int | None]
    ord_dt: sa.Named[datetime | None]
    req_dt: sa.Named[date | None]
    stat: sa.Named[int | None]
    rush_fl: sa.Named[str | None]
    prt_cd: sa.Named[str | None]
    ext_ref: sa.Named[str | None]
    tot_amt: sa.Named[Decimal | None]
    curr: sa.Named[str | None]
    cust_no: sa.Named[int | None]
    cust_cd: sa.Named[str | None]
    cust_nm: sa.Named[str | None]
    ln_cnt: sa.Named[int | None]

v_open_ord: sa.Table[VOpenOrdColumns]

class WhseColumns(sa.TypedColumns):
    """public.whse"""

    whse_cd: sa.Named[str]
    nm: sa.Named[str]
    city: sa.Named[str]

whse: sa.Table[WhseColumns]
