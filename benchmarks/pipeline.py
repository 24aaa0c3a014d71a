"""The whole chain at a size: time and memory of each state, beside the bare work of its engines.

    python -m benchmarks.pipeline [--users 2000] [--json] [--keep FOLDER]

One execution on a fresh local AWS; then the server is stopped and what its engines had done is
done again without it, in the same benchmark run: the same DuckDB statements (checks, cleaning,
features), the same Spark script and the same training script, each with the same files, settings
and command. The ratio is the execution's seconds over the sum of those. Spark starts without a
class archive on both sides. Last, the same model by hand (`benchmarks.by_hand`): one DuckDB script
and XGBoost, over the same raw files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import recording
from benchmarks.memory import Sampler
from executions.history import Visit

Json = dict[str, Any]
START_SECONDS = 120.0
WAIT_SCALE = "0.02"  # as `rebuy demo` has it
MEGABYTE = 1e6


def start(home: Path, record: Path) -> subprocess.Popen[bytes]:
    """The recording local AWS, once it answers."""
    from rebuy.cli import local

    command = [sys.executable, "-m", "benchmarks.recording", str(record), "--home", str(home)]
    with (home.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", "0", "--wait-scale", WAIT_SCALE],
            env={**os.environ, "LOCALAWS_SPARK_ARCHIVE": "0"},
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + START_SECONDS
    while local.find(home) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((home.parent / "server.log").read_text()[-3000:])
        time.sleep(0.1)
    return process


def execute(home: Path, users: int, sampler: Sampler) -> tuple[list[Visit], float]:
    """(the states of one execution that went well, its seconds)."""
    from configuration.connection import Connection
    from configuration.settings import Settings
    from executions.history import History
    from infrastructure.deploy import deploy
    from rebuy.cli import local
    from rebuy.data.generate import generate
    from rebuy.data.upload import upload

    server = local.find(home)
    assert server is not None
    connection = Connection(
        Settings(endpoint_url=server.url, schedule_state="DISABLED", upload_trigger="DISABLED")
    )
    outputs = deploy(connection, lambda line: None).outputs
    data = home.parent / "data"
    generate(users, data)
    upload(data, outputs["RawBucket"], connection.client("s3"))
    client = connection.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=outputs["LiveAliasArn"], input="{}")[
        "executionArn"
    ]
    with sampler:
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.2)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{found.get('error')}: {found.get('cause')}")
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    visits = History(event for page in pages for event in page["events"]).visits
    return visits, (found["stopDate"] - found["startDate"]).total_seconds()


def by_state(visits: list[Visit], sampler: Sampler) -> dict[str, Json]:
    """{state: {seconds, peak_megabytes}} of Task states, visits of the same state added up."""
    found: dict[str, Json] = {}
    for visit in visits:
        if visit.type != "Task":
            continue
        times = [at.timestamp() for at in (visit.entered_at, visit.ended_at or visit.entered_at)]
        state = found.setdefault(visit.state, {"seconds": 0.0, "peak_megabytes": 0})
        state["seconds"] = round(state["seconds"] + times[1] - times[0], 3)
        peak = round(sampler.peak(*times) / MEGABYTE)
        state["peak_megabytes"] = max(state["peak_megabytes"], peak)
    return found


def bare(record: Path, folder: Path) -> dict[str, Json]:
    """{engine: {seconds, peak_megabytes}} of the same work without the local AWS."""
    found: dict[str, Json] = {"DuckDB": _measured_sql(record, folder)}
    for line in recording.read(record):
        if line["kind"] not in ("glue-runs", "training"):
            continue
        samplers: list[Sampler] = []

        def watch(pid: int, samplers: list[Sampler] = samplers) -> None:
            samplers.append(Sampler(pid).__enter__())

        seconds = recording.replay_process(line, watch)
        samplers[0].__exit__()
        name = "Spark" if line["kind"] == "glue-runs" else "training"
        peak = round(samplers[0].peak() / MEGABYTE)
        found[name] = {"seconds": round(seconds, 2), "peak_megabytes": peak}
    return found


def by_hand(data: Path) -> Json:
    """What benchmarks.by_hand prints over these raw files, with its memory."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.by_hand", str(data)], stdout=subprocess.PIPE
    )
    with Sampler(process.pid) as sampler:
        output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the model could not be made by hand")
    found: Json = json.loads(output.decode().splitlines()[-1])
    return {**found, "peak_megabytes": round(sampler.peak() / MEGABYTE)}


def _measured_sql(record: Path, folder: Path) -> Json:
    """The statements in a process of their own, so that its memory is theirs."""
    script = (
        "import sys, time; from pathlib import Path; from benchmarks import recording\n"
        "import duckdb, localaws.athena.database\n"
        "lines = recording.read(Path(sys.argv[1])); began = time.perf_counter()\n"
        "count = recording.replay_sql(lines, Path(sys.argv[2]))\n"
        "print(time.perf_counter() - began, count)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(record), str(folder / "replayed")],
        stdout=subprocess.PIPE,
    )
    with Sampler(process.pid) as sampler:
        output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the statements could not be run again")
    seconds, count = output.decode().split()[-2:]  # DuckDB may show its progress before
    peak = round(sampler.peak() / MEGABYTE)
    return {"seconds": round(float(seconds), 2), "peak_megabytes": peak, "statements": int(count)}


def measure(users: int, folder: Path) -> Json:
    """Everything, as `--json` prints it."""
    home, record = folder / "home", folder / "record.jsonl"
    home.mkdir(parents=True)
    load = os.getloadavg()[0]
    server = start(home, record)
    try:
        sampler = Sampler(server.pid)
        visits, seconds = execute(home, users, sampler)
    finally:
        server.terminate()
        server.wait()
    engines = bare(record, folder)
    work = sum(engine["seconds"] for engine in engines.values())
    hand = by_hand(folder / "data")
    return {
        "users": users,
        "seconds": round(seconds, 2),
        "bare_seconds": round(work, 2),
        "ratio": round(seconds / work, 3),
        "ratio_to_by_hand": round(seconds / hand["seconds"], 2),
        "peak_megabytes": round(sampler.peak() / MEGABYTE),
        "load_before_and_after": [round(load, 1), round(os.getloadavg()[0], 1)],
        "bare": engines,
        "by_hand": hand,
        "states": by_state(visits, sampler),
    }


def show(found: Json) -> None:
    print(f"{found['users']:,} users; load {found['load_before_and_after']}")
    print(f"{'state':<44}{'seconds':>9}{'peak MB':>9}")
    for name, state in found["states"].items():
        print(f"{name:<44}{state['seconds']:>9.2f}{state['peak_megabytes']:>9,}")
    print(f"{'the execution':<44}{found['seconds']:>9.2f}{found['peak_megabytes']:>9,}")
    for name, engine in found["bare"].items():
        print(f"{'bare ' + name:<44}{engine['seconds']:>9.2f}{engine['peak_megabytes']:>9,}")
    print(f"{'all bare work':<44}{found['bare_seconds']:>9.2f}")
    hand = found["by_hand"]
    print(f"{'the model by hand':<44}{hand['seconds']:>9.2f}{hand['peak_megabytes']:>9,}")
    print(f"ratio to bare work {found['ratio']:.2f}, to by hand {found['ratio_to_by_hand']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline", description=__doc__)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--keep", type=Path, help="leave everything in this (new) folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep.resolve() if options.keep else Path(scratch)
        found = measure(options.users, folder)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
