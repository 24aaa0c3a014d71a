"""JSON lines: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localaws.tables import hive
from localaws.tables.snapshot import DataFile, Partition, TableSnapshot
from localaws.tables.storage import OPENX_JSON, descriptor, storage
from tests.conftest import cases


@pytest.mark.parametrize("case", cases("json_rows"), ids=itemgetter("why"))
def test_json_rows(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("".join(f"{line}\n" for line in case["lines"]))
    columns = tuple(case["columns"].items())
    how = storage(
        descriptor(case.get("serde", OPENX_JSON), case.get("properties", {}), [], ""), {}, "t"
    )
    file = DataFile("s3://lake/x.json", str(path), path.stat().st_size, "", 0.0)
    table = TableSnapshot("db", "t", columns, (), (Partition((), how, columns, (file,)),))
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET TimeZone = 'UTC'")

        def query(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        def select() -> list[tuple[Any, ...]]:
            asked, where = case.get("select", "*"), case.get("where", "true")
            relation = hive.relation(table, query, tmp_path)
            return query(f"SELECT {asked} FROM ({relation}) AS t WHERE {where}")

        if "error" in case:
            with pytest.raises(duckdb.Error) as caught:
                select()
            assert case["error"] in str(caught.value)
            return
        found = select()
        shown = [[None if cell is None else _plain(cell) for cell in row] for row in found]
        assert shown == case["rows"]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_plain(inside) for inside in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
