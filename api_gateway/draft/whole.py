"""What is worth saying of a whole table or view: deletion marks, keys of views, rows that are shown elsewhere too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from api_gateway.draft.names import python_string
from api_gateway.draft.plan import Proposal
from api_gateway.draft.proposals import allowed_by_check, evidence_of, flag_of, literal
from api_gateway.draft.sample import Sample
from api_gateway.draft.words import words
from shared_models.snapshot import Table

Bases = Iterable[tuple[Table, tuple[str, ...]]]  # the tables that a view reads, each with its resource's key

_DELETED_WORDS = frozenset(["archived", "del", "deleted", "gone", "removed"])


def soft_delete(table: Table, sample: Sample) -> Iterator[Proposal]:
    """The class keyword for a table whose rows are marked instead of deleted."""
    for column in table.columns:
        if not _DELETED_WORDS & set(words(column.name)) or column.type.is_array:
            continue
        name = python_string(column.name)
        if column.type.name == "bool":
            yield Proposal(f"soft_delete=SoftDelete({name}, deleted=True)", "the column's name")
            return
        values = sample.values(table, column.name)
        flag = flag_of(column, values, allowed_by_check(table, column))
        if flag and values:
            rows = sample.rows.get((table.schema, table.name), 0)
            keyword = f"soft_delete=SoftDelete({name}, deleted={literal(column, flag[0])})"
            yield Proposal(keyword, evidence_of(table, column, values, rows, ()))
            return


def view_key(view: Table, bases: Bases, names: Mapping[str, str]) -> Iterator[Proposal]:
    """A view that shows the whole key of one table it reads may have it as its own. `names`: fields by column."""
    shown = {column.origin: column.name for column in view.columns if column.origin and column.name in names}
    for base, own_key in bases:
        keys = ([shown.get((base.schema, base.name, name)) for name in key] for key in (own_key, base.primary_key))
        whole = next(([name for name in key if name] for key in keys if key and all(key)), [])
        if whole:
            fields = ", ".join(f"{names[name]} with Key({python_string(name)})" for name in whole)
            evidence = f"the key of {base.qualified}; only if the view never shows a row of it twice"
            yield Proposal(f"key: {fields}", evidence)


def inherited(table: Table) -> Iterator[Proposal]:
    """Rows of a table that inherits from another are rows of that one too."""
    if table.inherits:
        parents = " and ".join(".".join(name) for name in table.inherits)
        yield Proposal(None, f"inherits from {parents}, where its rows are shown as well; one of the two may be enough")


def unfilled(table: Table) -> Iterator[Proposal]:
    if not table.is_filled:
        yield Proposal(None, "never filled yet: answers 503 until the first REFRESH MATERIALIZED VIEW")
