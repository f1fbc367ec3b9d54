"""SQL that means the same whatever lies on the search path: operators, functions and types by their schema.

A host database may hold an operator `=(varchar, varchar)` or a function `lower(varchar)` of its own, on the search path
or in a schema where everybody may create. PostgreSQL would take it before its own, which need a cast, and run it with
our rights. So nothing that we compile is looked up on the path, which stays as it is: triggers and functions of the
host, which run inside our statements, find their own things by it.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Integer, Numeric, and_, bindparam, case, cast, false, null, or_
from sqlalchemy.dialects.postgresql.base import PGTypeCompiler
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import FUNCTIONS, OPERATORS
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Tuple
from sqlalchemy.sql.functions import Function

from shared_models.spelling import Hosted, quoted, quoted_text

_SIGNS = re.compile(r"[-+*/<>=~!@#%^&|?]+")
_WORDS = {"LIKE": "~~", "NOT LIKE": "!~~", "ILIKE": "~~*", "NOT ILIKE": "!~~*"}
_COMPARING = frozenset({"=", "<>", "!=", "<", "<=", ">", ">=", "~~", "!~~", "~~*", "!~~*"})
_GRAMMAR = frozenset({"coalesce", "greatest", "least", "nullif", "grouping", "row", "xmlforest", "xmlelement"})
_TEXT_SEARCH = frozenset(
    {"to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery", "ts_headline"}
)
# PostgreSQL's own functions that projects call; one of another name is looked up on the path, as it is written.
_USUAL = frozenset(
    re.findall(
        r"\w+",
        """
        abs age array_agg array_append array_cat array_length array_position array_remove array_to_json
        array_to_string avg bit_and bit_or bool_and bool_or btrim cardinality ceil ceiling char_length chr
        clock_timestamp concat concat_ws count current_database current_setting date_part date_trunc decode
        dense_rank div encode every exp first_value floor format format_type gen_random_uuid generate_series
        hashtext initcap isfinite json_agg json_array_elements json_build_array json_build_object json_each
        json_object_agg json_typeof jsonb_agg jsonb_array_elements jsonb_build_array jsonb_build_object
        jsonb_each jsonb_object_agg jsonb_set jsonb_typeof lag last_value lead left length ln log lower lpad
        ltrim make_date make_interval max md5 min mod mode nextval now ntile num_nonnulls num_nulls octet_length
        overlay percent_rank percentile_cont percentile_disc pg_advisory_xact_lock pg_try_advisory_xact_lock
        plainto_tsquery position power quote_ident quote_literal random rank regexp_match regexp_matches
        regexp_replace repeat replace reverse right round row_number row_to_json rpad rtrim set_config setval
        sign split_part sqrt starts_with statement_timestamp stddev string_agg string_to_array strpos substr
        substring sum timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector
        transaction_timestamp translate trim trunc unnest upper variance websearch_to_tsquery width_bucket
        """,
    )
)


def _equal(one: Any, other: Any) -> Any:
    """Unknown where one is null: `==` of SQLAlchemy would ask for null."""
    return one.op("=", is_comparison=True)(other)


_SQLALCHEMYS: Any = PGCompiler_psycopg  # which SQLAlchemy leaves untyped
_PREFIXES = {operators.neg: "-", operators.bitwise_not_op: "~"}


class _Types(PGTypeCompiler):
    """Types whose names are words of the grammar cannot be mistaken; these are looked up like any other name."""

    def process(self, type_: Any, **kw: Any) -> str:
        text = super().process(type_, **kw)
        name, rest = (found[1], found[2]) if (found := _LOOKED_UP.fullmatch(text)) else (None, "")
        return text if name is None else f"pg_catalog.{name.lower()}{rest}"


_LOOKED_UP = re.compile(
    r"(TEXT|JSON|JSONB|UUID|DATE|BYTEA|INET|CIDR|MACADDR|MACADDR8|OID|TSVECTOR|TSQUERY|REGCLASS|MONEY)((?:\[\])*)",
    re.IGNORECASE,
)


class _Compiler(PGCompiler_psycopg):
    def _generate_generic_binary(
        self, binary: BinaryExpression[Any], opstring: str, eager_grouping: bool = False, **kw: Any
    ) -> str:
        sign = _WORDS.get(opstring.strip(), opstring.strip())
        if binary.operator in (operators.in_op, operators.not_in_op):
            return self._tuple_in(binary, **kw) if isinstance(binary.left, Tuple) else self._in(binary, **kw)
        if not _SIGNS.fullmatch(sign):
            return super()._generate_generic_binary(binary, opstring, eager_grouping=eager_grouping, **kw)
        place = self._place(binary, sign)
        if place is None:
            return super()._generate_generic_binary(binary, opstring, eager_grouping=eager_grouping, **kw)
        left, right = self._sides(binary, **kw)
        return f"({left} OPERATOR({place}.{sign}) {right})"

    def _place(self, binary: BinaryExpression[Any], sign: str) -> str | None:
        """The schema of the operator: with a type of an extension, its own. None: it cannot be told."""
        for side in (binary.left, binary.right):
            if isinstance(side.type, Hosted) and side.type.operators_of is not None:
                return quoted(side.type.operators_of) if sign in _COMPARING else None
        return "pg_catalog"

    def _sides(self, binary: BinaryExpression[Any], **kw: Any) -> tuple[str, str]:
        kw["_in_operator_expression"] = True
        kw["_binary_op"] = binary.operator
        return binary.left._compiler_dispatch(self, **kw), binary.right._compiler_dispatch(self, **kw)

    def _in(self, binary: BinaryExpression[Any], **kw: Any) -> str:
        is_in = binary.operator is operators.in_op
        place = self._place(binary, "=") or "pg_catalog"
        with_each = f"OPERATOR({place}.=) ANY" if is_in else f"OPERATOR({place}.<>) ALL"
        right: Any = binary.right
        if isinstance(right, BindParameter) and right.expanding:
            values = right.effective_value or ()
            if not values:
                return "false" if is_in else "true"
            one = [bindparam(None, value, type_=right.type, unique=True) for value in values]
            listed = ", ".join(part._compiler_dispatch(self, **kw) for part in one)
            left = binary.left._compiler_dispatch(self, **kw)
            return f"({left} {with_each} (ARRAY[{listed}]))"
        left, text = self._sides(binary, **kw)
        is_query = text.lstrip("( ").upper().startswith(("SELECT", "WITH", "VALUES"))
        return f"({left} {with_each} {text})" if is_query else f"({left} {with_each} (ARRAY[{text.strip()[1:-1]}]))"

    def _tuple_in(self, binary: BinaryExpression[Any], **kw: Any) -> str:
        is_in, right = binary.operator is operators.in_op, binary.right
        if not isinstance(right, BindParameter):
            left, text = self._sides(binary, **kw)
            found = f"({left} OPERATOR(pg_catalog.=) ANY {text})"
            return found if is_in else f"(NOT {found})"
        rows = [
            and_(*(_equal(part, bindparam(None, value, type_=part.type, unique=True)) for part, value in pairs))
            for row in right.effective_value or ()
            for pairs in [list(zip(binary.left.clauses, row, strict=True))]
        ]
        found = self.process(or_(false(), *rows).self_group(), **kw)
        return found if is_in else f"(NOT {found})"

    def visit_not_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"({self._generate_generic_binary(binary, ' NOT IN ', **kw)})"

    def visit_is_distinct_from_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"(NOT {self._same(binary, **kw)})"

    def visit_is_not_distinct_from_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._same(binary, **kw)

    def _same(self, binary: Any, **kw: Any) -> str:
        """True also of two nulls, and never unknown; `IS DISTINCT FROM` would look its `=` up on the path."""
        left, right = self._sides(binary, **kw)
        equal = f"{left} OPERATOR({self._place(binary, '=') or 'pg_catalog'}.=) {right}"
        return f"(({equal}) IS TRUE OR ({left} IS NULL AND {right} IS NULL))"

    def visit_between_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        low, high = binary.right.clauses
        between = (binary.left >= low) & (binary.left <= high)
        if binary.modifiers.get("symmetric"):
            between = between | ((binary.left >= high) & (binary.left <= low))
        return f"({self.process(between, **kw)})"

    def visit_not_between_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"(NOT {self.visit_between_op_binary(binary, operator, **kw)})"

    def visit_truediv_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """Of whole numbers too it is no whole number."""
        is_whole = binary.right.type._type_affinity is Integer
        right = cast(binary.right, Numeric) if is_whole else binary.right
        return self._signed(binary.left, "/", right, **kw)

    def visit_floordiv_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        divided = self._signed(binary.left, "/", binary.right, **kw)
        is_whole = binary.left.type._type_affinity is Integer and binary.right.type._type_affinity is Integer
        return divided if is_whole else f"pg_catalog.floor({divided})"

    def visit_mod_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._signed(binary.left, "%%", binary.right, **kw)

    def visit_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        left, right = self._sides(binary, **kw)
        configuration = binary.modifiers.get("postgresql_regconfig")
        named = "" if configuration is None else f"{quoted_text(configuration)}, "
        return f"({left} OPERATOR(pg_catalog.@@) pg_catalog.plainto_tsquery({named}{right}))"

    def visit_not_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"(NOT {self.visit_match_op_binary(binary, operator, **kw)})"

    def _regexp_match(self, base_op: str, binary: Any, operator: Any, kw: dict[str, Any]) -> str:
        flags = binary.modifiers["flags"]
        if flags is None or flags == "i":
            return self._generate_generic_binary(binary, base_op if flags is None else f"{base_op}*", **kw)
        left, right = self._sides(binary, **kw)
        written = quoted_text(f"(?{flags})")
        return f"({left} OPERATOR(pg_catalog.{base_op}) ({written} OPERATOR(pg_catalog.||) {right}))"

    def visit_regexp_replace_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        text: str = _SQLALCHEMYS.visit_regexp_replace_op_binary(self, binary, operator, **kw)
        return f"pg_catalog.{text}"

    def visit_expression_clauselist(self, clauselist: Any, **kw: Any) -> str:
        """`a || b || c`, which SQLAlchemy makes one of."""
        sign = OPERATORS.get(clauselist.operator, "").strip()
        parts = list(clauselist.clauses)
        if not _SIGNS.fullmatch(sign) or any(isinstance(part.type, Hosted) for part in parts):
            text: str = _SQLALCHEMYS.visit_expression_clauselist(self, clauselist, **kw)
            return text
        kw["_in_operator_expression"] = True
        texts = [part._compiler_dispatch(self, **kw) for part in parts]
        return "(" + f" OPERATOR(pg_catalog.{sign}) ".join(texts) + ")"

    def visit_unary(self, unary: Any, add_to_result_map: Any = None, result_map_targets: Any = (), **kw: Any) -> str:
        sign = _PREFIXES.get(unary.operator)
        if sign is None or isinstance(unary.element.type, Hosted):
            text: str = _SQLALCHEMYS.visit_unary(self, unary, add_to_result_map, result_map_targets, **kw)
            return text
        if add_to_result_map is not None:
            kw |= {"add_to_result_map": add_to_result_map, "result_map_targets": (*result_map_targets, unary)}
        return f"(OPERATOR(pg_catalog.{sign}) {self.process(unary.element, **kw)})"

    def visit_case(self, clause: Any, **kw: Any) -> str:
        """`CASE x WHEN 1` would look its `=` up on the path."""
        if clause.value is not None:
            whens = [(_equal(clause.value, when), result) for when, result in clause.whens]
            clause = case(*whens, else_=clause.else_)
        text: str = _SQLALCHEMYS.visit_case(self, clause, **kw)
        return text

    def visit_nullif_func(self, func: Function[Any], **kw: Any) -> str:
        one, other = func.clauses
        return self.process(case((_equal(one, other), null()), else_=one), **kw)

    def _signed(self, left: Any, sign: str, right: Any, **kw: Any) -> str:
        kw["_in_operator_expression"] = True
        first, second = (side._compiler_dispatch(self, **kw) for side in (left, right))
        return f"({first} OPERATOR(pg_catalog.{sign}) {second})"

    def visit_like_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "~~", **kw)

    def visit_not_like_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "!~~", **kw)

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "~~*", **kw)

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._like(binary, "!~~*", **kw)

    def _like(self, binary: Any, sign: str, **kw: Any) -> str:
        left, right = self._sides(binary, **kw)
        escape = binary.modifiers.get("escape")
        if escape is not None:
            sign_of_escape = "'" + escape.replace("'", "''") + "'"
            right = f"pg_catalog.like_escape({right}, {sign_of_escape})"
        return f"({left} OPERATOR({self._place(binary, sign)}.{sign}) {right})"

    def visit_function(self, func: Function[Any], add_to_result_map: Any = None, **kw: Any) -> str:
        text = super().visit_function(func, add_to_result_map=add_to_result_map, **kw)
        name = func.name.lower()
        has_own_form = type(func) in FUNCTIONS or name in _GRAMMAR or hasattr(self, f"visit_{name}_func")
        has_own_form = has_own_form and name not in _TEXT_SEARCH
        if func.packagenames or has_own_form or not self._is_postgresqls(name):
            return text
        return f"pg_catalog.{text}"

    def _is_postgresqls(self, name: str) -> bool:
        return name in _USUAL


class _OurCompiler(_Compiler):
    """Of statements in which every function is PostgreSQL's own."""

    def _is_postgresqls(self, name: str) -> bool:
        return True


class Dialect(PGDialect_psycopg):
    """For statements that projects write, too."""

    statement_compiler = _Compiler
    type_compiler_cls = _Types


class OurDialect(Dialect):
    statement_compiler = _OurCompiler
