"""A local AWS that writes down what its engines do, so that the same can be done without it.

    python -m benchmarks.recording RECORD.jsonl --home DIR --port 0 --wait-scale 0.02

Every statement that goes to DuckDB and every Spark or training process is a line of JSON. `replay`
does the same again, bare: the statements on DuckDB connections of its own, the processes with the
same command, variables and files.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
WORKER = "localaws.core.jobs.child"


class Record:
    """Lines of JSON in the order in which things began."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._out = file.open("ab", buffering=0)  # a line is one write: workers write here too
        self._lock = threading.Lock()
        self._connections = 0

    def write(self, **line: Any) -> None:
        self._out.write((json.dumps({"at": time.time(), **line}, default=str) + "\n").encode())

    def connection(self) -> str:
        """A name that no other process gives."""
        with self._lock:
            self._connections += 1
            return f"{os.getpid()}-{self._connections}"


class Recorded:
    """A DuckDB connection that notes what it is told, and does it."""

    def __init__(self, connection: Any, record: Record, parent: str | None, config: Any) -> None:
        self._connection = connection
        self._record = record
        self._number = record.connection()
        record.write(kind="connect", connection=self._number, parent=parent, config=config)

    def execute(self, sql: Any, *arguments: Any, **named: Any) -> Any:
        self._record.write(
            kind="sql", connection=self._number, sql=str(sql), arguments=list(arguments)
        )
        return self._connection.execute(sql, *arguments, **named)

    def cursor(self) -> Recorded:
        return Recorded(self._connection.cursor(), self._record, self._number, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def record_duckdb(record: Record) -> None:
    """From now on this process's connections are recorded."""
    import duckdb

    connect = duckdb.connect

    def recorded_connect(database: str = ":memory:", **options: Any) -> Recorded:
        return Recorded(connect(database, **options), record, None, options.get("config"))

    duckdb.connect = recorded_connect  # type: ignore[assignment]


def serve(file: Path, arguments: list[str]) -> int:
    """The local AWS, with its record in `file`."""
    from localaws.core import processes
    from localaws.core.processes import Processes

    record = Record(file)
    start = processes.Processes.start
    trainings = itertools.count(1)

    def recorded_start(self: Processes, name: str, argv: Any, **options: Any) -> Any:
        if WORKER in argv:
            place = argv.index(WORKER)
            recorded = ["benchmarks.recorded_worker", str(file)]
            argv = [*argv[:place], *recorded, *argv[place + 1 :]]
        kind = next((word for word in ("training", "glue-runs") if word in str(options)), None)
        if kind is not None and "archive" not in name:
            base = Path(options["env"].get("SM_INPUT_DIR", "")).parent
            kept = None
            if kind == "training":
                # The job's folders are emptied afterwards: what it reads is kept, by hard links.
                kept = file.parent / f"training-job-{next(trainings)}"
                shutil.copytree(base, kept, copy_function=os.link, symlinks=True)
            told = {"argv": list(argv), "env": dict(options["env"]), "cwd": options["cwd"]}
            record.write(kind=kind, name=name, base=base, kept=kept, **told)
        return start(self, name, argv, **options)

    Processes.start = recorded_start  # type: ignore[assignment, method-assign]
    from localaws.__main__ import main

    return main(arguments)


def read(file: Path) -> list[Json]:
    return [json.loads(line) for line in file.read_text().splitlines()]


WRITES = re.compile(r"\bTO\s+'([^']+)'", re.IGNORECASE)


def replay_sql(lines: list[Json], scratch: Path) -> int:
    """Every statement again, one after the other; what it writes goes below `scratch`. The number
    of statements."""
    import duckdb

    from localaws.athena.sql.python.all import register

    connections: dict[str, Any] = {}
    count = 0
    for line in lines:
        number = line.get("connection")
        if line["kind"] == "connect":
            parent = line["parent"]
            if parent is None:
                connections[number] = duckdb.connect(":memory:", config=line["config"] or {})
                register(connections[number])  # functions are no statements
            else:
                connections[number] = connections[parent].cursor()
        elif line["kind"] == "sql":
            sql = WRITES.sub(lambda found: f"TO '{_below(scratch, found[1])}'", line["sql"])
            done = connections[number].execute(sql, *line["arguments"])
            if done.description is not None:
                done.fetchall()
            count += 1
    return count


def _below(scratch: Path, written: str) -> Path:
    place = scratch / written.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def replay_process(line: Json, watch: Callable[[int], None]) -> float:
    """The process again; its seconds. `watch` is told its pid. Nobody is asked what it may read:
    the server is not there."""
    env = {name: value for name, value in line["env"].items() if name != "LOCALAWS_POLICIES"}
    for name in ("TMPDIR", "SPARK_LOCAL_DIRS"):
        if env.get(name):
            Path(env[name]).mkdir(parents=True, exist_ok=True)
    if line["kept"]:
        shutil.rmtree(line["base"], ignore_errors=True)
        shutil.move(line["kept"], line["base"])
    began = time.perf_counter()
    process = subprocess.Popen(
        line["argv"],
        env=env,
        cwd=line["cwd"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    watch(process.pid)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{line['argv']}: {process.returncode}\n{output.decode()[-3000:]}")
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(serve(Path(sys.argv[1]).resolve(), sys.argv[2:]))
