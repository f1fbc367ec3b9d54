"""The legacy tables, each made when it is asked for; their types: tables.pyi. Generated from schema.lock.json."""

from __future__ import annotations

import sqlalchemy as sa

from shared_models.project_tables import tables_beside

metadata = sa.MetaData()
__getattr__ = tables_beside(
    __file__,
    metadata,
    {
        "audit_log": ("public", "audit_log"),
        "auth_group": ("public", "auth_group"),
        "auth_group_permissions": ("public", "auth_group_permissions"),
        "auth_permission": ("public", "auth_permission"),
        "auth_user": ("public", "auth_user"),
        "auth_user_groups": ("public", "auth_user_groups"),
        "auth_user_user_permissions": ("public", "auth_user_user_permissions"),
        "cal_hol": ("public", "cal_hol"),
        "category": ("public", "category"),
        "ctr": ("public", "ctr"),
        "cust_doc": ("public", "cust_doc"),
        "cust_note": ("public", "cust_note"),
        "customer": ("public", "customer"),
        "django_admin_log": ("public", "django_admin_log"),
        "django_content_type": ("public", "django_content_type"),
        "django_migrations": ("public", "django_migrations"),
        "django_session": ("public", "django_session"),
        "imp_err": ("public", "imp_err"),
        "inv_dtl": ("public", "inv_dtl"),
        "inv_hdr": ("public", "inv_hdr"),
        "item": ("public", "item"),
        "ord_dtl": ("public", "ord_dtl"),
        "ord_hdr": ("public", "ord_hdr"),
        "partner": ("public", "partner"),
        "price_lst": ("public", "price_lst"),
        "rpt_sales": ("public", "rpt sales"),
        "sal_rep": ("public", "sal_rep"),
        "stock_mv": ("public", "stock_mv"),
        "terms": ("public", "terms"),
        "user_acct": ("public", "user_acct"),
        "v_open_ord": ("public", "v_open_ord"),
        "whse": ("public", "whse"),
    },
)
