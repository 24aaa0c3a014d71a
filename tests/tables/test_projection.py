"""Partition projection: partitions from a table's properties.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from localaws.tables.errors import TableError
from localaws.tables.projection import Projection, enabled
from tests.athena.conftest import Athena
from tests.conftest import cases

NOW = datetime(2024, 3, 31, 13, 45, 30, tzinfo=UTC)


@pytest.mark.parametrize("case", cases("partition_projection"), ids=itemgetter("why"))
def test_the_values_of_a_column(case: dict[str, Any]) -> None:
    table = {
        "DatabaseName": "db",
        "Name": "t",
        "PartitionKeys": [{"Name": "k", "Type": case.get("type", "string")}],
        "StorageDescriptor": {"Location": "s3://lake/t"},
        "Parameters": {
            "projection.enabled": "true",
            **{f"projection.k.{key}": value for key, value in case["properties"].items()},
            **case.get("table", {}),
        },
    }
    projection = Projection(table, NOW)
    if "error" in case:
        with pytest.raises(TableError) as caught:
            projection.partitions("r1", (), lambda *_: [])
        assert str(caught.value).startswith(case["error"])
        return
    found = projection.partitions("r1", (), lambda *_: [])
    assert [partition["Values"][0] for partition in found] == case["values"]
    if "locations" in case:
        places = [partition["StorageDescriptor"]["Location"] for partition in found]
        assert places == case["locations"]


def test_what_is_neither_true_nor_false_is_refused() -> None:
    """Taken for false, the table would be empty in silence."""
    table = {"DatabaseName": "db", "Name": "t", "Parameters": {"projection.enabled": "maybe"}}
    with pytest.raises(TableError, match=r"projection\.enabled is true or false, not 'maybe'"):
        enabled(table)


@pytest.fixture
def athena(tmp_path: Path) -> Iterator[Athena]:
    from localaws.core.aws import start
    from localaws.services import factories

    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    running = start(tmp_path / "home", wanted, url="http://127.0.0.1:9", wait_scale=0)
    made = Athena(running)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    yield made
    running.stop()


def test_a_projected_table_is_read_by_its_conditions(athena: Athena) -> None:
    today = datetime.now(UTC)
    days = [today - timedelta(days=back) for back in range(3)]
    for number, day in enumerate(days):
        athena.put(f"logs/eu/{day:%Y/%m/%d}/{number:02d}/x.txt", f"{number}\n")
        athena.put(f"logs/us/{day:%Y/%m/%d}/{number:02d}/x.txt", f"{number + 10}\n")
    athena.put(f"logs/asia/{today:%Y/%m/%d}/00/x.txt", "99\n")  # no value of the projection
    athena.run(
        "CREATE EXTERNAL TABLE logs (n int) PARTITIONED BY (region string, day date, h int) "
        "LOCATION 's3://lake/logs/' TBLPROPERTIES ('projection.enabled' = 'true', "
        "'projection.region.type' = 'enum', 'projection.region.values' = 'eu,us', "
        "'projection.day.type' = 'date', 'projection.day.format' = 'yyyy/MM/dd', "
        "'projection.day.range' = 'NOW-30DAYS,NOW', "
        "'projection.h.type' = 'integer', 'projection.h.range' = '0,23', "
        "'projection.h.digits' = '2', "
        "'storage.location.template' = 's3://lake/logs/${region}/${day}/${h}/')"
    )

    yesterday = f"{days[1]:%Y-%m-%d}"
    assert athena.rows("SELECT n FROM logs WHERE region = 'eu' ORDER BY n") == [["0"], ["1"], ["2"]]
    assert athena.rows(
        f"SELECT n, region, day, h FROM logs WHERE day = DATE '{yesterday}' ORDER BY n"
    ) == [["1", "eu", yesterday, "1"], ["11", "us", yesterday, "1"]]
    assert athena.rows("SELECT n FROM logs WHERE h > 1 AND region <> 'eu'") == [["12"]]
    assert athena.rows("SELECT n FROM logs WHERE region = 'asia'") == []
    assert athena.rows("SHOW PARTITIONS logs") == []  # the catalog's alone


def test_an_injected_column_needs_a_static_condition(athena: Athena) -> None:
    for device in ("a", "b", "c"):
        athena.put(f"devices/device={device}/x.txt", f"{device}\n")
    athena.run(
        "CREATE EXTERNAL TABLE devices (v string) PARTITIONED BY (device string) "
        "LOCATION 's3://lake/devices/' TBLPROPERTIES ('projection.enabled' = 'true', "
        "'projection.device.type' = 'injected')"
    )

    assert athena.rows("SELECT v FROM devices WHERE device = 'b'") == [["b"]]
    assert athena.rows(
        "SELECT v FROM devices WHERE device IN ('a', 'zz') OR device = 'c' ORDER BY v"
    ) == [["a"], ["c"]]
    for condition in ("", " WHERE device > 'a'", " WHERE device = 'a' OR v = 'b'"):
        assert athena.failure(f"SELECT v FROM devices{condition}") == (
            "CONSTRAINT_VIOLATION: For the injected projected partition column device, the WHERE "
            "clause must contain only static equality conditions, and at least one such condition "
            "must be present."
        )
