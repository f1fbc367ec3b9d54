"""No spelling that some stack folds to a listed path escapes the generated expressions, and nothing else is hit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.edge import spellings

PATHS = ["/partner/orders.xml", "/index.php", "/partner/invoice/{no}.txt", "/a/{x}/b/{y}", "/Report-2/", "/~user/x_y"]
TARGETS = {"{no}": "4711", "{x}": "one", "{y}": "two"}


def path_of(template: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda found: TARGETS[found[0]], template)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, str]:
    """A template, and its path in a spelling that some stack folds to it."""
    template = draw(st.sampled_from(PATHS))
    out = ""
    for character in path_of(template):
        if character == "/":
            parameters = draw(st.sampled_from(["", "", ";x=1", "%3bx"])) if out else ""
            out += parameters + draw(
                st.sampled_from(["/", "/", "//", "/./", "\\", "%2f", "%2F", "%5C", "%252f", "/%2e/", "/.;x/"])
            )
        else:
            plain, once = character, f"%{ord(character):02x}"
            out += draw(st.sampled_from([plain, plain, plain, once, once.upper(), once.replace("%", "%25")]))
    return template, out + draw(
        st.sampled_from(["", "", "/", "//", ".", ";jsessionid=1", "%20", "%00.html", "%3fq", "%23"])
    )


@given(spelled())
def test_every_spelling_of_a_listed_path_is_recognised(case: tuple[str, str]) -> None:
    template, target = case
    tolerant = (
        spellings.tolerant(template) + "|" + spellings.plain(template) + "|" + spellings.plain_with_tail(template)
    )
    assert re.fullmatch(tolerant, target)


@given(spelled())
def test_every_spelling_folds_to_a_path_that_the_template_matches(case: tuple[str, str]) -> None:
    template, target = case
    assert spellings.values(template, spellings.fold(target)) is not None


@given(spelled())
def test_an_odd_spelling_holds_an_odd_character_or_only_a_tail(case: tuple[str, str]) -> None:
    template, target = case
    if not spellings.is_odd(target):
        assert re.fullmatch(spellings.plain(template) + "|" + spellings.plain_with_tail(template), target)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/partner/orders.xml?token=1", "/partner/orders.xml"),
        ("/", "/"),
        ("//a/./b//c/", "/a/b/c"),
        ("/a/../b", "/b"),
        ("/../../a", "/a"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/..;x/b", "/b"),
        ("/a\\b%5cc", "/a/b/c"),
        ("/a;p=1/b;q", "/a/b"),
        ("/%2561", "/a"),
        ("/caf%C3%A9", "/caf\xc3\xa9"),
        ("/a%00.html", "/a"),
        ("/a. %20", "/a"),
    ],
)
def test_folding_sees_what_the_most_lenient_stack_sees(target: str, path: str) -> None:
    assert spellings.fold(target) == path


@pytest.mark.parametrize(
    "target", ["/a/../b", "/..", "/a/..?x", "/a/%2e%2E/b", "/a/..;/b", "/a\\..\\b", "/%2f%2e./x", "/a/%252e./"]
)
def test_climbing_paths_are_recognised(target: str) -> None:
    assert re.fullmatch(spellings.CLIMBS, target)


@pytest.mark.parametrize("target", ["/a/..b", "/a/...", "/a..", "/a/.b", "/a?x=/../"])
def test_dots_in_names_and_queries_do_not_climb(target: str) -> None:
    assert not re.fullmatch(spellings.CLIMBS, target)


def test_the_placeholders_have_the_values_of_the_path() -> None:
    assert spellings.values("/partner/invoice/{no}.txt", "/partner/invoice/4711.txt") == {"no": "4711"}
    assert spellings.values("/partner/invoice/{no}.txt", "/partner/invoice/4711.pdf") is None
    assert spellings.values("/a/{order-no}/{order-no}", "/a/1/2") == {"order-no": "2"}


def test_a_listed_path_beyond_ascii_is_matched_by_its_escapes() -> None:
    assert spellings.values("/caf\xe9", spellings.fold("/caf%C3%A9")) == {}
    assert re.fullmatch(spellings.tolerant("/caf\xe9"), "/caf%c3%A9")


@pytest.mark.parametrize(
    "query",
    [
        "%61ction=price",
        "action=pric%65",
        "action=a+b",
        "action=ping&action=price",
        "action[]=x",
        "a=1;action=price",
        "b=1&+action=2",
    ],
)
def test_a_parameter_that_may_hide_is_recognised(query: str) -> None:
    assert re.fullmatch(spellings.odd_query(frozenset({"action"})), f"/index.php?{query}")


@pytest.mark.parametrize(
    "query", ["action=price", "action=price&x=%20", "x=a+b&action=price", "q", "", "reaction=1&action=2"]
)
def test_a_plain_parameter_is_not_odd_whatever_other_values_hold(query: str) -> None:
    assert not re.fullmatch(spellings.odd_query(frozenset({"action"})), f"/index.php?{query}")
