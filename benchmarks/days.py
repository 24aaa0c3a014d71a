"""A shop that grows: what each day's increment takes and costs, beside a run from nothing.

    python -m benchmarks.days [--users 2000] [--days 50] [--compare 3] [--json]

The shop's history is cleaned by a first run; then each day's files come, and a run makes the
training sets anew (`train: false`: training and the endpoint cost the same whatever came before).
After some of the days, evenly spread, the last one among them, a run takes nothing over (`full`),
and every table of the day's run is held to it: `unlike` are those with other rows. Seconds are of
this machine; bytes and dollars are what AWS would charge for the whole run by its list prices.
Bytes that were checked, and DataBrew's minutes for cleaning, are what an increment spares. A line a
run, as soon as it has ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from executions.costs import of_record

Json = dict[str, Any]
WAIT_SCALE = 0.02
LAST = date(2026, 11, 29)
CLEANING = "Clean table"


class Shop:
    """A fresh local AWS with the stack, and a shop's files by day."""

    def __init__(self, folder: Path, users: int, days: int) -> None:
        from configuration.connection import Connection
        from configuration.settings import Settings
        from infrastructure.deploy import deploy
        from rebuy.cli import local
        from rebuy.data import days as day_files
        from rebuy.data.generate import generate

        generate(users, folder / "six")
        self.made = day_files.split(folder / "six", folder / "days", days, LAST)
        self.home = folder / "home"
        server = local.up(self.home, 0, WAIT_SCALE)
        settings = Settings(
            endpoint_url=server.url, schedule_state="DISABLED", upload_trigger="DISABLED"
        )
        self.connection = Connection(settings)
        self.outputs = deploy(self.connection, lambda line: None).outputs

    def put(self, day: date | None) -> None:
        """The files of a day; of none: the catalogue and the history."""
        s3 = self.connection.client("s3")
        for file in self.made.files:
            dated = next((one for one in self.made.days if str(one) in file.name), None)
            if dated == day:
                key = f"raw/{file.parent.name}/{file.name}"
                s3.put_object(Bucket=self.outputs["RawBucket"], Key=key, Body=file.read_bytes())

    def run(self, name: str, given: Json) -> Json:
        """One run's figures. Raises RuntimeError if it does not go well."""
        client = self.connection.client("stepfunctions")
        began = time.monotonic()
        arn = client.start_execution(
            stateMachineArn=self.outputs["LiveAliasArn"], name=name, input=json.dumps(given)
        )["executionArn"]
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.1)
        if found["status"] != "SUCCEEDED":
            raise RuntimeError(f"{name}: {found.get('error')}: {found.get('cause')}")
        seconds = time.monotonic() - began
        record = self.record(arn)
        self.last = record["run"]["id"]
        return {"run": name, "seconds": round(seconds, 1), **figures(record)}

    def tables(self) -> dict[str, str]:
        """The last run's tables: SHA-256 of their rows in order, by what the tables are of."""
        glue, database = self.connection.client("glue"), self.outputs["Database"]
        names = [
            table["Name"]
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=database)
            for table in page["TableList"]
            if table["Name"].endswith(f"_{self.last}")
        ]
        return {name.removesuffix(f"_{self.last}"): self._rows(database, name) for name in names}

    def _rows(self, database: str, table: str) -> str:
        athena = self.connection.client("athena")
        query = athena.start_query_execution(
            QueryString=f'SELECT * FROM "{table}"',
            QueryExecutionContext={"Database": database},
            WorkGroup=self.outputs["WorkGroup"],
        )["QueryExecutionId"]
        while True:
            found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.05)
        bucket, _, key = found["ResultConfiguration"]["OutputLocation"][5:].partition("/")
        body = self.connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return hashlib.sha256(b"\n".join(sorted(body.splitlines()))).hexdigest()

    def record(self, arn: str) -> Json:
        from rebuy.cli import records

        content: Json = records.find(self.connection, arn).content
        return content


def figures(record: Json) -> Json:
    """Of an audit record: what was new, what was scanned, what it all costs."""
    increment, checks = record["run"]["increment"], record["checks"]
    return {
        "new_objects": increment["new_objects"],
        "taken_objects": increment["taken_objects"],
        "new_bytes": increment["new_bytes"],
        "checked_bytes": checks["scanned_bytes"],
        "scanned_bytes": record["cost_inputs"]["athena_scanned_bytes"],
        "cleaning_node_minutes": sum(
            visit["figures"]["node_minutes"]
            for visit in record["states"]
            if visit["state"] == CLEANING
        ),
        "dollars": round(sum(line.dollars for line in of_record.lines(record)), 4),
    }


def measure(users: int, days: int, compare: int) -> Iterator[Json]:
    from rebuy.cli import local

    with tempfile.TemporaryDirectory() as scratch:
        shop = Shop(Path(scratch), users, days)
        compared = {(number + 1) * days // compare for number in range(compare)} if compare else ()
        try:
            shop.put(None)
            yield shop.run("history", {"train": False})
            for number, day in enumerate(shop.made.days, 1):
                shop.put(day)
                yield shop.run(f"day-{day}", {"train": False})
                if number not in compared:
                    continue
                grown = shop.tables()
                found = shop.run(f"full-{day}", {"train": False, "full": True})
                whole = shop.tables()
                names = grown.keys() | whole.keys()
                unlike = sorted(name for name in names if grown.get(name) != whole.get(name))
                yield {**found, "tables": len(names), "unlike": unlike}
        finally:
            local.down(shop.home)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.days", description=__doc__)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--compare", type=int, default=3, help="days held to a run from nothing")
    parser.add_argument("--json", action="store_true", help="a line of JSON a run")
    options = parser.parse_args()
    names: list[str] = []
    for row in measure(options.users, options.days, options.compare):
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        if not names:
            names = list(row)
            print("  ".join(f"{name:>14}" for name in names))
        more = f"  {row['tables']} tables, unlike: {row['unlike']}" if "tables" in row else ""
        print("  ".join(f"{row[name]:>14}" for name in names) + more, flush=True)


if __name__ == "__main__":
    main()
