"""SQL files on their way into the definition."""

from __future__ import annotations

import pytest

from rebuy.errors import DefinitionError
from tasks import sql


def fill(intrinsic: str, *arguments: str) -> str:
    """What Step Functions makes of `States.Format('...', ...)` with these arguments."""
    inner = intrinsic.removeprefix("States.Format('")
    text, position = "", 0
    values = iter(arguments)
    while inner[position] != "'":
        character = inner[position]
        if character == "\\":
            position += 1
            text += inner[position]
        elif inner.startswith("${", position):  # CloudFormation's, replaced before
            end = inner.index("}", position)
            text += inner[position : end + 1]
            position = end
        elif character == "{":
            text += next(values)
            position += 1
        else:
            text += character
        position += 1
    return text


def test_a_statement_comes_out_as_written_with_the_run_filled_in() -> None:
    statement = sql.Statement(
        "x", "SELECT '{a}', 'it''s \\d' FROM ${Database}.t_${run} WHERE b < ${sample_buckets}"
    )

    parameter = statement.query_string()["QueryString.$"]

    assert parameter.endswith(", $.run.id, $.run.options.sample_buckets)")
    assert fill(parameter, "r1", "20") == (
        "SELECT '{a}', 'it''s \\d' FROM ${Database}.t_r1 WHERE b < 20"
    )


def test_a_statement_without_the_run_stays_a_plain_text() -> None:
    assert sql.Statement("x", "SELECT 1").query_string() == {"QueryString": "SELECT 1"}


def test_an_unknown_placeholder_is_refused_with_the_file_and_what_is_known(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "wrong.sql").write_text("SELECT * FROM ${Databse}.t")
    monkeypatch.setattr(sql, "ROOT", folder)

    with pytest.raises(DefinitionError, match=r"wrong\.sql has \$\{Databse\}; known are: Database"):
        sql.read("wrong")


def test_every_statement_of_the_project_can_be_read() -> None:
    for folder in ("tables", "features", "publish"):
        for statement in sql.read_folder(folder):
            assert statement.query_string()
