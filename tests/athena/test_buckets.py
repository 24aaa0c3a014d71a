"""Bucketed tables: written by the hash of their columns as Hive has it, and read."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.athena.buckets import bucket_of
from tests.athena.conftest import Athena

ALL = 0x7FFFFFFF


# Worked out from the definitions in Java: String.hashCode over bytes, Long, Float, Double.
@pytest.mark.parametrize(
    ("kinds", "values", "hashed"),
    [
        (["varchar"], ["abc"], 96354),
        (["varchar"], [""], 0),
        (["varchar"], ["test string"], -318923937 & ALL),
        (["integer"], ["-5"], -5 & ALL),
        (["bigint"], [str(1 << 32)], 1),
        (["bigint"], ["-1"], 0),
        (["double"], ["12.34"], 986311098),
        (["double"], ["-0.0"], 0),
        (["real"], ["12.34"], 1095069860),
        (["boolean"], ["true"], 1),
        (["date"], ["365"], 365),
        (["varchar"], [None], 0),
        (["integer", "varchar"], ["2", "a"], 2 * 31 + 97),
    ],
)
def test_a_row_belongs_to_a_bucket(kinds: list[str], values: list[Any], hashed: int) -> None:
    assert bucket_of(kinds, values, ALL) == hashed % ALL
    assert bucket_of(kinds, values, 7) == hashed % 7


def test_a_table_is_written_in_buckets_and_read_again(athena: Athena) -> None:
    athena.run(
        "CREATE TABLE sold WITH (partitioned_by = ARRAY['day'], bucketed_by = ARRAY['id'], "
        "bucket_count = 4) AS SELECT x AS id, x * 2 AS amount, x % 2 AS day "
        "FROM UNNEST(sequence(1, 40)) AS t (x)"
    )

    assert athena.rows("SELECT count(*), sum(amount) FROM sold") == [["40", "1640"]]
    files = athena.rows('SELECT DISTINCT "$path", id % 4 FROM sold')
    assert {(path.rpartition("/")[2][:6], rest) for path, rest in files} == {  # type: ignore[union-attr]
        (f"{bucket:06d}", str(bucket)) for bucket in range(4)
    }
    place = athena.glue.get_table(DatabaseName="shop", Name="sold")["Table"]["StorageDescriptor"]
    assert (place["BucketColumns"], place["NumberOfBuckets"]) == (["id"], 4)
    assert athena.failure("INSERT INTO sold SELECT 1, 2, 3") == (
        "NOT_SUPPORTED: INSERT INTO is not supported on bucketed tables"
    )


def test_a_bucketed_table_is_declared_over_files(athena: Athena) -> None:
    for bucket in range(2):
        athena.put(f"t/00000{bucket}_0", f"{bucket}\n{bucket + 2}\n")
    athena.run(
        "CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) SORTED BY (a DESC) INTO 2 BUCKETS "
        "LOCATION 's3://lake/t/'"
    )

    assert athena.rows("SELECT a FROM t ORDER BY a") == [["0"], ["1"], ["2"], ["3"]]
    shown = [row[0] for row in athena.rows("SHOW CREATE TABLE t")]
    at = shown.index("CLUSTERED BY ( ")
    assert shown[at : at + 5] == [
        "CLUSTERED BY ( ", "  a) ", "SORTED BY ( ", "  a DESC) ", "INTO 2 BUCKETS",
    ]  # fmt: skip

    athena.put("t/more", "9\n")  # of no bucket, and one file too many
    assert athena.failure("SELECT a FROM t").startswith(
        "HIVE_INVALID_BUCKET_FILES: Hive table 'shop.t' is corrupt. File 'more' does not match"
    )


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("bucketed_by = ARRAY['a']", "bucketed_by and bucket_count must be specified together"),
        ("bucketed_by = ARRAY['z'], bucket_count = 2", "Bucketing columns [z] not present"),
        ("bucketed_by = ARRAY['a'], bucket_count = 0", "bucket_count must be greater than 0"),
        ("bucketed_by = ARRAY['b'], bucket_count = 2", "Table bucketing column b has the type"),
    ],
)
def test_buckets_that_cannot_be_are_refused(athena: Athena, properties: str, message: str) -> None:
    sql = f"CREATE TABLE t WITH ({properties}) AS SELECT 1 AS a, ARRAY[1] AS b"
    assert message in athena.failure(sql)
