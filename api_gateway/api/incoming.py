"""What the body of a write says, field by field: text that PostgreSQL reads, or every fault of it at once.

    new_row    a whole row and the children it brings
    changes    a merge patch (RFC 7396) against the document as it is: what is absent stays, null is a value
    whole      a replacement: what is absent goes back to the column's default

A field that is sent with the value it has is no change, whoever may write it: a document can be sent back as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from api_gateway.api.problems import invalid_body, out_of_service
from api_gateway.errors import FieldError
from shared_models.resources import BoundResource, Field, NewRow, Resources
from shared_models.rows import implied

Json = Any
Texts = dict[str, str | None]

_NO_COLUMNS: frozenset[str] = frozenset()


@dataclass(slots=True)
class Given:
    """`texts`: what is stored, by field; `reset`: fields that go back to their default; `brought`: children by link."""

    texts: Texts = field(default_factory=dict)
    reset: tuple[str, ...] = ()
    brought: dict[str, list[Texts]] = field(default_factory=dict)


class Faults:
    """Collects what is wrong with a body; `raise_if_any` refuses it."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def fault(self, pointer: str, code: str, detail: str) -> None:
        self.found.append(FieldError(code, detail, pointer=pointer))

    def raise_if_any(self) -> None:
        """Raises Problem 422."""
        if self.found:
            raise invalid_body(self.found)


def new_row(
    resource: BoundResource,
    resources: Resources,
    body: Json,
    kind: str,
    faults: Faults,
    at: str = "",
    key: Mapping[str, str | None] | None = None,
) -> Given:
    """`key`: what the request names in its address."""
    given = Given(dict(key or {}))
    if not isinstance(body, dict):
        faults.fault(at, "invalid_type", "Expected: an object.")
        return given
    links = {link.name: link for link in resource.written_links}
    covered = frozenset(implied(resource.rows, kind)) | {resource.fields[name].column.name for name in key or {}}
    plan = resource.new_row(_NO_COLUMNS, covered)
    for name, value in body.items():
        if _taken(plan, name, value, given.texts):
            continue
        if name in links:
            target = resources.of(links[name].target)
            taken = frozenset(other for _, other in links[name].pairs)
            place = f"{at}/{escaped(name)}"
            given.brought[name] = _children(
                target, value, taken, links[name].limit, links[name].numbered, faults, place
            )
        else:
            _take(resource, name, value, given.texts, faults, at, new=True)
    for name in key or {}:
        if given.texts[name] != (key or {})[name]:
            faults.fault(f"{at}/{escaped(name)}", "key_differs", "It is not the key in the address.")
    _require(plan, given.texts, body, faults, at)
    return given


def changes(resource: BoundResource, patch: Json, document: Mapping[str, Json], faults: Faults) -> Given:
    given = Given()
    if not isinstance(patch, dict):
        faults.fault("", "invalid_type", "Expected: an object.")
        return given
    for name, value in patch.items():
        _change(resource, name, merged(document.get(name), value), document, given.texts, faults)
    return given


def whole(
    resource: BoundResource, body: Json, document: Mapping[str, Json], faults: Faults, named: Iterable[Field]
) -> Given:
    """`named`: the fields that the address names the row by."""
    given = Given()
    if not isinstance(body, dict):
        faults.fault("", "invalid_type", "Expected: an object.")
        return given
    key = {field.name for field in named}
    for name, value in body.items():
        if name in key and not same(document.get(name), value):
            faults.fault(f"/{escaped(name)}", "key_differs", "It is not the key in the address.")
        else:
            _change(resource, name, value, document, given.texts, faults)
    written = [f for f in resource.fields.values() if f.write is True and f.name not in key]
    for absent in (f for f in written if f.name not in body):
        if not absent.has_default and not absent.takes_null:
            faults.fault(f"/{escaped(absent.name)}", "missing", "The field is required.")
        elif absent.has_default:
            given.reset = (*given.reset, absent.name)
        elif document.get(absent.name) is not None:
            given.texts[absent.name] = absent.value.none
    return given


def merged(target: Json, patch: Json) -> Json:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def same(one: Json, other: Json) -> bool:
    """The same JSON value, digit by digit: 1.10 is not 1.1, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    numbers = (int, Decimal)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return isinstance(one, bool) is isinstance(other, bool) and str(one) == str(other)
    return type(one) is type(other) and bool(one == other)


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _change(
    resource: BoundResource, name: str, value: Json, document: Mapping[str, Json], texts: Texts, faults: Faults
) -> None:
    if name in resource.fields and same(document.get(name), value):
        return
    _take(resource, name, value, texts, faults, "", new=False)


def _children(
    target: BoundResource,
    value: Json,
    taken: frozenset[str],
    limit: int,
    numbered: str | None,
    faults: Faults,
    at: str,
) -> list[Texts]:
    rows: list[Texts] = []
    plan = target.new_row(taken, taken)
    if not isinstance(value, list):
        faults.fault(at, "invalid_type", "Expected: an array.")
        return rows
    if len(value) > limit:
        faults.fault(at, "too_many", f"At most {limit}.")
        return rows
    for n, item in enumerate(value):
        if not isinstance(item, dict):
            faults.fault(f"{at}/{n}", "invalid_type", "Expected: an object.")
            continue
        if numbered is not None:
            item = {numbered: n + 1, **item}
        texts: Texts = {}
        for name, part in item.items():
            if name != numbered and _taken(plan, name, part, texts):
                continue
            is_ours = name in target.fields and not taken.isdisjoint(target.fields[name].column_names)
            if is_ours or (name == numbered and not target.fields[name].write and name in value[n]):
                faults.fault(f"{at}/{n}/{escaped(name)}", "read_only", "It follows from the row that brings it.")
            elif name == numbered and name not in value[n]:
                texts[name] = str(part)
            else:
                _take(target, name, part, texts, faults, f"{at}/{n}", new=True)
        _require(plan, texts, item, faults, f"{at}/{n}")
        rows.append(texts)
    return rows


def _taken(plan: NewRow, name: str, value: Json, texts: Texts) -> bool:
    """What fits plainly is taken; of all else `_take` knows what is wrong with it."""
    take = plan.takers.get(name)
    if take is None or value is None:
        return False
    try:
        texts[name] = take(value)
    except ValueError:
        return False
    return True


def _take(resource: BoundResource, name: str, value: Json, texts: Texts, faults: Faults, at: str, *, new: bool) -> None:
    known = resource.fields.get(name)
    if name in resource.lost:
        raise out_of_service()
    if known is None and name not in resource.links:
        faults.fault(f"{at}/{escaped(name)}", "unknown_field", "There is no such field.")
    elif known is None or not _may_write(known, new=new):
        faults.fault(f"{at}/{escaped(name)}", "read_only", "It cannot be written here.")
    elif value is None and not known.takes_null:
        faults.fault(f"{at}/{escaped(name)}", "invalid_value", "Expected: a value, not null.")
    elif value is None:
        texts[name] = known.value.none
    else:
        assert known.value.take is not None  # noqa: S101 - binding refused it
        try:
            texts[name] = known.value.take(value)
        except ValueError as error:
            faults.fault(f"{at}/{escaped(name)}", "invalid_value", f"Expected: {error}.")


def _may_write(known: Field, *, new: bool) -> bool:
    return bool(known.write) if new else known.write is True


def _require(plan: NewRow, texts: Texts, body: Mapping[str, Json], faults: Faults, at: str) -> None:
    for known in plan.required:
        if known.name in body:
            continue
        if known.value.none is not None:
            texts[known.name] = known.value.none
        else:
            faults.fault(f"{at}/{escaped(known.name)}", "missing", "The field is required.")
