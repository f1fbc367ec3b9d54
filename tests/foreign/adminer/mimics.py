"""What programs ask of Adminer, answered as Adminer 4.8 answers it: an export, the rows of a page, a new row."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote_plus

import sqlalchemy as sa
from fastapi import Query, Request, Response

from api_gateway.api.transactions import Read, Write
from shared_models.grants import touches

from .tables import article, supplier

SESSION = ("pgsql", "username", "db", "ns")
PAGE = {
    "cache-control": "no-cache",
    "x-frame-options": "deny",
    "x-xss-protection": "0",
    "x-content-type-options": "nosniff",
    "referrer-policy": "origin-when-cross-origin",
    "content-security-policy": "script-src 'self' 'unsafe-inline' 'nonce-none' 'strict-dynamic'; connect-src 'self'; "
    "frame-src https://www.adminer.org; object-src 'none'; base-uri 'none'; form-action 'self'",
}
Searched = Annotated[str, Query(alias="where[0][val]")]


@touches(select={"article": ["art_no", "sup_no", "descr", "prc", "in_stock"]})
async def exported_articles(tx: Read, searched: Searched = "") -> Response:
    """The export of what a search found, as CSV: with a byte order mark, odd cells quoted."""
    names = list(article.c)
    rows = await tx.rows(sa.select(*names).where(article.c.descr.like(_anywhere(searched))))
    lines = [[column.name for column in names], *([str(row[column.name]) for column in names] for row in rows)]
    lines = lines if rows else []
    body = "".join(",".join(map(_cell, line)) + "\r\n" for line in lines)
    return Response("\ufeff" + body, media_type="text/plain; charset=utf-8")


def _cell(text: str) -> str:
    """Quoted where a spreadsheet would take it for something else, and where a decimal ends with zero."""
    is_odd = text == "" or re.search(r'["\n,;\t]|^0|\.\d*0$', text) is not None
    return '"' + text.replace('"', '""') + '"' if is_odd else text


@touches(select={"supplier": ["sup_no", "nm", "act_fl"]})
async def shown_suppliers(request: Request, tx: Read, searched: Searched = "") -> Response:
    """The rows of the page, as its script asks for them: each with its check box, its link and its cells."""
    rows = await tx.rows(sa.select(*supplier.c).where(supplier.c.nm.like(_anywhere(searched))).limit(50))
    return _page("".join(_rows(rows, _me(request))))


def _rows(rows: Iterable[dict[str, Any]], me: str) -> Iterable[str]:
    for n, row in enumerate(rows):
        where = f"where%5Bsup_no%5D={row['sup_no']}"
        cells = {"sup_no": (row["sup_no"], 0), "nm": (_escaped(row["nm"]), 0), "act_fl": (_code(row["act_fl"]), 0)}
        shown = "".join(
            f"<td id='val[&amp;{where}][{name}]' data-text='{is_text}'>{value}</td>"
            for name, (value, is_text) in cells.items()
        )
        box = f"<input type='checkbox' name='check[]' value='{where}'>"
        edit = f" <a href='{_escaped(f'{me}edit=supplier&{where}')}' class='edit'>edit</a>"
        odd = ' class="odd"' if n % 2 else ""
        yield f"<tr{odd}><td>{box}{edit}{shown}</tr>\n"


@touches(select={"supplier": ["sup_no"]}, insert={"supplier": ["nm", "act_fl"]})
async def new_supplier(request: Request, tx: Write) -> Response:
    """A row saved in the form. What the table does not take is told on a page, with status 200."""
    fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    name, active = fields.get("fields[nm]", ""), fields.get("fields[act_fl]", "").rstrip(" ")
    if "\0" in name + active or len(name.rstrip(" ")) > 60 or active not in ("Y", "N"):
        return _page("<p class='error'>")
    await tx.execute(sa.insert(supplier).values(nm=name[:60], act_fl=active))
    return Response(status_code=302, headers={"location": f"{_me(request)}select=supplier"}, media_type="text/html")


def _page(body: str) -> Response:
    return Response(body, media_type="text/html; charset=utf-8", headers=PAGE)


def _anywhere(searched: str) -> str:
    """What LIKE is asked: PHP's quoting ends a text at its first NUL, and so the pattern."""
    before, nul, _ = searched.partition("\0")
    return f"%{before}" if nul else f"%{before}%"


def _me(request: Request) -> str:
    """How every address begins that Adminer writes: the page, and what the session is about."""
    given = dict(parse_qsl(request.url.query, keep_blank_values=True))
    return "adminer.php?" + "".join(f"{name}={quote_plus(given[name])}&" for name in SESSION if name in given)


def _escaped(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#039;")


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>"
