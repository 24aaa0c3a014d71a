"""Iceberg tables: written by Athena and read by pyiceberg, and the other way round."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, StringType

from localaws.athena.iceberg import hashing, plan
from tests.athena.conftest import Athena, services
from tests.athena.iceberg_io import catalog

CREATE = (
    "CREATE TABLE {name} (id bigint, ts timestamp, name string, tags array<string>, "
    "price decimal(9,2)) PARTITIONED BY (day(ts), bucket(4, id)) LOCATION 's3://lake/{name}/' "
    "TBLPROPERTIES ('table_type' = 'ICEBERG', 'write_compression' = 'snappy')"
)
ROWS = (
    "INSERT INTO {name} VALUES (1, TIMESTAMP '2024-01-01 10:00:00.123456', 'a', ARRAY['x', 'y'], "
    "DECIMAL '1.50'), (2, TIMESTAMP '2024-01-02 00:00:00', 'b', NULL, DECIMAL '2.50'), "
    "(3, TIMESTAMP '2024-01-02 12:00:00', NULL, ARRAY[], NULL)"
)
SECOND = "CREATE TABLE {name} WITH (table_type = 'ICEBERG', is_external = false, {more}) AS {query}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Athena]:
    """One for all: its worker has pyiceberg at hand."""
    with services(tmp_path_factory.mktemp("iceberg")) as local:
        made = Athena(local)
        made.s3.create_bucket(Bucket="lake")
        made.glue.create_database(DatabaseInput={"Name": "shop"})
        yield made


@pytest.fixture
def athena(running: Athena) -> Athena:
    """With neither tables nor objects."""
    for found in running.glue.get_tables(DatabaseName="shop")["TableList"]:
        running.glue.delete_table(DatabaseName="shop", Name=found["Name"])
    for key in running.keys(""):
        running.s3.delete_object(Bucket="lake", Key=key)
    return running


def table(athena: Any, name: str = "events") -> None:
    athena.run(CREATE.format(name=name))
    athena.run(ROWS.format(name=name))


def ctas(athena: Any, name: str, query: str, **properties: str) -> None:
    given = {"location": f"'s3://lake/{name}/'", **properties}
    more = ", ".join(f"{key} = {value}" for key, value in given.items())
    athena.run(SECOND.format(name=name, more=more, query=query))


def test_rows_change_and_pyiceberg_reads_what_athena_wrote(athena: Any) -> None:
    table(athena)
    found = athena.run(
        "UPDATE events SET name = upper(name) || '!', price = CAST(price * 2 AS decimal(9, 2)) "
        "WHERE id < 3"
    )
    answer = athena.client.get_query_results(QueryExecutionId=found["QueryExecutionId"])
    assert (answer["UpdateCount"], answer["ResultSet"]["Rows"]) == (2, [])
    athena.run("DELETE FROM events WHERE ts >= TIMESTAMP '2024-01-02 01:00:00'")
    athena.run(
        "MERGE INTO events t USING (VALUES (1, 'one'), (2, 'gone'), (9, 'new')) AS s(id, name) "
        "ON t.id = s.id WHEN MATCHED AND s.name = 'gone' THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET name = s.name "
        "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)"
    )

    assert athena.rows("SELECT id, ts, name, tags, price FROM events ORDER BY id") == [
        ["1", "2024-01-01 10:00:00.123456", "one", "[x, y]", "3.00"],
        ["9", None, "new", None, None],
    ]
    read = catalog(athena.local).load_table("shop.events").scan().to_arrow().sort_by("id")
    assert read.to_pylist() == [
        {
            "id": 1,
            "ts": datetime(2024, 1, 1, 10, 0, 0, 123456),
            "name": "one",
            "tags": ["x", "y"],
            "price": Decimal("3.00"),
        },
        {"id": 9, "ts": None, "name": "new", "tags": None, "price": None},
    ]
    twice = "(VALUES (1, 'x'), (1, 'y')) AS s(id, name)"
    assert athena.failure(
        f"MERGE INTO events t USING {twice} ON t.id = s.id WHEN MATCHED THEN DELETE"
    ).startswith("MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than")
    entry = athena.glue.get_table(DatabaseName="shop", Name="events")["Table"]
    assert entry["TableType"] == "EXTERNAL_TABLE"
    assert entry["Parameters"]["table_type"] == "ICEBERG"
    assert entry["Parameters"]["metadata_location"].startswith("s3://lake/events/metadata/00004-")
    assert entry["StorageDescriptor"]["Columns"][0]["Parameters"] == {
        "iceberg.field.id": "1", "iceberg.field.optional": "true", "iceberg.field.current": "true",
    }  # fmt: skip


def test_every_type_goes_to_pyiceberg_and_back(athena: Any) -> None:
    ctas(
        athena,
        "kinds",
        "SELECT * FROM (VALUES (1, DATE '1969-12-31', 'abc', true, REAL '1.5', DOUBLE '2.5', "
        "TIMESTAMP '2020-01-01 00:00:00 Europe/Berlin', "
        "TIME '01:02:03.123456', "
        "CAST('z' AS varbinary), MAP(ARRAY['k'], ARRAY[TIMESTAMP '2020-01-01 00:00:00 UTC']), "
        "CAST(ROW(1, ARRAY['x']) AS ROW(a int, b array(varchar))), "
        "DECIMAL '12345678901234567890'), "
        "(2, NULL, 'abd', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) "
        "AS t(i, d, s, b, r, f, z, t, v, m, o, n)",
        partitioning="ARRAY['month(d)', 'truncate(s, 2)']",
    )
    assert athena.rows("SELECT * FROM kinds ORDER BY i") == [
        ["1", "1969-12-31", "abc", "true", "1.5", "2.5", "2019-12-31 23:00:00.000000 UTC",
         "01:02:03.123456", "7a", "{k=2020-01-01 00:00:00.000000 UTC}", "{a=1, b=[x]}",
         "12345678901234567890"],
        ["2", None, "abd", *[None] * 9],
    ]  # fmt: skip
    found = catalog(athena.local).load_table("shop.kinds")
    read = found.scan().to_arrow().sort_by("i").to_pylist()
    assert read[0]["d"] == date(1969, 12, 31)
    assert read[0]["z"].isoformat() == "2019-12-31T23:00:00+00:00"
    assert read[0]["o"] == {"a": 1, "b": ["x"]}
    assert read[1]["m"] is None
    assert [str(field.transform) for field in found.spec().fields] == ["month", "truncate[2]"]
    assert athena.rows('SELECT partition FROM "kinds$partitions" ORDER BY record_count, 1') == [
        ["{d_month=-1, s_trunc=ab}"],
        ["{d_month=null, s_trunc=ab}"],
    ]
    athena.run("INSERT INTO kinds (i, o) VALUES (3, ROW(7, NULL))")  # a row without names
    assert athena.rows("SELECT o.a FROM kinds WHERE i = 3") == [["7"]]


def test_athena_reads_what_pyiceberg_evolved_and_writes_in_its_new_partitions(athena: Any) -> None:
    lake = catalog(athena.local)
    schema = pa.schema([("id", pa.int64()), ("Kind", pa.string()), ("old", pa.int32())])
    made = lake.create_table("shop.grown", schema, location="s3://lake/grown")
    made.append(pa.table({"id": [1, 2], "Kind": ["a", "b"], "old": [1, 2]}, schema=schema))
    with made.update_schema() as change:
        change.rename_column("Kind", "label")
        change.delete_column("old")
        change.update_column("id", LongType())
        change.add_column("old", StringType())  # of the same name, and another column
    with made.update_spec() as spec:
        spec.add_field("label", IdentityTransform(), "label")
    made.append(pa.table({"id": [3], "label": ["c"], "old": ["x"]}))

    athena.run("INSERT INTO grown VALUES (4, 'd', 'y')")
    athena.run("UPDATE grown SET old = 'u' WHERE label IN ('a', 'c')")

    assert athena.rows("SELECT * FROM grown ORDER BY id") == [
        ["1", "a", "u"], ["2", "b", None], ["3", "c", "u"], ["4", "d", "y"],
    ]  # fmt: skip
    read = lake.load_table("shop.grown").scan(row_filter="label = 'a'").to_arrow().to_pylist()
    assert read == [{"id": 1, "label": "a", "old": "u"}]
    assert athena.rows('SELECT partition.label FROM "grown$partitions" ORDER BY 1') == [
        ["a"], ["c"], ["d"], [None],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hashed", "expected"),  # https://iceberg.apache.org/spec/#appendix-b-32-bit-hash
    [
        (hashing.of_number(34), 2017239379),
        (hashing.of_number(17486), -653330422),  # 2017-11-16 in days
        (hashing.of_decimal("14.20"), -500754589),
        (hashing.of_bytes(b"iceberg"), 1210000089),
        (hashing.of_bytes(bytes([0, 1, 2, 3])), -188683207),
        (hashing.of_uuid("f79c3e09-677c-4bbd-a479-3f349cb785e7"), 1488055340),
    ],
)
def test_buckets_are_those_of_the_specification(hashed: int, expected: int) -> None:
    assert hashed == expected & 0x7FFFFFFF


def test_snapshots_can_be_read_again(athena: Any) -> None:
    table(athena)
    athena.run("ALTER TABLE events DROP COLUMN tags")
    athena.run("DELETE FROM events WHERE id = 1")
    [first], [second] = athena.rows(
        'SELECT snapshot_id FROM "events$snapshots" ORDER BY committed_at'
    )
    count = "SELECT count(*) FROM events FOR "

    assert athena.rows(f"{count}VERSION AS OF {first}") == [["3"]]
    assert athena.rows(f"{count}VERSION AS OF 'main'") == [["2"]]
    assert athena.rows(f"SELECT tags FROM events FOR VERSION AS OF {first} WHERE id = 1") == [
        ["[x, y]"]
    ]
    assert athena.rows(f"{count}TIMESTAMP AS OF current_timestamp") == [["2"]]
    error = athena.failure(f"{count}TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'")
    told = "INVALID_ARGUMENTS: line 1:22: No version history table shop.events at or before 2001"
    assert error.startswith(told)
    assert "snapshot ID does not exists: 12" in athena.failure(f"{count}VERSION AS OF 12")
    assert athena.rows(
        'SELECT operation, parent_id FROM "events$snapshots" ORDER BY committed_at'
    ) == [["append", None], ["delete", first]]
    assert athena.rows('SELECT name, type, snapshot_id FROM "events$refs"') == [
        ["main", "BRANCH", second]
    ]
    assert athena.rows('SELECT is_current_ancestor FROM "events$history"') == [["true"]] * 2
    assert athena.rows(
        "SELECT content, sum(added_data_files_count), sum(added_rows_count) "
        'FROM "events$manifests" GROUP BY content ORDER BY 1'
    ) == [["0", "3", "3"], ["1", "1", "1"]]
    assert athena.rows(
        'SELECT content, record_count, lower_bounds[1] FROM "events$files" '
        "WHERE content = 0 ORDER BY 3"
    ) == [["0", "1", "1"], ["0", "1", "2"], ["0", "1", "3"]]


def test_files_that_a_condition_excludes_are_not_read(athena: Any) -> None:
    table(athena)
    whole = athena.run("SELECT name FROM events")["Statistics"]["DataScannedInBytes"]
    for condition in (
        "ts >= DATE '2024-01-02' AND ts < TIMESTAMP '2024-01-02 06:00:00'",  # a partition's day
        "id = 2",  # a bucket
        "price BETWEEN DECIMAL '2.00' AND DECIMAL '3.00'",  # the bounds of files
    ):
        found = athena.run(f"SELECT name FROM events WHERE {condition}")
        assert 0 < found["Statistics"]["DataScannedInBytes"] < whole * 2, condition
        assert athena.rows(f"SELECT name FROM events WHERE {condition}") == [["b"]]
    # What is asked of a row inside says nothing of the rows outside.
    assert athena.rows(
        "SELECT count(*) FROM events e WHERE NOT EXISTS "
        "(SELECT 1 FROM (VALUES 1) AS o(n) WHERE e.id = 2)"
    ) == [["2"]]


def test_upkeep_keeps_the_rows_and_takes_away_only_what_is_the_tables(athena: Any) -> None:
    ctas(athena, "log", "SELECT 1 AS n, 'a' AS part", partitioning="ARRAY['part']")
    for n in range(2, 7):
        athena.run(f"INSERT INTO log VALUES ({n}, '{'ab'[n % 2]}')")
    athena.run("DELETE FROM log WHERE n = 2")
    athena.put("log/data/mine.txt", "not the table's")
    before = athena.keys("log/data/")
    athena.run("ALTER TABLE log SET TBLPROPERTIES ('optimize_rewrite_data_file_threshold' = '3')")

    athena.run("OPTIMIZE log REWRITE DATA USING BIN_PACK WHERE part = 'a'")
    assert athena.rows("SELECT n FROM log ORDER BY n") == [[str(n)] for n in (1, 3, 4, 5, 6)]
    assert athena.rows(
        'SELECT operation FROM "log$snapshots" ORDER BY committed_at DESC LIMIT 1'
    ) == [["replace"]]
    assert athena.rows('SELECT partition.part, file_count FROM "log$partitions" ORDER BY 1') == [
        ["a", "1"],
        ["b", "2"],
    ]

    athena.run(
        "ALTER TABLE log SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '1', "
        "'vacuum_min_snapshots_to_keep' = '1')"
    )
    wait_until(lambda: athena.local.clock.now().timestamp() > made(athena, "log") + 1)
    athena.run("VACUUM log")
    wait_until(lambda: len(athena.keys("log/data/")) == 4)
    assert set(athena.keys("log/data/")) & set(before) >= {"log/data/mine.txt"}
    assert athena.rows('SELECT count(*) FROM "log$snapshots"') == [["1"]]
    assert len(catalog(athena.local).load_table("shop.log").scan().to_arrow()) == 5

    athena.run("DROP TABLE log")
    wait_until(lambda: athena.keys("log/") == ["log/data/mine.txt"])


def made(athena: Any, name: str) -> float:
    snapshot = catalog(athena.local).load_table(f"shop.{name}").current_snapshot()
    return float(snapshot.timestamp_ms) / 1000 if snapshot else 0.0


def wait_until(done: Any) -> None:
    event = threading.Event()
    for _ in range(6000):
        if done():
            return
        event.wait(0.01)
    raise AssertionError("it did not come to pass within a minute")


def test_statements_of_one_table_wait_and_other_writers_are_met_at_the_commit(
    athena: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(athena)
    started = [athena.start(f"INSERT INTO events (id) VALUES ({n})") for n in range(10, 16)]
    states = {athena.wait(one)["Status"]["State"] for one in started}
    assert states == {"SUCCEEDED"}
    assert athena.rows("SELECT count(*) FROM events WHERE id >= 10") == [["6"]]

    entry = athena.glue.get_table(DatabaseName="shop", Name="events")["Table"]
    kept = {key: entry[key] for key in ("Name", "TableType", "Parameters", "StorageDescriptor")}
    with pytest.raises(athena.glue.exceptions.ConcurrentModificationException):
        athena.glue.update_table(DatabaseName="shop", TableInput=kept, VersionId="0")

    adopt, before = plan.adopt, athena.keys("events/")

    def meanwhile(*given: Any) -> None:
        adopt(*given)
        athena.glue.update_table(DatabaseName="shop", TableInput=kept)

    monkeypatch.setattr(plan, "adopt", meanwhile)
    assert athena.failure("DELETE FROM events WHERE id = 10") == (
        "ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: shop.events"
    )
    wait_until(lambda: athena.keys("events/") == before)
    assert athena.rows("SELECT count(*) FROM events WHERE id >= 10") == [["6"]]


REFUSED = [
    # Recorded on Athena v3, 2026-09.
    ("ALTER TABLE events REPLACE COLUMNS (a int)",
     "NOT_SUPPORTED: Query type not supported by Athena Iceberg at this time"),
    ("MSCK REPAIR TABLE events",
     "NOT_SUPPORTED: Query type not supported by Athena Iceberg at this time"),
    ("ALTER TABLE events SET TBLPROPERTIES ('comment' = 'x')",
     "NOT_SUPPORTED: Unsupported table property key: comment"),
    ("UPDATE events SET nope = 1",
     "COLUMN_NOT_FOUND: line 1:19: The UPDATE SET target column nope doesn't exist"),
    ("ALTER TABLE plain RENAME TO other", "FAILED: Query type not supported by DDL engine."),
    ("ALTER TABLE plain DROP COLUMN a",
     "FAILED: ParseException line 1:23 mismatched input 'COLUMN' expecting PARTITION near 'DROP' "
     "in drop partition statement"),
    # Trino, and the guide: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html
    ("UPDATE events SET id = 'x'", "TYPE_MISMATCH: UPDATE table column types don't match SET "
     "expressions: Table: [bigint], Expressions: [varchar(1)]"),
    ("DELETE FROM plain", "NOT_SUPPORTED: Modifying Hive table rows is only supported for"),
    ("ALTER TABLE events CHANGE COLUMN id id int", "INVALID_ARGUMENTS: Cannot change column type"),
    ("CREATE TABLE bad (a tinyint) LOCATION 's3://lake/bad/' TBLPROPERTIES "
     "('table_type' = 'ICEBERG')", "NOT_SUPPORTED: Type not supported for Iceberg: tinyint"),
    ("CREATE TABLE bad (a int) PARTITIONED BY (year(a)) LOCATION 's3://lake/bad/' TBLPROPERTIES "
     "('table_type' = 'ICEBERG')", "INVALID_ARGUMENTS: Invalid source type int for transform"),
    ("CREATE TABLE bad (t date) PARTITIONED BY (year(t), month(t)) LOCATION 's3://lake/bad/' "
     "TBLPROPERTIES ('table_type' = 'ICEBERG')", "INVALID_ARGUMENTS: Cannot add redundant"),
    ("CREATE TABLE bad (a int) LOCATION 's3://lake/bad/' TBLPROPERTIES ('table_type' = 'ICEBERG', "
     "'format' = 'ORC')", "NOT_SUPPORTED: localaws does not emulate Iceberg tables in ORC"),
    ("CREATE TABLE bad WITH (table_type = 'ICEBERG', is_external = false, "
     "location = 's3://lake/events/') AS SELECT 1 AS a",
     "ICEBERG_FILESYSTEM_ERROR: Cannot create a table on a non-empty location: s3://lake/events"),
    ("INSERT INTO events (id, ts) SELECT n, CAST(date_add('day', n, DATE '2024-01-01') AS "
     "timestamp) FROM UNNEST(sequence(1, 101)) AS t(n)",
     "ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions"),
]  # fmt: skip


def test_what_is_refused_leaves_the_table_and_its_objects_as_they_were(athena: Any) -> None:
    table(athena)
    athena.put("plain/a.txt", "1\n")
    athena.run("CREATE EXTERNAL TABLE plain (a int) LOCATION 's3://lake/plain/'")
    before = athena.keys("")
    for sql, error in REFUSED:
        assert athena.failure(sql).startswith(error), sql
    kept = [key for key in athena.keys("") if not key.startswith("athena-results/")]
    assert kept == [key for key in before if not key.startswith("athena-results/")]
    at_once = athena.client.exceptions.InvalidRequestException
    with pytest.raises(at_once, match="mismatched input 'SYSTEM_TIME'"):
        athena.start("SELECT * FROM events FOR SYSTEM_TIME AS OF current_timestamp")
    with pytest.raises(at_once, match="External keyword not supported for table type ICEBERG"):
        athena.start(
            "CREATE EXTERNAL TABLE bad (a int) LOCATION 's3://lake/bad/' "
            "TBLPROPERTIES ('table_type' = 'ICEBERG')"
        )


def test_tables_are_altered_and_described(athena: Any) -> None:
    table(athena)
    athena.run("ALTER TABLE events ADD COLUMNS (extra struct<a:int,b:string> COMMENT 'more')")
    athena.run("ALTER TABLE events CHANGE COLUMN name label string FIRST")
    athena.run("ALTER TABLE events CHANGE price price decimal(11,2) AFTER id")
    athena.run("ALTER TABLE events DROP COLUMN tags")
    athena.run("ALTER TABLE events SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = '3')")
    athena.run("ALTER TABLE events RENAME TO happenings")
    athena.run("ALTER TABLE happenings UNSET TBLPROPERTIES ('vacuum_min_snapshots_to_keep')")

    assert athena.rows("SELECT * FROM happenings ORDER BY id LIMIT 1") == [
        ["a", "1", "1.50", "2024-01-01 10:00:00.123456", None]
    ]
    assert [line for [line] in athena.rows("DESCRIBE happenings")] == [
        "# Table schema:\t\t", "# col_name\tdata_type\tcomment", "label\tstring\t",
        "id\tbigint\t", "price\tdecimal(11, 2)\t", "ts\ttimestamp\t",
        "extra\tstruct<a: int, b: string>\tmore", "\t\t", "# Partition spec:\t\t",
        "# field_name\tfield_transform\tcolumn_name", "ts_day\tday\tts",
        "id_bucket\tbucket[4]\tid",
    ]  # fmt: skip
    assert [line for [line] in athena.rows("SHOW CREATE TABLE happenings")] == [
        "CREATE TABLE shop.happenings (", "  label string,", "  id bigint,",
        "  price decimal(11, 2),", "  ts timestamp,",
        "  extra struct<a: int, b: string> COMMENT 'more')",
        "PARTITIONED BY (day(ts), bucket(4, id))", "LOCATION 's3://lake/events'",
        "TBLPROPERTIES (", "  'table_type'='iceberg',", "  'format'='PARQUET',",
        "  'write_compression'='SNAPPY'", ");",
    ]  # fmt: skip
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'happenings'"
    assert [name for [name] in athena.rows(columns)] == ["label", "id", "price", "ts", "extra"]
