"""Whatever a draft proposes can be taken up as it stands: pasted over the field, the contract still fits the schema."""

from __future__ import annotations

from dataclasses import replace

from api_gateway.api.contract import load_contract
from api_gateway.draft.init import init_project
from api_gateway.draft.plan import Draft, DraftResource
from api_gateway.draft.source import contract_source, field_source, imports, relation_source
from api_gateway.project import load_project
from tests.foreign.conftest import Foreign

_END_OF_DOCSTRING = '"""\n\n'


def test_every_proposal_can_be_taken_up(foreign: Foreign) -> None:
    folder = foreign.folder.parent / f"{foreign.name}_taken_up"
    draft = init_project(folder, foreign.url).draft
    source = contract_source(draft)
    for above, resource in enumerate(draft.resources):
        start = source.index(f"class {resource.class_name}(")
        end = source.index("\n\n\n", start)
        source = source[:start] + _taken_up(resource, source[start:end], draft, above) + source[end:]
    source = source.replace(_END_OF_DOCSTRING, f"{_END_OF_DOCSTRING}{imports(source)}\n", 1)
    (folder / "contract.py").write_text(source, "utf-8")
    assert set(load_contract(load_project(folder)).scopes()) >= {
        f"{resource.path}:read" for resource in draft.resources
    }


def _taken_up(resource: DraftResource, text: str, draft: Draft, above: int) -> str:
    """The class with the last proposal of each field in the field's place, and the proposed relations as relations.

    `above`: how many classes stand above it.
    """
    for field in resource.fields:
        drafted = f"\n    {field_source(replace(field, proposals=(), comment=None))[-1]}"
        for proposal in [proposal for proposal in field.proposals if proposal.text][-1:]:
            assert drafted in text
            text = text.replace(drafted, f"\n    {proposal.text}", 1)
    for proposal in resource.proposals:
        if (proposal.text or "").startswith("soft_delete="):
            text = text.replace("rows=Rows.all()", f"rows=Rows.all(), {proposal.text}", 1)
    classes = {each.name: each for each in draft.resources}
    relations = (replace(relation, proposed=False) for relation in resource.relations if relation.proposed)
    defined = [each.name for each in draft.resources[:above]]
    return "\n    ".join([text, *(relation_source(relation, classes, defined)[0] for relation in relations)])
