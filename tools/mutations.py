"""Would a test notice? Lines are chosen at random, each is changed in one place, and the tests of
the part that it belongs to are run until one fails.

    python -m tools.mutations --seed 21 --count 100 [--under localaws/s3] [--most 5] [--list]

Run it in a checkout that has nothing uncommitted: the changes are made in its files, one at a time,
and taken back. Every executable line of the tree is as likely as any other. What survives is
printed as a diff: it wants a test, or it says the same in other words, or nobody needs the line.
Tests of whole runs (`tests/pipeline` and those of `LONG`) are not run; a survivor may be theirs.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import Mutant, of_python, of_sql

ROOT = Path(__file__).parents[1]
FOLDERS = (
    *("rebuy", "tasks", "workflows", "infrastructure", "training", "inference", "localaws"),
    *("console", "executions", "configuration", "sql"),
)
# Where a file's tests are, by the longest beginning of its path; else in the folder of its name.
TESTS = {
    "configuration/": "infrastructure mapping validation",
    "console/": "console",
    "executions/": "executions workflow triggers console",
    "inference/": "model",
    "infrastructure/": "infrastructure validation triggers",
    "localaws/": "core docs",
    "localaws/core/snapshot": "cli",
    "localaws/autoscaling/": "sagemaker",
    "localaws/ecr/": "sagemaker validation",
    "localaws/events/": "events stepfunctions",
    "localaws/glue/": "catalog athena glue_jobs",
    "localaws/kms/": "identity s3 docs",
    "localaws/plain/": "core",
    "localaws/sagemaker_runtime/": "sagemaker",
    "localaws/sts/": "identity core",
    "localaws/tables/": "tables athena",
    "localaws/trino/": "tables athena",
    "rebuy/cli/": "cli docs executions site console",
    "rebuy/cli/contract": "data",
    "rebuy/cli/data": "data",
    "rebuy/data/": "data transform",
    "rebuy/parity/": "parity",
    "rebuy/validation/": "validation",
    "sql/": "transform workflow mapping",
    "tasks/": "workflow transform data mapping triggers model",
    "training/": "model",
    "workflows/": "workflow validation",
}
LONG = ("test_own_workflow.py", "test_clients.py", "test_destroy.py")
# Loaded once; a mutant's tests begin with them there.
HEAVY = (
    *("pytest", "hypothesis", "boto3", "botocore.client", "moto.core", "numpy", "pandas", "yaml"),
    *("pyarrow.parquet", "duckdb", "xgboost", "werkzeug.serving", "moto.s3.models"),
)
FIRST = 3  # files are run before the others, which then need not be read
CPU_SECONDS = 240  # of a mutant's tests; one that goes on for ever is noticed
Candidates = dict[tuple[Path, int], list[Mutant]]


@dataclass(frozen=True)
class Outcome:
    noticed: bool
    tests: int  # files that were run
    seconds: float
    said: str  # pytest's last lines


def candidates(under: str) -> Candidates:
    """The changes of each line below a folder, or in a file."""
    found: Candidates = {}
    listed = subprocess.run(
        ["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        mutants = {".py": of_python, ".sql": of_sql}.get(Path(name).suffix)
        if mutants is not None and name.startswith(under):
            for mutant in mutants((ROOT / name).read_bytes()):
                found.setdefault((Path(name), mutant.line), []).append(mutant)
    return found


def chosen(seed: int, count: int, under: str) -> list[tuple[Path, Mutant]]:
    chance, all_of_them = random.Random(seed), candidates(under)
    lines = chance.sample(sorted(all_of_them), min(count, len(all_of_them)))
    return [(line[0], chance.choice(all_of_them[line])) for line in lines]


def tests_of(path: Path, function: str) -> list[str]:
    """The part's test files, those first that seem to be about the module and the function."""
    begins = [begin for begin in TESTS if path.as_posix().startswith(begin)]
    own = f"tests/{path.parts[1]}" if path.parts[0] == "localaws" else ""
    longest = max(begins, key=len, default="")
    if own and longest == "localaws/" and (ROOT / own).is_dir():
        folders = [own]
    else:
        folders = [f"tests/{name}" for name in TESTS[longest].split()]
    module, words = path.stem.strip("_"), {path.stem.strip("_"), function.strip("_")} - {""}

    def rank(file: Path) -> tuple[bool, int, int]:
        text, name = file.read_text(), file.stem.removeprefix("test_")
        said = sum(min(text.count(word), 20) for word in words)
        alike = module in name or any(name in part for part in path.parts[1:])
        return not alike, -said, len(text)

    files = [file for folder in folders for file in (ROOT / folder).glob("test_*.py")]
    ranked = sorted((file for file in files if file.name not in LONG), key=rank)
    return [file.relative_to(ROOT).as_posix() for file in ranked]


def tried(path: Path, mutant: Mutant, most: int | None) -> Outcome:
    """The part's tests with the change in its file, which is taken back."""
    file, began = ROOT / path, time.monotonic()
    before, times = file.read_bytes(), file.stat()
    files, failed, said = tests_of(path, mutant.within)[:most], False, ""
    try:
        file.write_bytes(mutant.apply(before))
        for some in filter(None, (files[:FIRST], files[FIRST:])):
            failed, said = run(some)
            if failed:
                break
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return Outcome(failed, len(files), time.monotonic() - began, said)


def run(files: list[str]) -> tuple[bool, str]:
    """Whether one of the tests fails, in a process that begins with what is heavy."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(reading)
        import pytest

        given = ["-x", "-q", "--tb=line", "-o", "addopts=", *files]
        os._exit(int(pytest.main(given)))
    os.close(writing)
    with os.fdopen(reading, errors="replace") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # servers and workers of a test that was ended
    last = "\n".join(said.splitlines()[-4:])
    if os.waitstatus_to_exitcode(status) == 3:
        sys.exit(f"It is pytest itself that failed:\n{last}")
    return status != 0, last


def difference(path: Path, mutant: Mutant) -> str:
    before = (ROOT / path).read_bytes()
    old, new = (text.decode().splitlines() for text in (before, mutant.apply(before)))
    return "\n".join(difflib.unified_diff(old, new, str(path), mutant.kind, n=1, lineterm=""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--begin", type=int, default=0, help="how many of them to pass over")
    parser.add_argument("--most", type=int, help="test files of the part that are run, the nearest")
    parser.add_argument("--under", default="", help="a folder, or a file")
    parser.add_argument("--list", action="store_true", help="only what would be changed")
    given = parser.parse_args()
    mutants = chosen(given.seed, given.count, given.under)[given.begin :]
    if given.list:
        print("\n".join(difference(*one) for one in mutants))
        return
    if subprocess.run(["git", "diff", "--quiet"], cwd=ROOT).returncode:
        sys.exit("Commit first: the files are changed, and put back as they were.")
    for name in HEAVY:
        importlib.import_module(name)
    noticed = 0
    for number, (path, mutant) in enumerate(mutants, given.begin + 1):
        outcome = tried(path, mutant, given.most)
        noticed += outcome.noticed
        told = "noticed " if outcome.noticed else "SURVIVED"
        print(f"{number} {told} {outcome.seconds:.0f} s {path}:{mutant.line} {mutant.kind}")
        print(outcome.said if outcome.noticed else difference(path, mutant), flush=True)
    print(f"{noticed} of {len(mutants)} were noticed (seed {given.seed})")


if __name__ == "__main__":
    main()
