"""Glue Studio's own transforms, with the real Spark. What a case expects is what AWS's guide says
of the transform (docs.aws.amazon.com/glue/latest/dg/transforms-*.html)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localaws.core.jobs.job import JobFailed
from localaws.glue_jobs import studio

BUCKET = "s3://aws-glue-studio-transforms-510798373988-prod-us-east-1"
MOMENT = "2022-11-02T14:40:59Z"
SECONDS = 1667400059
AT = datetime(2022, 11, 2, 14, 40, 59, tzinfo=UTC).timestamp()

# The transform, its arguments, the rows before, and those after.
CASES: list[tuple[str, dict[str, Any], str, list[tuple[Any, ...]], list[tuple[Any, ...]]]] = [
    (
        "gs_concat",
        {"colName": "date", "colList": ["year", "month"], "spacer": "-"},
        "month string, year int",
        [("01", 2020), (None, 2020)],
        [("01", 2020, "2020-01"), (None, 2020, "2020-")],
    ),
    ("gs_derived", {"colName": "a", "expr": "a * 2"}, "a int", [(3,)], [(6,)]),
    (
        "gs_split",
        {"colName": "categories", "pattern": ",", "newColName": "arr"},
        "categories string",
        [("sports,winter",)],
        [("sports,winter", ["sports", "winter"])],
    ),
    (
        "gs_array_to_cols",
        {"colName": "a", "colList": "x, y"},
        "a array<string>",
        [(["1", "2", "3"],), (["1"],)],
        [(["1", "2", "3"], "1", "2"), (["1"], "1", None)],
    ),
    (
        "gs_array_to_cols",
        {"colName": "a", "colList": "y", "indexes": "2"},
        "a array<string>",
        [(["1", "2"],)],
        [(["1", "2"], "2")],
    ),
    (
        "gs_explode",
        {"colName": "category", "newCol": "category"},
        "id int, category array<string>",
        [(1, ["sports", "winter"]), (5, [])],
        [(1, "sports"), (1, "winter")],
    ),
    (
        "gs_explode",
        {"colName": "category", "newCol": "one", "outer": True},
        "id int, category array<string>",
        [(5, [])],
        [(5, [], None)],
    ),
    (
        "gs_null_rows",
        {},
        "a string, b array<int>",
        [(None, None), ("", None), (None, [])],
        [("", None), (None, [])],
    ),
    (
        "gs_null_rows",
        {"extended": True},
        "a string, b array<int>",
        [(None, None), ("", None), (None, []), (None, [1])],
        [(None, [1])],
    ),
    (
        "gs_regex_extract",
        {"colName": "d", "regex": r"(\d{4})-(\d\d)-(\d\d)", "newCols": "year,,day"},
        "d string",
        [("2020-01-02",), ("none",), (None,)],
        [("2020-01-02", "2020", "02"), ("none", "", ""), (None, None, None)],
    ),
    (
        "gs_regex_extract",
        {"colName": "d", "regex": "^.{1}", "newCols": "first"},
        "d string",
        [("B7",)],
        [("B7", "B")],
    ),
    (
        "gs_pivot",
        {"aggCol": "score", "aggFunction": "mean", "colList": ["measure"]},
        "id int, measure string, score int",
        [(1, "a", 2), (1, "a", 4), (1, "b", 5)],
        [(1, 3.0, 5.0)],
    ),
    (
        "gs_format_timestamp",
        {"colName": "`t`", "dateFormat": "%Y-%m-%d %H:%M", "newColName": "text"},
        "t date",
        [(datetime(2023, 1, 1).date(),)],
        [(datetime(2023, 1, 1).date(), "2023-01-01 00:00")],
    ),
]
MOMENTS = [
    ("seconds", "bigint", SECONDS),
    ("milliseconds", "bigint", SECONDS * 1000),
    ("microseconds", "string", str(SECONDS * 1000000)),
    ("iso", "string", MOMENT),
    ("autodetect", "string", MOMENT),
    ("autodetect", "bigint", SECONDS),
    ("autodetect", "bigint", SECONDS * 1000),
]


@pytest.fixture
def given(context: Any) -> Iterator[Any]:
    """Frames have all transforms, for this test."""
    from awsglue.dynamicframe import DynamicFrame
    from awsglue.studio import give
    from pyspark.sql import DataFrame

    for name in studio.TRANSFORMS:
        give(name)
    yield context
    for name in studio.TRANSFORMS:
        delattr(DataFrame, name)
        delattr(DynamicFrame, name)


def test_values_are_those_of_the_guide(given: Any) -> None:
    for name, arguments, schema, before, after in CASES:
        frame = given.spark_session.createDataFrame(before, schema)
        found = getattr(frame, name)(**arguments)
        assert [tuple(row) for row in found.collect()] == after, (name, arguments)


def test_moments_in_every_notation(given: Any) -> None:
    for kind, column, value in MOMENTS:
        frame = given.spark_session.createDataFrame([(value,)], f"v {column}")
        found = frame.gs_to_timestamp(colName="v", colType=kind, newColName="t")
        ((seconds,),) = found.selectExpr("unix_seconds(t)").collect()
        assert seconds == AT, (kind, value)


def test_a_dynamic_frame_has_them_too(given: Any) -> None:
    from awsglue.dynamicframe import DynamicFrame

    nested = "phone struct<home: struct<code: int, number: string>, work: int>"
    df = given.spark_session.createDataFrame([(((1, "2"), 3),)], nested)
    frame = DynamicFrame.fromDF(df, given, "phones")
    assert frame.gs_flatten().toDF().columns == [
        "phone.home.code",
        "phone.home.number",
        "phone.work",
    ]
    assert frame.gs_flatten(maxLevels=1, separator="_").toDF().columns == [
        "phone_home",
        "phone_work",
    ]
    made = frame.gs_now(dateFormat="%Y").gs_uuid().gs_sequence_id().gs_repartition("2")
    assert made.name == "phones"
    assert made.getNumPartitions() == 2
    assert made.toDF().dtypes[1:] == [("timestamp", "string"), ("uuid", "string"), ("id", "bigint")]
    ((row),) = made.toDF().collect()
    assert (len(row["timestamp"]), len(row["uuid"])) == (4, 36)
    assert frame.gs_sequence_id(unique=True).toDF().dtypes[-1] == ("id", "decimal(38,0)")
    with pytest.raises(NotImplementedError, match="nullMark in gs_concat"):
        frame.gs_concat(colName="x", colList=["phone"], nullMark="-")


def test_modules_are_named_as_on_aws(tmp_path: Path) -> None:
    assert studio.transform(f"{BUCKET}/gs_now.py") == "gs_now"
    assert studio.transform("s3://lake/gs_now.py") is None
    studio.write_module("gs_common", tmp_path)
    assert (tmp_path / "gs_common.py").exists()
    with pytest.raises(JobFailed, match="does not emulate Glue Studio's gs_lookup"):
        studio.write_module("gs_lookup", tmp_path)
