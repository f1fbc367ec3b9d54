"""Names that a contract can use: valid in Python, never twice, and the same again on the next run."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Iterator
from itertools import chain, count

from api_gateway.draft.words import expanded, plural, singular, words
from shared_models.contract import attribute_name
from shared_models.schema_names import RESERVED, shapes_of_reads

# What the drafted module imports or defines: a class of the same name would hide it.
IMPORTED = frozenset(
    [
        "Annotated",
        "Any",
        "BigInt",
        "Bytes",
        "Children",
        "Codes",
        "Column",
        "Decimal",
        "Field",
        "Flag",
        "Json",
        "Key",
        "Literal",
        "LocalTime",
        "NoneWhen",
        "Parent",
        "Resource",
        "Rows",
        "SoftDelete",
        "UUID",
        "annotations",
        "date",
        "datetime",
        "operations",
        "principal",
        "time",
        "timedelta",
    ]
)
# Names of types that annotations use: a field of that name would hide them from the fields after it.
_TYPE_NAMES = frozenset(
    ["bool", "bytes", "date", "datetime", "dict", "float", "int", "list", "object", "str", "time", "timedelta", "type"]
)
# Parameters of every list of the API: a field of that name cannot be filtered by.
RESERVED_PARAMETERS = frozenset({"cursor", "fields", "include", "limit", "not", "or", "sort"})

_NOT_FOR_CLASSES = frozenset(dir(builtins)) | IMPORTED
LONGEST = 63  # characters of a name of the API
_STEM = 55  # of which a number may take the rest


class Names:
    """Hands out names once each. `claim` takes the first candidate that is free."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def claim(self, *candidates: str) -> str:
        free = next(name for name in chain(candidates, _numbered(candidates[0])) if name not in self._taken)
        self._taken.add(free)
        return free

    def is_free(self, name: str) -> bool:
        return name not in self._taken


class TableNames:
    """Hands out a class name and a path together, so that `LineItem2` is found at `line-items-2`."""

    def __init__(self) -> None:
        self._classes, self._shapes, self._paths = set(IMPORTED), set(RESERVED), set[str]()

    def claim(self, schema: str, table: str) -> tuple[str, str]:
        """`ord_hdr` → `OrdHeader`, `ord-headers`; then `OrdHeaderRow`, then with the schema in front, then numbered."""
        one, many = _noun(table)
        home = [] if schema == "public" else words(schema)
        for name, path in _pairs(one, many, [*home, *one], [*home, *many]):
            if path not in self._paths and self._is_free(name):
                self._classes.add(name)
                self._shapes |= shapes_of_reads(name)
                self._paths.add(path)
                return name, path
        raise AssertionError("numbered names never end")

    def _is_free(self, name: str) -> bool:
        return name not in self._classes | self._shapes and shapes_of_reads(name).isdisjoint(self._classes)

    def claim_class(self, schema: str, name: str) -> str:
        """A name for a type, in the same namespace as the classes."""
        parts = expanded(words(name)) or ["type"]
        names = Names(self._classes)
        claimed = names.claim(_class_name(parts), _class_name([*words(schema), *parts]))
        self._classes.add(claimed)
        return claimed


def _noun(table: str) -> tuple[list[str], list[str]]:
    """The words of a table's name, its last one in the singular and in the plural."""
    parts = expanded(words(table)) or ["table"]
    return [*parts[:-1], singular(parts[-1])], [*parts[:-1], plural(parts[-1])]


def _pairs(one: list[str], many: list[str], home_one: list[str], home_many: list[str]) -> Iterator[tuple[str, str]]:
    yield _class_name(one), _path(many)
    yield f"{_class_name(one)}Row", _path(many)
    yield _class_name(home_one), _path(home_many)
    for number in count(2):
        yield f"{_class_name(home_one)}{number}", f"{_path(home_many)[:_STEM]}-{number}"


def _path(parts: list[str]) -> str:
    return "-".join(parts)[:LONGEST]


def _numbered(name: str) -> Iterator[str]:
    return (f"{name[:_STEM]}_{number}" for number in count(2))


def is_exact_path(table: str) -> bool:
    """Is the table's own name already what its path would be? Such a table comes before those that are made plural."""
    parts = words(table)
    return bool(parts) and plural(parts[-1]) == parts[-1]


def _class_name(parts: list[str]) -> str:
    name = "".join(word[:1].upper() + word[1:] for word in parts)
    if not name.isidentifier():
        name = f"Table{name}"
    return f"{name}Row" if name in _NOT_FOR_CLASSES or keyword.iskeyword(name) else name


def field_name(column: str) -> str:
    """The name that the API shows: lower-case ASCII words joined by `_`; it begins with a letter."""
    name = "_".join(expanded(words(column)))
    if not name.isidentifier():
        name = f"c_{name}" if name else "column"
    return name[:LONGEST]


def python_string(text: str) -> str:
    """A string literal in the formatter's own style, or with escapes where the text needs them."""
    return f'"{text}"' if text.isprintable() and not set(text) & set('"\\') else repr(text)


def attribute(name: str) -> str:
    """`name` as the class attribute: with an underscore behind it where Python or pydantic need the name themselves."""
    attribute = attribute_name(name)
    return f"{name}_" if name in _TYPE_NAMES or keyword.issoftkeyword(name) else attribute
