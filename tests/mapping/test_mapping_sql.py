"""A shop's own files become the five tables: the mapping's SQL in the real Athena, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configuration.mapping import sql
from tasks.functions.clean_data import WHOLE
from tasks.functions.increments import GROWING
from tests.athena.conftest import Athena
from tests.mapping import shops


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Athena]:
    """One Athena for all shops, each in a database of its own."""
    from localaws.core.aws import start
    from localaws.services import factories

    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    home = tmp_path_factory.mktemp("athena")
    running = start(home, wanted, url="http://127.0.0.1:9", wait_scale=0)
    made = Athena(running)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    yield made
    running.stop()


def run(athena: Athena, database: str, statement: str) -> Any:
    values = {
        "RawDatabase": database,
        "LakeBucket": "lake",
        "SourcePlace": f"lake/raw/{database}",
        "folder": f"mapped/{database}",
        "try": "",
    }
    return athena.run(re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], statement))


@pytest.mark.parametrize("name", shops.NAMES)
def test_a_shops_files_become_the_five_tables(athena: Athena, name: str) -> None:
    mapping = shops.mapping(name)
    athena.glue.create_database(DatabaseInput={"Name": name})
    for key, body in shops.uploaded(name).items():
        athena.s3.put_object(Bucket="lake", Key=f"raw/{name}/{key}", Body=body)
    for statement in sql.statements(mapping):
        run(athena, name, statement.sql)
    found = {
        table: sorted(athena.rows(f"SELECT * FROM {name}.{table}"), key=str)
        for table in sql.tables(mapping)
    }
    for table in GROWING:  # are cleaned into the one partition that the last column names
        assert {row[-1] for row in found[table]} == {WHOLE}
        found[table] = [row[:-1] for row in found[table]]
    assert found == shops.expected(name)


@pytest.mark.parametrize("name", shops.NAMES)
def test_a_mapping_is_short(name: str) -> None:
    lines = (shops.SHOPS / name / "mapping.toml").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) < 30, Path(name)
