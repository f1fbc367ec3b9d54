"""Signs in at the legacy app as a person does, by the form of a page, so that pages behind a login can be verified.

Both sides are then asked with what a browser would carry: cookies, what the app's addresses hold of the session, the
tokens of its forms. None of it is kept in a case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus, urljoin

import httpx2
from selectolax.lexbor import LexborHTMLParser, LexborNode

from api_gateway.errors import EnvironmentFault
from api_gateway.project import Login
from api_gateway.verify.calls import FORM, Pairs, Sent

TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Session:
    """What requests carry once somebody is signed in; nothing where nobody has to be."""

    cookies: Pairs = ()
    query: Pairs = ()
    tokens: Pairs = ()

    @property
    def secrets(self) -> list[str]:
        """Values that no comparison shows."""
        return [value for _, value in (*self.cookies, *self.tokens)]

    def on(self, request: Sent) -> Sent:
        """The request as somebody sends it who is signed in."""
        query = "&".join([*filter(None, [request.query]), *(f"{quote(name)}={quote(it)}" for name, it in self.query)])
        headers, body = request.headers, request.body
        if self.cookies:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies)
            headers = (*headers, (b"cookie", cookies.encode("latin-1", "replace")))
        if self.tokens and (b"content-type", FORM.encode()) in headers:
            tokens = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in self.tokens)
            body = b"&".join(filter(None, [body, tokens.encode()]))
        return replace(request, query=query, headers=headers, body=body)


def sign_in(url: str, login: Login, filled: Callable[[str], str]) -> Session:
    """Fill in the form and send it; what the app gives for it.

    url     of the legacy app; `filled`: puts the values of places into a text of banyan.toml.

    Raises EnvironmentFault in one line when there is no such form, or it comes again.
    """
    fields = {name: filled(value) for name, value in login.fields.items()}
    try:
        with httpx2.Client(base_url=url, follow_redirects=True, timeout=TIMEOUT) as client:
            form = _form(client.get(login.path), fields)
            if form is None:
                raise EnvironmentFault(f"no form of {login.path} has the fields {', '.join(fields)}.")
            action, held = form
            landed = client.post(action, data={**held, **fields})
            if landed.status_code >= 400 or _form(landed, fields) is not None:
                raise EnvironmentFault(
                    f"the legacy app did not sign verify in: {landed.status_code}, {_words(landed)}",
                    hint="See [verify.login] in banyan.toml, and BANYAN_VERIFY_PASSWORD.",
                )
            page = LexborHTMLParser(landed.text)
            return Session(
                tuple((cookie.name, cookie.value or "") for cookie in client.cookies.jar),
                tuple((name, filled(value)) for name, value in login.query.items()),
                tuple((name, _token(page, name)) for name in login.tokens),
            )
    except httpx2.HTTPError as error:
        raise EnvironmentFault(f"the legacy app did not sign verify in: {type(error).__name__}.") from None


def _form(answer: httpx2.Response, fields: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """Where the form with these fields is sent to, and what else it holds."""
    for form in LexborHTMLParser(answer.text).css("form"):
        held = {name: _value(node) for node in form.css("input, select, textarea") if (name := _name(node)) is not None}
        if fields.keys() <= held.keys():
            return urljoin(str(answer.url), form.attributes.get("action") or ""), held
    return None


def _name(node: LexborNode) -> str | None:
    """None for what a browser does not send of itself."""
    kind = (node.attributes.get("type") or "").lower()
    skipped = kind in ("submit", "button", "image", "reset", "file")
    unchecked = kind in ("checkbox", "radio") and "checked" not in node.attributes
    return None if skipped or unchecked else node.attributes.get("name")


def _value(node: LexborNode) -> str:
    if node.tag == "textarea":
        return node.text()
    if node.tag == "select":
        chosen = node.css_first("option[selected]") or node.css_first("option")
        if chosen is None:
            return ""
        return chosen.text() if chosen.attributes.get("value") is None else chosen.attributes.get("value") or ""
    return node.attributes.get("value") or ""


def _token(page: LexborHTMLParser, name: str) -> str:
    for node in page.css("input"):
        if node.attributes.get("name") == name:
            return node.attributes.get("value") or ""
    raise EnvironmentFault(f"the page after the sign-in has no field {name}.", hint="See [verify.login] tokens.")


def _words(answer: httpx2.Response) -> str:
    """The page in a line, so that a wrong password can be told from a wrong address."""
    body = LexborHTMLParser(answer.text).body
    words = " ".join(body.text(separator=" ").split()) if body is not None else ""
    return f"“{words[:120]}…”" if len(words) > 120 else f"“{words}”"
