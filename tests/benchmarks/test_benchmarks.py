"""The benchmarks still run: what they import is there, their arguments are read, and the smallest
case of each that takes no server is done. How fast anything is nobody asks here."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path for path in (ROOT / "benchmarks").rglob("*.py") if path.read_text(encoding="utf-8").strip()
)
OURS = (
    "benchmarks",
    "executions",
    "infrastructure",
    "localaws",
    "rebuy",
    "tasks",
    "tests",
    "training",
    "workflows",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_everything_that_it_imports_is_there(file: Path) -> None:
    """Also what it imports in its functions only."""
    importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize(
    "name",
    [
        "attack.__main__",
        "console",
        "days",
        "durability",
        "engine",
        "generate",
        "pipeline",
        "serving",
        "shops",
    ],
)
def test_its_arguments_are_read(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.{name}").main()
    assert ended.value.code == 0
    assert "--" in capsys.readouterr().out


def test_the_engine_is_measured() -> None:
    from benchmarks import engine

    figures = engine.ours(states=3, executions=2)
    assert figures.keys() >= {"median_ms", "whole_ms", "express_ms", "noticed_worst_ms"}
    assert all(value > 0 for value in figures.values())


def test_the_generator_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks import generate

    generate.measure("generate", 20, tmp_path)
    figures = json.loads(capsys.readouterr().out)
    assert figures["users"] == 20
    assert figures["peak_mib"] > 0


def test_memory_is_sampled() -> None:
    from benchmarks.memory import tree_bytes

    assert tree_bytes(os.getpid()) > 1_000_000


def test_what_duckdb_was_told_is_told_again(tmp_path: Path) -> None:
    """A worker's DuckDB, recorded in a process of its own, and replayed bare in this one."""
    from benchmarks import recording

    file, out = tmp_path / "record.jsonl", tmp_path / "out.csv"
    script = f"""
from pathlib import Path
from benchmarks.recording import Record, record_duckdb
record_duckdb(Record(Path({str(file)!r})))
from localaws.athena.database import Database
from localaws.core.jobs.limits import Limits
database = Database(Path({str(tmp_path / "spill")!r}), Limits(2**28, 1))
database.connect().execute("COPY (SELECT 1 AS one) TO {str(out)!r}")
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    lines: list[dict[str, Any]] = recording.read(file)
    assert recording.replay_sql(lines, tmp_path / "again") == len(
        [line for line in lines if line["kind"] == "sql"]
    )
    copied = tmp_path / "again" / str(out).lstrip("/")
    assert copied.read_bytes() == out.read_bytes()
