"""SQL files on their way into the definition."""

from __future__ import annotations

import json

import pytest
from jsonata.jsonata import Jsonata

from tasks import sql
from tasks.errors import DefinitionError


def filled(argument: str, data: dict[str, object], redrives: int = 0) -> str:
    """What Step Functions makes of a JSONata argument."""
    expression = Jsonata(argument.removeprefix("{%").removesuffix("%}").strip())
    frame = expression.create_frame()
    frame.bind("states", {"input": data, "context": {"Execution": {"RedriveCount": redrives}}})
    return str(expression.evaluate(None, frame))


def test_a_statement_is_deployed_without_its_comments() -> None:
    text = "-- a; b's\nSELECT '--kept', \"--kept\" -- gone; it's\nFROM t\n"

    assert sql.without_comments(text) == "\nSELECT '--kept', \"--kept\"\nFROM t\n"
    assert "--" not in json.dumps([one.query_string() for one in sql.read_folder("features")])


def test_a_statement_comes_out_as_written_with_the_run_filled_in() -> None:
    text = (
        "SELECT '{a}', 'it''s \\d', \"b\"\nFROM ${Database}.t_${run}${try}"
        " WHERE b < ${sample_buckets}"
    )
    run = {"run": {"id": "r1", "options": {"sample_buckets": 20}}}
    argument = sql.Statement("x", text).query_string()

    first = "SELECT '{a}', 'it''s \\d', \"b\"\nFROM ${Database}.t_r1 WHERE b < 20"
    assert filled(argument, run) == first
    assert filled(argument, run, redrives=1) == first.replace("t_r1", "t_r1_2")


def test_a_statement_without_the_run_stays_a_plain_text() -> None:
    assert sql.Statement("x", "SELECT 1").query_string() == "SELECT 1"


def test_an_unknown_placeholder_is_refused_with_the_file_and_what_is_known(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "wrong.sql").write_text("SELECT * FROM ${Databse}.t")
    monkeypatch.setattr(sql, "ROOT", folder)

    with pytest.raises(DefinitionError, match=r"wrong\.sql has \$\{Databse\}; known are: Database"):
        sql.read("wrong")


@pytest.mark.parametrize("folder", ["tables", "features", "publish"])
def test_every_statement_of_the_project_names_its_run(folder: str) -> None:
    tables = {f"{name}_table": {"table": f"{name}_r1"} for name in sql.FEATURE_TABLES}
    data = {
        "run": {"id": "r1", "options": {"sample_buckets": 20}},
        "prior": {"table": "order_products_prior_r1"},
        "history": {"table": "product_history_r1"},
        "features": {name.removesuffix("_table"): table for name, table in tables.items()},
    }
    statements = sql.read_folder(folder)
    assert statements
    for statement in statements:
        text = filled(statement.query_string(), data)
        assert "_r1" in text
        assert set(sql.PLACEHOLDER.findall(text)) <= sql.OF_THE_DEPLOYMENT


def test_a_check_has_no_placeholder_but_its_database() -> None:
    for file in sorted((sql.ROOT / "checks").glob("*.sql")):
        assert set(sql.PLACEHOLDER.findall(file.read_text())) <= {"RawDatabase"}, file.name
