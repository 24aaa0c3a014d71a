"""A shop's own files become the five tables: the mapping's SQL in the real Athena, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configuration.mapping import sql
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
    """In a run that takes nothing over."""
    values = {
        "RawDatabase": database,
        "LakeBucket": "lake",
        "SourcePlace": f"lake/incoming/{database}",
        "folder": f"mapped/{database}",
        "try": "",
        "dropped": "''",
    }
    nothing = f"s3://lake/nothing/{database}/"
    filled = re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], nothing), statement)
    return athena.run(filled)


def put(athena: Athena, database: str, name: str, body: bytes) -> None:
    """`name`: <kind>/<file>. As a run copies what is new, in a folder of the object's name."""
    kind, _, file = name.partition("/")
    key = f"incoming/{database}/{kind}/object=o-{file}/{file}"
    athena.s3.put_object(Bucket="lake", Key=key, Body=body)


@pytest.mark.parametrize("name", shops.NAMES)
def test_a_shops_files_become_the_five_tables(athena: Athena, name: str) -> None:
    mapping = shops.mapping(name)
    athena.glue.create_database(DatabaseInput={"Name": name})
    for key, body in shops.uploaded(name).items():
        put(athena, name, key, body)
    for statement in sql.statements(mapping):
        run(athena, name, statement.sql)
    found = {
        table: sorted(athena.rows(f"SELECT * FROM {name}.{table}"), key=str)
        for table in sql.tables(mapping)
    }
    for table in GROWING:  # are cleaned into the partition that the last column names: a part
        parts = athena.rows(f"SELECT object, is_new FROM {name}.parts_{table}")
        assert {(row[-1], "true") for row in found[table]} == {(one, new) for one, new in parts}
        found[table] = sorted((row[:-1] for row in found[table]), key=str)
    assert found == shops.expected(name)


@pytest.mark.parametrize("name", shops.NAMES)
def test_a_mapping_is_short(name: str) -> None:
    lines = (shops.SHOPS / name / "mapping.toml").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) < 30, Path(name)
