"""`banyan init` as somebody types it beside a database of their own: what it writes, keeps, proposes and refuses."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.commands import Answer, Banyan

_SCHEMA = """
CREATE TABLE customer (cust_no int PRIMARY KEY, nm text NOT NULL, act_fl char(1) NOT NULL, password text);
CREATE TABLE ord_hdr (ord_no int PRIMARY KEY, cust_no int NOT NULL REFERENCES customer, placed timestamp);
CREATE TABLE log (txt text);
INSERT INTO customer
  SELECT n, 'Customer ' || n, CASE WHEN n % 9 = 0 THEN 'N' ELSE 'Y' END FROM generate_series(1, 50) n;
CREATE SCHEMA "Other One"; CREATE TABLE "Other One".thing (id int PRIMARY KEY);
"""


@pytest.fixture
def url(database_url: str) -> str:
    _execute(database_url, _SCHEMA)
    return database_url


@pytest.fixture
def banyan(tmp_path: Path, url: str) -> Banyan:
    return Banyan(tmp_path, {"BANYAN_DATABASE_URL": url})


def _execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def _init(banyan: Banyan, folder: Path, *words: str) -> Answer:
    answer = banyan("init", str(folder), *words)
    assert answer.code == 0, answer.err
    return answer


def test_init_writes_a_whole_project_and_counts_what_it_found(banyan: Banyan, tmp_path: Path) -> None:
    answer = _init(banyan, tmp_path / "shop_api", "--legacy-url", "http://127.0.0.1:9")
    assert "4 tables and views: 4 drafted, 0 left out; 1 of 1 foreign keys became relations." in answer.out
    written = {path.name for path in (tmp_path / "shop_api").iterdir()}
    assert written >= {
        "banyan.toml",
        "contract.py",
        "routes.py",
        "README.md",
        "operations",
        "mimics",
        "migrations",
        "schema.lock.json",
        "contract.openapi.json",
        "tables.py",
        "tables.pyi",
    }
    assert 'url = "http://127.0.0.1:9"' in (tmp_path / "shop_api/banyan.toml").read_text("utf-8")
    contract = (tmp_path / "shop_api/contract.py").read_text("utf-8")
    assert "# left out: password - its name looks like a secret" in contract
    assert "50 rows: 'N' 5, 'Y' 45" in contract


def test_init_with_no_data_reads_no_row(banyan: Banyan, tmp_path: Path) -> None:
    _init(banyan, tmp_path / "shop_api", "--no-data")
    assert " rows: " not in (tmp_path / "shop_api/contract.py").read_text("utf-8")


def test_init_writes_nothing_to_the_database(banyan: Banyan, url: str, tmp_path: Path) -> None:
    name = url.rsplit("/", 1)[1]
    _execute(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    _init(banyan, tmp_path / "shop_api")


def test_init_needs_no_right_to_read_the_rows(banyan: Banyan, url: str, tmp_path: Path) -> None:
    _execute(url, "CREATE ROLE init_reader LOGIN")
    try:
        _init(banyan, tmp_path / "shop_api", "--database-url", url.replace("postgres@", "init_reader@"))
        assert " rows: " not in (tmp_path / "shop_api/contract.py").read_text("utf-8")
    finally:
        _execute(url, "DROP ROLE init_reader")


def test_chosen_schemas_and_tables_are_remembered(banyan: Banyan, tmp_path: Path) -> None:
    _init(banyan, tmp_path / "shop_api", "--schema", "public", "--exclude", "log")
    answer = _init(banyan, tmp_path / "shop_api")
    assert "nothing, it is as the schema is" in answer.out
    assert "thing" not in (tmp_path / "shop_api/contract.py").read_text("utf-8")
    assert "#   public.log - named by --exclude" in (tmp_path / "shop_api/contract.py").read_text("utf-8")


def test_an_unedited_contract_follows_the_schema(banyan: Banyan, url: str, tmp_path: Path) -> None:
    _init(banyan, tmp_path / "shop_api")
    _execute(url, "CREATE TABLE invoice (inv_no int PRIMARY KEY)")
    _init(banyan, tmp_path / "shop_api")
    assert "class Invoice(" in (tmp_path / "shop_api/contract.py").read_text("utf-8")
    assert "/invoices" in (tmp_path / "shop_api/contract.openapi.json").read_text("utf-8")


def test_an_edited_contract_is_kept_and_what_is_new_is_printed_until_it_is_taken_up(
    banyan: Banyan, url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shop_api"
    _init(banyan, folder)
    edited = (folder / "contract.py").read_text("utf-8").replace("class Customer(", "class Client(")
    edited = edited.replace("Annotated[Customer | None", "Annotated[Client | None").replace('path="log', 'path="lg')
    (folder / "contract.py").write_text(edited, "utf-8")
    _execute(url, "CREATE TABLE invoice (inv_no int PRIMARY KEY); ALTER TABLE customer ADD tel text")
    for _ in range(2):
        answer = _init(banyan, folder)
        assert (folder / "contract.py").read_text("utf-8") == edited
        assert "Kept, because somebody edited them: contract.py." in answer.out
        assert 'class Invoice(Resource, table="invoice"' in answer.out
        assert "# in class Client, for new columns of public.customer:\n    tel: str | None = None" in answer.out
        assert "ord_hdr" not in answer.out


def test_a_new_foreign_key_between_columns_that_were_there_is_proposed_until_it_is_taken_up(
    banyan: Banyan, url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shop_api"
    _execute(url, "CREATE TABLE region (id int PRIMARY KEY); ALTER TABLE customer ADD area int")
    _init(banyan, folder)
    contract = folder / "contract.py"
    edited = contract.read_text("utf-8").replace("class Region(", "class Area(")
    contract.write_text(edited + "\n# ours\n", "utf-8")
    _execute(url, "ALTER TABLE customer ADD FOREIGN KEY (area) REFERENCES region")
    line = '    region: Annotated["Area | None", Parent("area")] = None'
    for _ in range(2):
        answer = _init(banyan, folder)
        assert f"# in class Customer, for new foreign keys of public.customer:\n{line}" in answer.out
        assert answer.out.count("Annotated[") == 1
        assert contract.read_text("utf-8") == edited + "\n# ours\n"
    taken_up = edited.replace("    area: int | None = None\n", f"    area: int | None = None\n{line}\n")
    contract.write_text(taken_up, "utf-8")
    assert "paste into contract.py" not in _init(banyan, folder).out
    assert banyan("check", "--project", str(folder), "--write").code == 0


def test_a_table_of_parts_that_came_later_is_proposed_on_both_sides(banyan: Banyan, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop_api"
    _init(banyan, folder)
    with (folder / "contract.py").open("a") as file:
        file.write("\n# ours\n")
    _execute(url, "CREATE TABLE ord_line (ord_no int REFERENCES ord_hdr, line_no int, PRIMARY KEY (ord_no, line_no))")
    printed = _init(banyan, folder).out
    assert "class OrdLine(" in printed
    assert "# in class OrdHeader, for new foreign keys of public.ord_hdr:" in printed
    assert 'ord_lines: Annotated["list[OrdLine]", Children(on="ord_no")] = []' in printed


def test_a_foreign_key_to_what_somebody_deleted_is_not_proposed(banyan: Banyan, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop_api"
    _execute(url, "ALTER TABLE log ADD cust_no int")
    _init(banyan, folder)
    contract = (folder / "contract.py").read_text("utf-8")
    start = contract.index("class Customer(")
    end = contract.index("\n\n\n", start)
    without = contract[:start] + contract[end + 3 :]
    (folder / "contract.py").write_text(without.replace("Annotated[Customer | None", "Annotated[Any"), "utf-8")
    _execute(url, "ALTER TABLE log ADD FOREIGN KEY (cust_no) REFERENCES customer")
    assert "paste into contract.py" not in _init(banyan, folder).out


def test_what_is_printed_brings_the_imports_and_enums_that_it_needs(banyan: Banyan, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop_api"
    _init(banyan, folder)
    with (folder / "contract.py").open("a") as file:
        file.write("\n# ours\n")
    _execute(
        url, "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE day (id int PRIMARY KEY, m mood, paid numeric)"
    )
    answer = _init(banyan, folder)
    assert "from decimal import Decimal" in answer.out
    assert 'Mood = Literal["good", "bad"]' in answer.out
    proposed = answer.out.split("paste into contract.py:")[1]
    with (folder / "contract.py").open("a") as file:
        file.write(proposed)
    assert banyan("check", "--project", str(folder), "--write").code == 0


def test_what_somebody_deleted_is_not_proposed_again(banyan: Banyan, tmp_path: Path) -> None:
    folder = tmp_path / "shop_api"
    _init(banyan, folder)
    contract = (folder / "contract.py").read_text("utf-8")
    start = contract.index("class Log(")
    end = contract.index("\n\n\n", start)
    (folder / "contract.py").write_text(contract[:start] + contract[end + 3 :], "utf-8")
    assert "class Log(" not in _init(banyan, folder).out


def test_edited_routes_and_settings_are_kept(banyan: Banyan, tmp_path: Path) -> None:
    folder = tmp_path / "shop_api"
    _init(banyan, folder)
    for name in ("routes.py", "banyan.toml", "README.md"):
        with (folder / name).open("a") as file:
            file.write("\n# ours\n")
    assert "Kept, because somebody edited them: banyan.toml, routes.py, README.md." in _init(banyan, folder).out
    assert (folder / "routes.py").read_text("utf-8").endswith("# ours\n")


def test_a_file_that_was_there_before_is_nobody_elses_to_overwrite(banyan: Banyan, tmp_path: Path) -> None:
    (tmp_path / "shop_api").mkdir()
    (tmp_path / "shop_api/README.md").write_text("mine", "utf-8")
    _init(banyan, tmp_path / "shop_api")
    assert (tmp_path / "shop_api/README.md").read_text("utf-8") == "mine"


def test_json_says_the_same_for_programs(banyan: Banyan, tmp_path: Path) -> None:
    answer = _init(banyan, tmp_path / "shop_api", "--json").json
    assert answer["tables"] == answer["resources"] == 4
    assert answer["foreign_keys"] == {"declared": 1, "related": 1}
    assert answer["files"]["contract.py"] == "written"


def test_a_database_that_is_away_is_one_line_without_the_password(tmp_path: Path) -> None:
    answer = Banyan(tmp_path, {})("init", "shop_api", "--database-url", "postgresql://me:hunter2@127.0.0.1:1/shop")
    assert answer.code == 2
    assert answer.complaint.startswith("cannot connect to 127.0.0.1:1/shop: ")
    assert "hunter2" not in answer.err
    assert not (tmp_path / "shop_api").exists()


def test_a_refused_login_is_one_line_without_the_password(tmp_path: Path, url: str) -> None:
    bad = url.replace("postgres@", "nobody_known:hunter2@")
    answer = Banyan(tmp_path, {})("init", "shop_api", "--database-url", bad)
    assert answer.code == 2
    assert "nobody_known" in answer.complaint
    assert "hunter2" not in answer.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["shop_api", "--database-url", "mysql://x:hunter2@y/z"], "the database URL cannot be read"),
        (["shop_api", "--schema", "nowhere"], "no tables in schema nowhere"),
        (["shop_api", "--legacy-url", "ftp://x"], "--legacy-url 'ftp://x' must be"),
        (["json"], "a project cannot be called 'json'"),
        (["api_gateway"], "a project cannot be called 'api_gateway'"),
        (["a_file"], "is a file, not a folder"),
    ],
)
def test_bad_input_is_one_readable_line(banyan: Banyan, tmp_path: Path, words: list[str], complaint: str) -> None:
    (tmp_path / "a_file").write_text("x")
    answer = banyan("init", *words)
    assert answer.code == 2
    assert complaint in answer.complaint
    assert "hunter2" not in answer.err
    assert {path.name for path in tmp_path.iterdir()} == {"a_file"}


def test_an_empty_database_is_named_as_such(tmp_path: Path, database_url: str) -> None:
    answer = Banyan(tmp_path, {"BANYAN_DATABASE_URL": database_url})("init", "shop_api")
    assert (answer.code, answer.complaint) == (2, "the database has no tables, views or foreign tables.")
