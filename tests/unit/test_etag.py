"""Entity tags are compared as RFC 9110 says, and media types chosen as it says."""

from __future__ import annotations

import pytest

from api_gateway.api.accept import chosen
from api_gateway.api.etag import allows, digest, is_known, tag_of

ROW, LINES = b'{"number":1}', b'{"lines":[]}'
PLAIN, WITH_LINES = tag_of(ROW), tag_of(ROW, LINES)


@pytest.mark.parametrize(
    "header", [PLAIN, b"*", b"W/" + PLAIN, b'"a,b", ' + PLAIN, b",, " + PLAIN + b" ,", b'"",W/' + PLAIN]
)
def test_who_sends_the_tag_has_it(header: bytes) -> None:
    assert is_known(header, PLAIN)


@pytest.mark.parametrize("header", [b'"other"', b"", b"nonsense", digest(ROW), WITH_LINES, PLAIN + b" x", b'"' + PLAIN])
def test_who_sends_anything_else_does_not(header: bytes) -> None:
    assert not is_known(header, PLAIN)


def test_a_row_may_be_changed_by_who_saw_it_with_or_without_its_lines() -> None:
    assert allows(PLAIN, ROW)
    assert allows(WITH_LINES, ROW)
    assert allows(b'"other", ' + PLAIN, ROW)
    assert allows(b"*", ROW)


def test_a_weak_or_another_tag_does_not_allow_a_change() -> None:
    assert not allows(b"W/" + PLAIN, ROW)
    assert not allows(PLAIN, b'{"number":2}')


@pytest.mark.parametrize("header", [b"", b"abc", b'"open', digest(ROW)])
def test_what_is_no_list_of_tags_is_an_error_before_a_change(header: bytes) -> None:
    with pytest.raises(ValueError, match="entity tags"):
        allows(header, ROW)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV ; header=present", "text/csv"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("text/*, application/json", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
        ("text/html", None),
        ("text/csv;q=0, text/*", None),
    ],
)
def test_the_best_media_type_is_chosen(accept: str | None, media: str | None) -> None:
    assert chosen(accept, ("application/json", "text/csv")) == media
