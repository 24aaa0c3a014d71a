"""A disk that is full at random moments: what was answered is kept, what failed says so.

The home is on a file system in memory, of a given size, which another file fills. It is mounted
where only this process and its children see it: no right is needed, and nothing stays.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.attack.ledger import Ledger
from benchmarks.attack.load import Load, under
from benchmarks.attack.product import Product

MEGABYTES = 2048
PAUSES = {"objects": 2.0, "multipart": 15.0, "predict": 2.0, "query": 5.0}
PAUSE_SECONDS = (1.0, 20.0)
FULL_SECONDS = (0.5, 5.0)
MOST_REDRIVES = 10
INSIDE = "REBUY_ATTACK_DISK"


def enter(arguments: Sequence[str]) -> int | None:
    """Runs this program again within a view of its own of what is mounted; its exit code. None
    when that is where we are."""
    if os.environ.get(INSIDE):
        return None
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m"]
    command += ["benchmarks.attack", *arguments]
    return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode


def mount(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={MEGABYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)


def fill(disk: Path, seconds: float) -> None:
    """Not a byte is free meanwhile."""
    balloon = disk / "balloon"
    deadline = time.monotonic() + seconds
    try:
        with balloon.open("wb", buffering=0) as out:
            while time.monotonic() < deadline:
                free = shutil.disk_usage(disk).free
                with contextlib.suppress(OSError):
                    os.posix_fallocate(out.fileno(), out.seek(0, 2), max(4096, free))
                time.sleep(0.02)  # what others give back is taken too
    finally:
        balloon.unlink(missing_ok=True)


def attack(product: Product, fills: int, seed: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    chance = random.Random(seed)
    disk = product.home.parent
    mount(disk)
    product.set_up()
    load = Load(product)
    load.set_up()
    good = product.finish(product.start("undisturbed"))
    yield f"undisturbed: {good.status} in {good.seconds:.0f} s, model {good.model[:16]}"
    ledger, done, number, redriven = Ledger(product), 0, 0, 0
    with ledger.kept(seed), under(product, PAUSES, seed) as load:
        while done < fills:
            number += 1
            arn, redrives = product.start(f"full-{number}"), 0
            where = []
            while True:
                while done < fills and not product.ended(arn):
                    product.wait(arn, lambda: False, chance.uniform(*PAUSE_SECONDS))
                    where.append("+".join(product.inside(arn)) or "between states")
                    fill(disk, chance.uniform(*FULL_SECONDS))
                    done += 1
                outcome = product.finish(arn)
                if outcome.status == "SUCCEEDED" or redrives == MOST_REDRIVES:
                    break
                where.append(f"FAILED ({outcome.reason[:150]}), redriven")
                redrives, redriven = redrives + 1, redriven + 1
                product.connection.client("stepfunctions").redrive_execution(executionArn=arn)
            yield f"run {number}: {outcome.status}, model {outcome.model[:16]}; {'; '.join(where)}"
            if outcome.status != "SUCCEEDED" or outcome.model != good.model or outcome.problems:
                yield f"WRONG {outcome}"
    yield from (f"WRONG {problem}" for problem in load.wrong)
    yield from (f"WRONG {problem}" for problem in ledger.problems())
    yield (f"the disk was full {done} times in {number} runs, {redriven} redriven;"
           f" {len(ledger.objects)} objects, {len(ledger.items)} items, {len(ledger.executions)}"
           " executions asked for again")  # fmt: skip
    for name, count in load.failed.most_common():
        yield f"failed meanwhile: {count} x {name}"
