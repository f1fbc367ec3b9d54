"""One file per drawer of the old database. Table and column names are the old system's; see README, "The tables"."""

from sales.models.customers import CustDoc, CustNote, Customer, SalRep, Terms, UserAcct
from sales.models.invoices import CalHol, Ctr, InvDtl, InvHdr, RptSales
from sales.models.items import Category, Item, PriceLst, StockMv, Whse
from sales.models.orders import OpenOrder, OrdDtl, OrdHdr
from sales.models.partners import ImpErr, Partner

__all__ = [
    "CalHol",
    "Category",
    "Ctr",
    "CustDoc",
    "CustNote",
    "Customer",
    "ImpErr",
    "InvDtl",
    "InvHdr",
    "Item",
    "OpenOrder",
    "OrdDtl",
    "OrdHdr",
    "Partner",
    "PriceLst",
    "RptSales",
    "SalRep",
    "StockMv",
    "Terms",
    "UserAcct",
    "Whse",
]
