"""How long Athena's engine takes for queries, and plain DuckDB over the same Parquet files.

    python -m benchmarks.athena --data FOLDER --queries FOLDER [--runs 3] [--threads 2]

`--data` has a file TABLE.parquet for each table, `--queries` a file NAME.sql for each query, in SQL
that both engines read. TPC-H: the data from `tpchgen-cli parquet -s 1` (PyPI), the queries from
the specification. Of each query: seconds of processor (the best of the runs; the clock depends on
what else the machine does), their ratio, and whether the rows are equal.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from localaws.athena.offline import opened
from localaws.core.jobs.limits import Limits, default
from localaws.tables.snapshot import DataFile, Partition, TableSnapshot
from localaws.tables.storage import PARQUET, storage

_TYPES = {"int32": "int", "int64": "bigint", "date32[day]": "date", "double": "double"}


def table(path: Path) -> TableSnapshot:
    schema, about = pq.read_schema(path), path.stat()
    columns = tuple((field.name.lower(), _hive(field.type)) for field in schema)
    file = DataFile(str(path), str(path), about.st_size, "", about.st_mtime)
    how = storage({"SerdeInfo": {"SerializationLibrary": PARQUET}}, {}, path.stem)
    return TableSnapshot("bench", path.stem, columns, (), (Partition((), how, columns, (file,)),))


def _hive(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _TYPES.get(str(kind), "string")


def best(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    spent, rows = [], None
    for _ in range(runs):
        began = time.process_time()
        rows = run()
        spent.append(time.process_time() - began)
    return min(spent), rows


def same(ours: list[list[Any]], theirs: list[tuple[Any, ...]]) -> bool:
    """Whether the rows are equal; DuckDB has doubles where Trino has decimals."""
    return len(ours) == len(theirs) and all(
        _equal(a, b) for left, right in zip(ours, theirs, strict=True)
        for a, b in zip(left, right, strict=True)
    )  # fmt: skip


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float | Decimal) and b is not None:
        return abs(float(a) - float(b)) <= 1e-2 + 1e-6 * abs(float(b))
    return bool(a == b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    tables = [table(path) for path in sorted(given.data.glob("*.parquet"))]
    limits = Limits(**{**default().__dict__, "threads": given.threads})
    memory = f"{limits.engine_bytes >> 20}MiB"  # of both: it also is what keeps files' bytes
    plain = duckdb.connect(config={"threads": given.threads, "memory_limit": memory})
    for one in tables:
        plain.execute(f"CREATE VIEW {one.name} AS FROM read_parquet('{one.files[0].path}')")
    slow, wrong = [], []
    with tempfile.TemporaryDirectory() as folder, opened(tables, Path(folder), limits) as athena:
        for path in sorted(given.queries.glob("*.sql")):
            sql = path.read_text()
            theirs, expected = best(lambda sql=sql: plain.execute(sql).fetchall(), given.runs)
            ours, rows = best(lambda sql=sql: athena.answers(sql, "bench"), given.runs)
            equal = same(rows, expected)
            ratio = ours / theirs
            slow += [path.stem] if ratio > 1.3 else []
            wrong += [] if equal else [path.stem]
            print(
                f"{path.stem}  {theirs:6.3f} s  {ours:6.3f} s  x{ratio:5.2f}  {equal}", flush=True
            )
    print(f"slower than 1.3: {', '.join(slow) or 'none'}; other rows: {', '.join(wrong) or 'none'}")


if __name__ == "__main__":
    main()
