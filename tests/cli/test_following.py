"""What `start --wait` and `watch` tell of a run: the rows it has written."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from rebuy.cli.following import count_rows


def test_rows_are_those_of_the_parquet_files_and_of_no_other(aws: Any) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake")
    for key, rows in {
        "sets/a.parquet": 3,
        "sets/more/b.parquet": 2,
        "sets/_temporary": 5,
        "sets/.hidden": 5,
        "sets/summary/c.parquet": 5,
        "other/d.parquet": 5,
    }.items():
        file = io.BytesIO()
        parquet.write_table(pa.table({"n": list(range(rows))}), file)
        s3.put_object(Bucket="lake", Key=key, Body=file.getvalue())
    s3.put_object(Bucket="lake", Key="sets/empty", Body=b"")

    assert count_rows(s3, "lake", "sets/") == 5
    assert count_rows(s3, "lake", "none/") == 0
