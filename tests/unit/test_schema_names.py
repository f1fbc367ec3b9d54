"""No two things have one name in the API's document: what would is refused, and told where to change it."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated

import pytest
from pydantic import Field

from api_gateway.api.openapi.schemas import component_schemas
from api_gateway.api.openapi.writes import write_schemas
from shared_models.binding import bind
from shared_models.contract import Children, Key, Resource, Rows
from shared_models.resources import ContractError
from shared_models.snapshot import Column as Stored
from shared_models.snapshot import ColumnType, Snapshot, Table

INT = ColumnType("integer", "int4")
ALL = Rows.all()
STAFF = Table("public", "staff", columns=(Stored("id", INT, False),), primary_key=("id",))
LINES = Table("public", "line", columns=(Stored("ord", INT, False), Stored("n", INT, False)), primary_key=("ord", "n"))
SNAPSHOT = Snapshot(("public",), (STAFF, LINES))


def module_of(*classes: type[Resource]) -> ModuleType:
    module = ModuleType("contract")
    vars(module).update({cls.__name__: cls for cls in classes})
    return module


def named(name: str, path: str, verbs: tuple[str, ...] = ("list", "get")) -> type[Resource]:
    class Made(Resource, table="staff", path=path, rows=ALL, verbs=verbs):  # type: ignore[arg-type]  # drawn by a test
        id: Annotated[int, Key("id", write="create")]

    Made.__name__ = name
    return Made


@pytest.mark.parametrize("name", ["StaffPage", "StaffFilter", "SparseStaff", "NewStaff", "StaffBatch"])
def test_a_resource_called_as_a_shape_of_another_is_refused(name: str) -> None:
    writing = named("Staff", "staff", ("list", "get", "create"))
    with pytest.raises(ContractError) as raised:
        bind(module_of(writing, named(name, "others")), SNAPSHOT)
    told = f"Staff has a schema {name} in the API's document already; the class needs another name"
    assert told in [finding.message for finding in raised.value.findings]


@pytest.mark.parametrize("name", ["NewStaff", "StaffList", "StaffPatch", "StaffGroup", "StaffPut"])
def test_a_shape_that_the_other_does_not_have_takes_no_name(name: str) -> None:
    bind(module_of(named("Staff", "staff"), named(name, "others")), SNAPSHOT)


@pytest.mark.parametrize("name", ["Problem", "FieldError", "Job", "SignIn", "Tokens"])
def test_a_resource_called_as_a_schema_that_every_document_may_have_is_refused(name: str) -> None:
    with pytest.raises(ContractError, match="something of its own of this name"):
        bind(module_of(named(name, "others")), SNAPSHOT)


class Line(Resource, table="line", path="lines", rows=ALL, verbs=("list", "get", "create")):
    order: Annotated[int, Key("ord", write="create")]
    number: Annotated[int, Key("n", write="create")]


class Order(Resource, table="staff", path="orders", rows=ALL, verbs=("list", "get", "create")):
    id: Annotated[int, Key("id", write="create")]
    lines: Annotated[list[Line], Children(on="ord", writable=True)] = Field(default_factory=list)


def test_a_row_that_is_made_alone_and_with_its_parent_has_a_body_for_each() -> None:
    resources = bind(module_of(Line, Order), SNAPSHOT)
    bodies = write_schemas(resources.of(Line), resources) | write_schemas(resources.of(Order), resources)
    assert bodies["NewLine"]["required"] == ["order", "number"]
    assert bodies["NewLineOfOrder"]["required"] == ["number"]
    assert bodies["NewOrder"]["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/NewLineOfOrder"}
    assert not bodies.keys() & component_schemas(resources).keys()
