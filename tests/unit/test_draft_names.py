"""Names of the draft: good English, valid Python, never twice."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from api_gateway.draft.names import Names, TableNames, attribute, field_name
from api_gateway.draft.words import plural, singular, words
from shared_models.contract import Resource


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ord_hdr", ["ord", "hdr"]),
        ("OrderDetail", ["order", "detail"]),
        ("HTMLPage", ["html", "page"]),
        ("lead-item", ["lead", "item"]),
        ("Unit Price", ["unit", "price"]),
        ("Part No.", ["part", "no"]),
        ("CUSTOMER_ID", ["customer", "id"]),
        ("Größe", ["grosse"]),
        ("ключ", []),
        ("100%", ["100"]),
    ],
)
def test_a_name_in_any_style_is_split_into_words(name: str, expected: list[str]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("order", "orders"),
        ("city", "cities"),
        ("address", "addresses"),
        ("status", "statuses"),
        ("box", "boxes"),
        ("branch", "branches"),
        ("person", "people"),
        ("child", "children"),
        ("key", "keys"),
        ("house", "houses"),
        ("series", "series"),
        ("staff", "staff"),
        ("news", "news"),
        ("index", "indexes"),
    ],
)
def test_singular_and_plural_are_each_others_inverse(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
    assert plural(many) == many
    assert singular(one) == one


@pytest.mark.parametrize("word", ["s", "gl", "ids", "tls"])
def test_what_may_be_an_abbreviation_gets_no_plural(word: str) -> None:
    assert plural(word) == word


@pytest.mark.parametrize(
    ("table", "class_name", "path"),
    [
        ("ord_hdr", "OrdHeader", "ord-headers"),
        ("customers", "Customer", "customers"),
        ("rpt sales", "RptSale", "rpt-sales"),
        ("2fa", "Table2fa", "2fas"),
        ("column", "ColumnRow", "columns"),
        ("exception", "ExceptionRow", "exceptions"),
        ("таблица", "Table", "tables"),
    ],
)
def test_a_table_becomes_a_class_and_a_path(table: str, class_name: str, path: str) -> None:
    assert TableNames().claim("public", table) == (class_name, path)


def test_a_table_called_as_a_schema_of_the_api_itself_gets_another_class_name() -> None:
    assert TableNames().claim("public", "problem") == ("ProblemRow", "problems")


def test_twins_keep_class_and_path_together_and_take_the_schema_before_a_number() -> None:
    names = TableNames()
    claimed = [names.claim("public", "item"), names.claim("shop", "items"), names.claim("public", "Item")]
    assert claimed == [("Item", "items"), ("ShopItem", "shop-items"), ("Item2", "items-2")]


@pytest.mark.parametrize("column", ["class", "copy", "json", "model_config", "schema", "type", "date", "None", "match"])
def test_a_name_that_python_or_pydantic_needs_gets_an_underscore_as_attribute(column: str) -> None:
    name = attribute(field_name(column))
    assert not keyword.iskeyword(name)
    assert not hasattr(BaseModel, name)
    assert name in (column, f"{column}_", column.lower())


@given(st.lists(st.text(max_size=63), min_size=1, max_size=8, unique=True))
def test_any_columns_get_different_names_that_api_and_python_accept(columns: list[str]) -> None:
    names = Names()
    public = [names.claim(field_name(column)) for column in columns]
    assert len(set(public)) == len(columns)
    for name in public:
        assert name.isascii()
        assert len(name) <= 63
        assert attribute(name).isidentifier()
        assert not name.startswith("_")
        assert not hasattr(Resource, attribute(name))


@given(st.lists(st.tuples(st.sampled_from(["public", "a b", "c"]), st.text(max_size=63)), max_size=8, unique=True))
def test_any_tables_get_different_classes_and_paths(tables: list[tuple[str, str]]) -> None:
    names = TableNames()
    claimed = [names.claim(schema, table) for schema, table in tables]
    assert len({name for name, _ in claimed}) == len({path for _, path in claimed}) == len(tables)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name, _ in claimed)


@pytest.mark.parametrize("view", ["staff_page", "staff_filter", "sparse_staff"])
def test_a_table_called_as_a_shape_of_another_gets_another_class_name_and_keeps_its_path(view: str) -> None:
    names = TableNames()
    assert names.claim("public", "staff") == ("Staff", "staff")
    name, path = names.claim("public", view)
    assert (name[-3:], path) == ("Row", view.replace("_", "-").replace("page", "pages").replace("filter", "filters"))
