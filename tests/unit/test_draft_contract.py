"""The drafted contract as text, from small schemas: relations, proposals, and names that fight back."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from api_gateway.draft.drafting import Selection, draft
from api_gateway.draft.files import formatted
from api_gateway.draft.relations import possible_links
from api_gateway.draft.sample import Found, Sample
from api_gateway.draft.source import contract_source
from shared_models.snapshot import Check, Column, ColumnType, ForeignKey, Snapshot, Table, Unique

_INT, _TEXT = ColumnType("integer", "int4"), ColumnType("text", "text")
_FLAG = ColumnType("character(1)", "bpchar", length=1)
_CUSTOMER = Table("public", "customer", columns=(Column("cust_no", _INT, nullable=False),), primary_key=("cust_no",))


def _order(*columns: Column, **more: object) -> Table:
    number = Column("ord_no", _INT, nullable=False)
    return Table("public", "ord_hdr", columns=(number, *columns), primary_key=("ord_no",), **more)


def _source(*tables: Table, sample: Sample | None = None, selection: Selection | None = None) -> str:
    snapshot = Snapshot(("public",), tables)
    return formatted(contract_source(draft(snapshot, selection or Selection(), sample or Sample())))


def _sampled(column: str, values: Mapping[str, int]) -> Sample:
    return Sample({("public", "ord_hdr"): sum(values.values())}, {(("public", "ord_hdr"), column): values})


def test_a_foreign_key_becomes_a_parent_named_by_its_column() -> None:
    key = ForeignKey("fk", ("cust_no",), "public", "customer", ("cust_no",))
    text = _source(_CUSTOMER, _order(Column("cust_no", _INT), foreign_keys=(key,)))
    assert '    customer: Annotated[Customer | None, Parent("cust_no")] = None\n' in text
    assert text.index("class Customer(") < text.index("class OrdHeader(")


def test_two_foreign_keys_to_one_table_get_two_names() -> None:
    keys = tuple(
        ForeignKey(f"fk_{c}", (c,), "public", "customer", ("cust_no",)) for c in ("bill_cust_no", "ship_cust_no")
    )
    text = _source(_CUSTOMER, _order(Column("bill_cust_no", _INT), Column("ship_cust_no", _INT), foreign_keys=keys))
    assert "bill_customer: Annotated[Customer | None" in text
    assert "ship_customer: Annotated[Customer | None" in text


def test_lines_whose_key_begins_with_their_parents_become_its_children() -> None:
    line = Table(
        "public",
        "ord_dtl",
        columns=(Column("ord_no", _INT, nullable=False), Column("ln_no", _INT, nullable=False)),
        primary_key=("ord_no", "ln_no"),
        foreign_keys=(ForeignKey("fk", ("ord_no",), "public", "ord_hdr", ("ord_no",)),),
    )
    assert 'ord_details: Annotated["list[OrdDetail]", Children(on="ord_no")] = []' in _source(_order(), line)


def test_a_relation_nobody_declared_is_only_proposed_and_only_when_the_rows_agree() -> None:
    tables = (_CUSTOMER, _order(Column("cust_no", _INT)))
    (link,) = possible_links(tables)
    agreeing = _source(*tables, sample=Sample(found={link.place: Found(95, 100)}))
    assert '# proposal: customer: Annotated[Customer | None, Parent("cust_no")] = None' in agreeing
    assert "95 of 100 sampled values are in public.customer.cust_no" in agreeing
    assert "customer:" not in _source(*tables, sample=Sample(found={link.place: Found(10, 100)}))


def test_a_flag_is_proposed_with_the_values_that_were_seen() -> None:
    text = _source(_order(Column("act_fl", _FLAG)), sample=_sampled("act_fl", {"Y": 9, "N": 1}))
    assert '# proposal: act_fl: Annotated[bool | None, Flag("act_fl", true="Y", false="N")] = None' in text
    assert "#   10 rows: 'N' 1, 'Y' 9" in text
    assert "    act_fl: str | None = None" in text


def test_a_third_value_is_no_flag() -> None:
    assert "Flag(" not in _source(_order(Column("act_fl", _FLAG)), sample=_sampled("act_fl", {"Y": 9, "N": 1, "?": 1}))


def test_codes_are_proposed_from_a_check_without_reading_rows() -> None:
    check = Check("c", "(stat = ANY (ARRAY[10, 20, 90]))", ("stat",))
    text = _source(_order(Column("stat", ColumnType("smallint", "int2")), checks=(check,)))
    assert 'Codes("stat", {10: "…", 20: "…", 90: "…"})' in text
    assert "a CHECK allows only these" in text


def test_codes_that_are_words_are_proposed_as_a_literal() -> None:
    check = Check("c", "(stat = ANY (ARRAY['open'::text, 'it''s closed'::text]))", ("stat",))
    proposal = _source(_order(Column("stat", _TEXT), checks=(check,)))
    assert '"open"' in proposal
    check = Check("c", "(stat = ANY (ARRAY['open'::text, 'closed'::text]))", ("stat",))
    assert 'Annotated[Literal["open", "closed"] | None, Column("stat")]' in _source(
        _order(Column("stat", _TEXT), checks=(check,))
    )


def test_a_check_that_excludes_values_is_no_list_of_codes() -> None:
    check = Check("c", "(NOT (stat = ANY (ARRAY[1, 2])))", ("stat",))
    assert "Codes(" not in _source(_order(Column("stat", _INT), checks=(check,)))


def test_a_sentinel_date_is_proposed_as_none() -> None:
    column = Column("paid", ColumnType("date", "date"), nullable=False)
    text = _source(_order(column), sample=_sampled("paid", {"1900-01-01": 30, "2024-02-29": 2}))
    assert "NoneWhen(date(1900, 1, 1))" in text
    assert "1900-01-01 in 30 of 32 rows" in text


def test_a_soft_delete_is_proposed_for_the_class() -> None:
    text = _source(_order(Column("del_fl", _FLAG)), sample=_sampled("del_fl", {"Y": 1, "N": 9}))
    assert '# proposal: soft_delete=SoftDelete("del_fl", deleted="Y")' in text


def test_a_naive_timestamp_stays_text_until_somebody_says_whose_clock_it_was() -> None:
    text = _source(_order(Column("at", ColumnType("timestamp without time zone", "timestamp"))))
    assert "    at: str | None = None" in text
    assert '# proposal: at: Annotated[datetime | None, LocalTime("at")] = None' in text


def test_a_table_without_a_key_is_a_list_to_read() -> None:
    text = _source(Table("public", "log", columns=(Column("txt", _TEXT),)))
    assert 'verbs=("list",)' in text
    assert "Key(" not in text


def test_a_secret_stands_among_what_is_left_out_with_its_reason() -> None:
    text = _source(_order(Column("api_tok", _TEXT)))
    assert "# left out: api_tok - its name looks like a secret" in text
    assert "api_tok:" not in text


def test_a_column_with_a_secrets_values_is_left_out_too() -> None:
    sample = Sample(secret=frozenset({(("public", "ord_hdr"), "misc")}))
    assert "# left out: misc - its values look like secrets" in _source(_order(Column("misc", _TEXT)), sample=sample)


def test_comments_of_the_database_become_docstrings_and_cannot_break_out() -> None:
    table = _order(Column("x", _TEXT, comment='one\r\n"""two'), comment='Say """hi""" \\ and go"')
    text = _source(table)
    assert "\"\"\"Say '''hi''' \\\\ and go\"" in text
    compile(text, "contract.py", "exec")


def test_names_of_the_database_cannot_write_code_into_a_comment() -> None:
    text = _source(_order(Column("password\nimport os", _TEXT)))
    assert "\nimport os" not in text
    compile(text, "contract.py", "exec")


def test_include_and_exclude_leave_tables_out_and_their_foreign_keys_say_so() -> None:
    key = ForeignKey("fk", ("cust_no",), "public", "customer", ("cust_no",))
    text = _source(
        _CUSTOMER, _order(Column("cust_no", _INT), foreign_keys=(key,)), selection=Selection(exclude=("cust*",))
    )
    assert "#   public.customer - named by --exclude" in text
    assert "# left out: foreign key fk - public.customer is not drafted" in text


def test_the_same_schema_gives_the_same_text() -> None:
    tables = [_CUSTOMER, _order(Column("cust_no", _INT)), Table("public", "Customers", columns=_CUSTOMER.columns)]
    assert _source(*tables) == _source(*tables)


def _to(table: Table, column: str, name: str = "fk", target: str = "cust_no") -> ForeignKey:
    return ForeignKey(name, (column,), table.schema, table.name, (target,))


def test_a_foreign_key_declared_twice_is_one_relation_and_both_are_accounted_for() -> None:
    keys = (_to(_CUSTOMER, "cust_no", "a"), _to(_CUSTOMER, "cust_no", "b"))
    drafted = draft(
        Snapshot(("public",), (_CUSTOMER, _order(Column("cust_no", _INT), foreign_keys=keys))), Selection(), Sample()
    )
    assert drafted.related == drafted.foreign_keys == 2
    assert sum(len(resource.relations) for resource in drafted.resources) == 1


def test_of_two_references_to_one_table_neither_takes_its_bare_name() -> None:
    keys = (_to(_CUSTOMER, "made_by", "a"), _to(_CUSTOMER, "paid_by", "b"))
    source = _source(_CUSTOMER, _order(Column("made_by", _INT), Column("paid_by", _INT), foreign_keys=keys))
    assert "    made_by_customer: Annotated[Customer | None" in source
    assert "    paid_by_customer: Annotated[Customer | None" in source


def test_the_key_is_the_one_that_the_other_tables_point_to() -> None:
    columns = (Column("login", _TEXT, nullable=False), Column("id", _INT, nullable=False))
    user = Table("public", "users", columns=columns, primary_key=("login",), uniques=(Unique("u", ("id",)),))
    order = _order(Column("user_id", _INT), foreign_keys=(_to(user, "user_id", target="id"),))
    assert 'id: Annotated[int, Key("id")]' in _source(user, order)
    assert 'login: Annotated[str, Key("login")]' in _source(user)


def test_a_value_that_stands_for_none_is_proposed_with_the_relation() -> None:
    tables = (_CUSTOMER, _order(Column("cust_no", _INT)))
    (link,) = possible_links(tables)
    source = _source(*tables, sample=Sample(found={link.place: Found(40, 40, "0")}))
    assert '# proposal: customer_no: Annotated[int | None, Column("cust_no"), NoneWhen(0)] = None' in source
    assert "40 of 40 sampled values are in public.customer.cust_no; '0' stands for none" in source


def test_a_name_that_says_no_reference_needs_the_values() -> None:
    kind = Table(
        "public", "kind", columns=(Column("description", _TEXT, nullable=False),), primary_key=("description",)
    )
    tables = (kind, _order(Column("description", _TEXT)))
    assert "Parent(" not in _source(*tables)
    (link,) = possible_links(tables)
    assert 'Parent("description")' in _source(*tables, sample=Sample(found={link.place: Found(9, 9)}))


def test_a_key_that_is_a_reference_itself_owns_nothing() -> None:
    extra = Table(
        "public", "vip", columns=_CUSTOMER.columns, primary_key=("cust_no",), foreign_keys=(_to(_CUSTOMER, "cust_no"),)
    )
    (link,) = possible_links((_CUSTOMER, extra, _order(Column("cust_no", _INT))))
    assert link.target == ("public", "customer")


def test_what_a_comment_says_of_codes_becomes_their_names() -> None:
    check = Check("c", "(sex = ANY (ARRAY['M'::text, 'F'::text]))", ("sex",))
    source = _source(_order(Column("sex", _TEXT, comment="M = Male, F = Female"), checks=(check,)))
    assert 'Codes("sex", {"M": "male", "F": "female"})' in source


def test_a_flag_without_rows_is_known_by_name_and_default() -> None:
    source = _source(
        _order(Column("is_rush", _INT, nullable=False, default="0"), Column("active_since", _INT, default="0"))
    )
    assert 'is_rush: Annotated[bool | None, Flag("is_rush", true=1, false=0)] = None' in source
    assert 'Flag("active_since"' not in source


def test_a_proposal_broken_over_lines_is_still_code() -> None:
    column = Column("a_rather_long_name_of_a_column_that_holds_when_it_happened", ColumnType("timestamp", "timestamp"))
    source = _source(_order(column, Column("other", _INT)))
    lines = [line.strip().removeprefix("#") for line in source.splitlines() if line.strip().startswith("#")]
    start = next(i for i, line in enumerate(lines) if "proposal:" in line)
    end = next(i for i, line in enumerate(lines) if "stored without" in line)
    ast.parse("\n".join(lines[start:end]).replace("proposal:", "").lstrip())


def test_long_comments_are_broken_and_short_lines_left_as_they_were_written() -> None:
    comment = "short\n" + "many words " * 30
    source = _source(Table("public", "thing", comment=comment, columns=(Column("id", _INT, comment=comment),)))
    assert max(map(len, source.splitlines())) <= 120
    assert '"""short\n' in source


def test_a_key_keeps_its_meaning_whatever_is_proposed_for_other_columns() -> None:
    moment = ColumnType("timestamp", "timestamp")
    columns = (Column("changed", moment, nullable=False), Column("seen", moment))
    source = _source(Table("public", "rate", columns=columns, primary_key=("changed",)))
    assert 'changed: Annotated[str, Key("changed")]' in source
    assert source.count("proposal: ") == 1
    assert 'proposal: seen: Annotated[datetime | None, LocalTime("seen")]' in source


def test_a_check_on_the_capital_letters_says_that_small_ones_may_be_stored() -> None:
    check = Check("c", "(upper((sex)::text) = ANY (ARRAY['M'::text, 'F'::text]))", ("sex",))
    source = _source(_order(Column("sex", _TEXT), checks=(check,)))
    assert 'Codes("sex", {"M": "…", "F": "…"})' in source
    assert "a CHECK allows only these, in small and in capital letters" in source
    check = Check("c", "(\"left\"(sex, 1) = ANY (ARRAY['M'::text, 'F'::text]))", ("sex",))
    assert "Codes(" not in _source(_order(Column("sex", _TEXT), checks=(check,)))


def test_a_table_that_inherits_says_where_its_rows_are_shown_as_well() -> None:
    old = Table("public", "old_customer", columns=_CUSTOMER.columns, inherits=(("public", "customer"),))
    source = _source(_CUSTOMER, old)
    assert "# note: inherits from public.customer, where its rows are shown as well" in source
    assert "Parent(" not in source


def test_a_view_is_proposed_the_key_that_the_resource_of_its_table_has() -> None:
    user = Table("public", "users", columns=(Column("login", _TEXT, False), Column("id", _INT, False)))
    user = replace(user, primary_key=("login",), uniques=(Unique("u", ("id",)),))
    origins = [Column(name, _INT, origin=("public", "users", name)) for name in ("login", "id")]
    view = Table("public", "seen", kind="view", columns=tuple(origins), reads=(("public", "users"),))
    order = _order(Column("user_id", _INT), foreign_keys=(_to(user, "user_id", target="id"),))
    assert 'key: id with Key("id")' in _source(user, order, view)


@pytest.mark.parametrize(
    ("target", "columns", "names"),
    [
        ("users", ("users_id",), ("user",)),
        ("currency", ("fromcurrencycode", "tocurrencycode"), ("fromcurrency", "tocurrency")),
        ("staff", ("manager_id", "staff_id"), ("manager_staff", "staff")),
        ("item", ("parent_itemid", "itemid"), ("parent_item", "item")),
    ],
)
def test_relations_are_called_by_the_part_that_their_target_plays(
    target: str, columns: tuple[str, ...], names: tuple[str, ...]
) -> None:
    to = Table("public", target, columns=(Column("id", _INT, False),), primary_key=("id",))
    keys = tuple(ForeignKey(f"fk_{name}", (name,), "public", target, ("id",)) for name in columns)
    columns_and_one_more = (*columns, "manager")  # which has the name already
    source = _source(to, _order(*(Column(name, _INT) for name in columns_and_one_more), foreign_keys=keys))
    found = re.findall(r"(\w+): Annotated\[\w+ \| None, Parent\(\"(\w+)\"\)\]", source)
    assert {column: name for name, column in found} == dict(zip(columns, names, strict=True))
