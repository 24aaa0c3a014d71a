"""Five shops' own files, each with its mapping, from raw files to a live model.

    python -m benchmarks.shops [--users 150] [--only wide] [--json]

Of one generated shop the files of other columns, semicolons, UUIDs, timestamps and one wide file
are made (tests/mapping/foreign.py), and each kind is run whole on a fresh local AWS: checked,
mapped, cleaned, learned from, published. A line a kind, as soon as its model has answered over
HTTP: the lines of its mapping, the run's seconds, the rows that were checked, the model's features,
and what it answered to one and the same line. It ends with 1 where the features of two kinds
differ; a run that fails, and a model that does not answer, end it with their error.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configuration.mapping import Mapping
from tests.mapping import foreign, shops
from tests.model.trained import EXAMPLE_LINE

Json = dict[str, Any]
WAIT_SCALE = 0.02


def live(name: str, mapping: Mapping, files: Path, home: Path) -> Json:
    """One kind's run, from nothing to an answer. Raises RuntimeError, RunError."""
    from configuration.connection import Connection
    from configuration.settings import Settings
    from infrastructure.deploy import deploy
    from rebuy.cli import local, prediction, records
    from rebuy.data.sources import upload

    server = local.up(home, 0, WAIT_SCALE)
    try:
        settings = Settings(
            endpoint_url=server.url, schedule_state="DISABLED", upload_trigger="DISABLED",
            source=mapping,
        )  # fmt: skip
        connection = Connection(settings)
        outputs = deploy(connection, lambda line: None).outputs
        upload(mapping, files, outputs["RawBucket"], connection.client("s3"))
        client, began = connection.client("stepfunctions"), time.monotonic()
        started = client.start_execution(stateMachineArn=outputs["LiveAliasArn"], input="{}")
        arn = started["executionArn"]
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.5)
        if found["status"] != "SUCCEEDED":
            raise RuntimeError(f"{name}: {found.get('error')}: {found.get('cause')}")
        seconds = round(time.monotonic() - began, 1)
        record = records.find(connection, arn).content
        if record["outcome"] != "published":
            raise RuntimeError(f"{name}: {record['outcome']}, by the gate {record['gate']}")
        gains = record["metrics"]["challenger"]["feature_importance"]["gain"]
        features = sorted(gains if isinstance(gains, dict) else (one["feature"] for one in gains))
        return {
            "shop": name,
            "mapping_lines": len((shops.SHOPS / name / "mapping.toml").read_text().splitlines()),
            "seconds": seconds,
            "rows": record["checks"]["rows"],
            "features": features,
            "answer": prediction.predict(outputs["ApiUrl"], EXAMPLE_LINE),
        }
    finally:
        local.down(home)


def measure(users: int, names: list[str]) -> Iterator[Json]:
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            folder = Path(scratch) / name
            folder.mkdir()
            mapping = foreign.write(name, users, folder)
            yield live(name, mapping, folder / name, folder / "home")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.shops", description=__doc__)
    parser.add_argument("--users", type=int, default=150)
    parser.add_argument("--only", choices=foreign.NAMES, action="append")
    parser.add_argument("--json", action="store_true", help="a line of JSON a shop")
    options = parser.parse_args()
    features = set()
    for row in measure(options.users, options.only or foreign.NAMES):
        features.add(tuple(row["features"]))
        if options.json:
            print(json.dumps(row), flush=True)
        else:
            rows = ", ".join(f"{table} {count:,}" for table, count in row["rows"].items())
            print(
                f"{row['shop']}: {row['mapping_lines']} lines of mapping, {row['seconds']} s;"
                f" {rows}; {len(row['features'])} features; it answers {json.dumps(row['answer'])}",
                flush=True,
            )
    return int(len(features) != 1)


if __name__ == "__main__":
    raise SystemExit(main())
