"""The API document as tools take it: linted without a word, and clients generated from it that talk to the API."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.api import Api, listening
from tests.support.node import BIN, run, workplace

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def place(reading: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partner's desk: the document, and the tools."""
    folder = workplace(tmp_path_factory.mktemp("partner"))
    (folder / "openapi.json").write_text(reading.client.get("/api/openapi.json").text)
    return folder


def test_redocly_has_nothing_to_say(place: Path) -> None:
    told = json.loads(run(place, "node_modules/.bin/redocly", "lint", "--format", "json", "openapi.json"))
    assert told["problems"] == []


def test_a_typescript_client_compiles_and_talks_to_the_api_and_a_wrong_type_does_not_compile(
    place: Path, reading: Api
) -> None:
    run(place, "node_modules/.bin/openapi-typescript", "openapi.json", "--output", "api.ts")
    run(place, "node_modules/.bin/tsc", "--project", ".")
    with listening(reading) as address:
        said = json.loads(run(place, "node", "partner.js", address, "acme"))
    first = reading.get("items?limit=2&sort=-price&active=true").json()["data"]
    assert said == {
        "numbers": [item["number"] for item in first],
        "number": first[0]["number"],
        "price": first[0]["price"],
        "code": "not_found",
    }
    right = (place / "partner.ts").read_text()
    for wrong, told in ((("limit: 2", 'limit: "two"'), "TS2322"), (("item.price", "item.prise"), "TS2551")):
        assert wrong[0] in right
        (place / "partner.ts").write_text(right.replace(*wrong))
        assert told in run(place, "node_modules/.bin/tsc", "--project", ".", expected=1)
    (place / "partner.ts").write_text(right)


CONFIGURATION = (
    "project_name_override: api-client\npackage_name_override: api_client\n"
    "content_type_overrides:\n  text/csv: application/octet-stream\n"  # it has no word of its own for a CSV file
)


def test_a_second_version_has_a_document_and_clients_of_its_own(versions: Api, tmp_path: Path) -> None:
    folder = workplace(tmp_path)
    for version in ("v1", "v2"):
        (folder / f"{version}.json").write_text(versions.client.get(f"/api/{version}/openapi.json").text)
        run(folder, "node_modules/.bin/openapi-typescript", f"{version}.json", "--output", f"{version}.ts")
        told = json.loads(run(folder, "node_modules/.bin/redocly", "lint", "--format", "json", f"{version}.json"))
        # `people/by-email/{email}` and `people/{number}/twin` are told apart by their methods, which it leaves aside
        assert {problem["ruleId"] for problem in told["problems"]} <= {"no-ambiguous-paths"}
    (folder / "partner.ts").write_text(
        """
import createClient from "openapi-fetch";
import type { paths } from "./v2.js";
import type { paths as before } from "./v1.js";
declare const process: { argv: string[] };
declare const console: { log(text: string): void };
const set = { baseUrl: process.argv[2] ?? "", headers: { "X-API-Key": "acme" } };
const new_ = await createClient<paths>(set).GET("/api/v2/people/{number}", { params: { path: { number: 1 } } });
const old = await createClient<before>(set).GET("/api/v1/people/{number}", { params: { path: { number: 1 } } });
console.log([new_.data?.last_name, old.data?.name].join("|"));
"""
    )
    run(folder, "node_modules/.bin/tsc", "--project", ".")
    (folder / "client.yaml").write_text(CONFIGURATION)
    run(
        folder, str(BIN / "openapi-python-client"), "generate", "--path", "v2.json", "--config", "client.yaml",
        "--output-path", "python", "--fail-on-warning",
    )  # fmt: skip
    program = """
import sys
from api_client import AuthenticatedClient
from api_client.api.people import get_person

client = AuthenticatedClient(sys.argv[1], token="acme")
print(get_person.sync(1, client=client).last_name)
"""
    (folder / "python" / "partner.py").write_text(program)
    with listening(versions) as address:
        assert run(folder, "node", "partner.js", address).strip() == "Lovelace|Ada Lovelace"
        assert run(folder / "python", sys.executable, "partner.py", address).strip() == "Lovelace"


PARTNER = """
import sys
from api_client import AuthenticatedClient
from api_client.api.invoices import list_invoices
from api_client.api.items import get_item, list_items
from api_client.models import InvoicePage, Item, ListInvoicesParents, Problem

client = AuthenticatedClient(sys.argv[1], token=sys.argv[2], headers={"X-API-Key": sys.argv[2]})
page = list_items.sync(client=client, limit=2)
assert page is not None and not isinstance(page, Problem), page
numbers = [row.number for row in page.data]
item = get_item.sync(numbers[0], client=client)
assert isinstance(item, Item), item
parents = ListInvoicesParents()
parents["customer.name[ilike]"] = "%a%"
assert isinstance(list_invoices.sync(client=client, parents=parents), InvoicePage)
missing = get_item.sync_detailed("none such", client=client)
assert isinstance(missing.parsed, Problem)
print(*numbers, item.price, missing.parsed.code)
"""


def test_a_python_client_is_generated_without_a_warning_and_talks_to_the_api_and_mypy_finds_wrong_use(
    place: Path, reading: Api
) -> None:
    (place / "client.yaml").write_text(CONFIGURATION)
    run(
        place, str(BIN / "openapi-python-client"), "generate", "--path", "openapi.json", "--config", "client.yaml",
        "--output-path", "python", "--fail-on-warning",
    )  # fmt: skip
    program = place / "python" / "partner.py"
    program.write_text(PARTNER)
    with listening(reading) as address:
        said = run(place / "python", sys.executable, "partner.py", address, "acme").split()
    first = reading.get("items?limit=2").json()["data"]
    assert said == [first[0]["number"], first[1]["number"], first[0]["price"], "not_found"]
    check = (sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "partner.py")
    run(place / "python", *check)
    program.write_text(PARTNER.replace("limit=2", 'limit="two"'))
    assert 'has incompatible type "str"' in run(place / "python", *check, expected=1)
