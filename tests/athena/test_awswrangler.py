"""awswrangler works unchanged: catalog, read_sql_query with and without CTAS, UNLOAD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

wr = pytest.importorskip("awswrangler")


@pytest.fixture
def session(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 session whose clients all speak to the local server."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for service in ("s3", "glue", "athena", "sts"):
        setattr(wr.config, f"{service}_endpoint_url", server.url)
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name=server.region
    )
    session.client("s3", endpoint_url=server.url).create_bucket(Bucket="lake")
    wr.catalog.create_database("shop", boto3_session=session)
    yield session
    for service in ("s3", "glue", "athena", "sts"):
        wr.config.reset(f"{service}_endpoint_url")


def test_a_table_written_by_awswrangler_is_read_back_three_ways(session: Any) -> None:
    orders = pd.DataFrame(
        {"order_id": [1, 2, 3], "dow": ["mon", "tue", "mon"], "share": [0.5, None, 2.0]}
    )
    wr.s3.to_parquet(
        orders,
        path="s3://lake/orders/",
        dataset=True,
        database="shop",
        table="orders",
        partition_cols=["dow"],
        boto3_session=session,
    )

    for how in (
        {"ctas_approach": False},
        {"ctas_approach": True},
        {"ctas_approach": False, "unload_approach": True},
    ):
        found = wr.athena.read_sql_query(
            "SELECT order_id, share, dow FROM orders WHERE dow = 'mon' ORDER BY order_id",
            database="shop",
            s3_output=f"s3://lake/athena-results/{len(str(how))}/",
            boto3_session=session,
            **how,
        )
        assert sorted(found["order_id"].tolist()) == [1, 3], how
        assert sorted(found["share"].tolist()) == [0.5, 2.0]

    assert wr.catalog.get_table_types("shop", "orders", boto3_session=session) == {
        "order_id": "bigint",
        "share": "double",
        "dow": "string",
    }
    assert len(wr.catalog.get_partitions("shop", "orders", boto3_session=session)) == 2
    assert [t["Name"] for t in wr.catalog.get_tables(database="shop", boto3_session=session)] == [
        "orders"
    ]


def test_a_failed_query_raises_with_athenas_message(session: Any) -> None:
    with pytest.raises(
        wr.exceptions.QueryFailed,
        match=r"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.shop.nope' does not exist",
    ):
        wr.athena.read_sql_query(
            "SELECT * FROM nope",
            database="shop",
            ctas_approach=False,
            s3_output="s3://lake/athena-results/",
            boto3_session=session,
        )


def test_repair_describe_and_drop(session: Any) -> None:
    wr.athena.start_query_execution(
        "CREATE EXTERNAL TABLE shop.days (a int) PARTITIONED BY (dt string) STORED AS PARQUET "
        "LOCATION 's3://lake/days/'",
        s3_output="s3://lake/r/",
        boto3_session=session,
        wait=True,
    )
    wr.s3.to_parquet(
        pd.DataFrame({"a": pd.Series([1], dtype="int32")}),
        path="s3://lake/days/dt=x/f.parquet",
        boto3_session=session,
    )

    assert (
        wr.athena.repair_table(
            "days", database="shop", s3_output="s3://lake/r/", boto3_session=session
        )
        == "SUCCEEDED"
    )

    found = wr.athena.read_sql_query(
        "SELECT * FROM days",
        database="shop",
        ctas_approach=False,
        s3_output="s3://lake/r/",
        boto3_session=session,
    )
    assert found.to_dict("records") == [{"a": 1, "dt": "x"}]
    described = wr.athena.describe_table(
        "days", database="shop", s3_output="s3://lake/r/", boto3_session=session
    )
    assert described["Column Name"].tolist() == ["a", "dt"]
    assert wr.catalog.delete_table_if_exists("shop", "days", boto3_session=session)


def test_a_csv_table_written_by_awswrangler_is_read_with_its_escapes(session: Any) -> None:
    """Its CSV tables have `escape.delim`."""
    frame = pd.DataFrame({"id": [1, 2], "text": ["a,b", "c"]})
    wr.s3.to_csv(
        frame,
        path="s3://lake/csv/",
        dataset=True,
        index=False,
        database="shop",
        table="texts",
        escapechar="\\",
        quoting=3,
        boto3_session=session,
    )
    found = wr.athena.read_sql_query(
        "SELECT id, text FROM texts ORDER BY id",
        database="shop",
        ctas_approach=False,
        s3_output="s3://lake/r/",
        boto3_session=session,
    )
    assert found.to_dict("list") == {"id": [1, 2], "text": ["a,b", "c"]}
