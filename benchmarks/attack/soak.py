"""Hours of everything at once: do memory, descriptors, processes and disk stay as they are?"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.attack.load import Load
from benchmarks.attack.product import Product
from benchmarks.memory import tree_bytes
from localaws.core import orphans
from localaws.core.home import holder

PAUSES = {  # mean seconds between two of a kind
    "predict": 1.0, "query": 3.0, "views": 10.0, "objects": 1.0, "multipart": 20.0,
    "function": 2.0, "execution": 5.0, "records": 2.0, "connections": 20.0, "stack": 60.0,
    "endpoint": 120.0,
}  # fmt: skip
RUN_PAUSE_SECONDS = 600.0
SAMPLE_SECONDS = 20.0
TEMPORARY = ("run", "athena-work", "databrew-runs", "databrew-sessions")
WARM_SHARE = 0.25
MEGABYTE = 1e6


@dataclass
class Sample:
    """The server at one moment; megabytes resident, and of the home's folders on the disk."""

    minutes: float
    operations: int
    server_megabytes: float
    tree_megabytes: float
    descriptors: int
    threads: int
    processes: int
    disk_megabytes: dict[str, float] = field(default_factory=dict)

    @property
    def temporary_megabytes(self) -> float:
        return sum(self.disk_megabytes.get(name, 0.0) for name in TEMPORARY)

    @property
    def kept_megabytes(self) -> float:
        return sum(self.disk_megabytes.values()) - self.temporary_megabytes


def take(home: Path, minutes: float, operations: int) -> Sample:
    pid = holder(home)
    if pid is None:
        raise RuntimeError(f"No local AWS runs on {home}: it ended by itself.")
    process = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    return Sample(
        minutes=round(minutes, 2),
        operations=operations,
        server_megabytes=int(status["VmRSS"].split()[0]) / 1e3,
        tree_megabytes=tree_bytes(pid) / MEGABYTE,
        descriptors=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        processes=len(orphans.marked(orphans.home_mark(home))),
        disk_megabytes={path.name: on_disk(path) / MEGABYTE for path in sorted(home.iterdir())},
    )


def on_disk(path: Path) -> int:
    """Bytes that a file takes, or a folder with all in it."""
    try:
        own = path.lstat().st_blocks * 512
        if path.is_symlink() or not path.is_dir():
            return own
        return own + sum(on_disk(child) for child in path.iterdir())
    except FileNotFoundError:  # gone since it was listed
        return 0


def runs(product: Product) -> Callable[[], list[str]]:
    """Starts an execution whenever the last one is over and its pause too. Gives what was wrong."""
    state: dict[str, Any] = {"number": 0, "arn": None, "next": 0.0, "models": set()}

    def look() -> list[str]:
        arn = state["arn"]
        if arn is None:
            if time.monotonic() >= state["next"]:
                state["number"] += 1
                state["arn"] = product.start(f"soak-{state['number']}")
            return []
        if not product.ended(arn):
            return []
        outcome = product.finish(arn)
        state["arn"], state["next"] = None, time.monotonic() + RUN_PAUSE_SECONDS
        forget_runs(product, keep=arn)
        state["models"].add(outcome.model)
        wrong = list(outcome.problems)
        if outcome.status != "SUCCEEDED":
            wrong.append(f"{outcome.status}: {outcome.reason}")
        if len(state["models"]) > 1:
            wrong.append(f"another model: {outcome.model}")
        print(f"run {state['number']}: {outcome.status} in {outcome.seconds:.0f} s, model"
              f" {outcome.model[:12]} {wrong or ''}", flush=True)  # fmt: skip
        return wrong

    return look


def forget_runs(product: Product, keep: str) -> None:
    """Deletes what earlier runs left in the lake and the catalog, as a user would who tidies up."""
    client, lake = product.connection.client, product.outputs["LakeBucket"]
    started = json.loads(
        client("stepfunctions").describe_execution(executionArn=keep).get("output") or "{}"
    )
    kept = str(started.get("run", {}).get("id", "")) or "?"
    s3, glue, database = client("s3"), client("glue"), product.outputs["Database"]
    for prefix in ("runs/", "athena-results/"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=lake, Prefix=prefix):
            for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if kept not in entry["Key"]:
                    s3.delete_object(Bucket=lake, Key=entry["Key"], VersionId=entry["VersionId"])
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            if table["TableType"] != "VIRTUAL_VIEW" and kept not in table["Name"]:
                glue.delete_table(DatabaseName=database, Name=table["Name"])


def attack(product: Product, minutes: float, seed: int) -> Iterator[str]:
    """Lines of the report; what is wrong begins with WRONG. Samples go beside the home."""
    file = product.home.with_name("samples.jsonl")
    product.set_up()
    load = Load(product)
    load.set_up()
    look = runs(product)
    began, samples, wrong = time.monotonic(), list[Sample](), list[str]()
    while not live(product) and not wrong:  # the actors need a model
        wrong += look()
        time.sleep(0.5)
    load.start(PAUSES, seed)
    while (passed := (time.monotonic() - began) / 60) < minutes:
        samples.append(take(product.home, passed, load.done.total()))
        with file.open("a") as out:
            told = {"done": load.done, "failed": load.failed, "wrong": [*wrong, *load.wrong]}
            out.write(json.dumps({**asdict(samples[-1]), **told}) + "\n")
        pause = time.monotonic() + SAMPLE_SECONDS
        while time.monotonic() < pause:
            wrong += look()
            time.sleep(1)
    load.stop()
    yield from report(samples, load)
    yield from (f"WRONG {problem}" for problem in (*wrong, *load.wrong))


def live(product: Product) -> bool:
    listed = product.connection.client("sagemaker").list_endpoints()["Endpoints"]
    return any(entry["EndpointStatus"] == "InService" for entry in listed)


def report(samples: list[Sample], load: Load) -> Iterator[str]:
    """The second quarter beside the last one: the first one warms up."""
    quarter = max(1, int(len(samples) * WARM_SHARE))
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    yield f"{samples[-1].minutes:.0f} minutes, {samples[-1].operations} operations: " + ", ".join(
        f"{count} {name}" for name, count in sorted(load.done.items())
    )
    yield "| | second quarter | last quarter |"
    yield "|---|---|---|"
    for name in (
        *("server_megabytes", "descriptors", "threads", "processes"),
        *("temporary_megabytes", "kept_megabytes"),
    ):
        before, after = (
            statistics.median(getattr(sample, name) for sample in part) for part in (early, late)
        )
        yield f"| {name.replace('_', ' ')} | {before:.0f} | {after:.0f} |"
    operations = late[-1].operations - early[0].operations
    grown = late[-1].kept_megabytes - early[0].kept_megabytes
    yield f"kept: {grown * 1000 / max(1, operations):.1f} kB an operation"
    for name, count in load.failed.items():
        yield f"failed: {count} x {name}"
