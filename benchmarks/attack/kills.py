"""`kill -9` of the server and of what it started, at random moments of whole runs under load."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.attack.ledger import Ledger
from benchmarks.attack.load import Load, under
from benchmarks.attack.product import Outcome, Product
from infrastructure.deploy import deploy
from localaws.core import orphans
from rebuy.cli import local

PAUSES = {  # mean seconds between two of a kind
    "predict": 3.0, "objects": 3.0, "multipart": 15.0, "endpoint": 40.0, "redeploy": 40.0,
}  # fmt: skip
SERVER = "server"
FOLDERS = {  # a child is told by where it works
    "glue-runs": "Spark", "training": "training", "endpoints": "endpoint",
    "functions": "function", "run": "worker",
}  # fmt: skip
SERVER_SHARE = 0.4
PAUSE_SECONDS = (0.0, 8.0)
MOST_REDRIVES = 20
# How often a state of a run is disturbed by a kind, or a long job would never get the time that it
# needs, and what comes again by itself (endpoints, functions) would be most of the kills.
MOST_IN_A_STATE = {SERVER: 2, "Spark": 1, "training": 1, "worker": 2, "function": 2, "endpoint": 2}


@dataclass
class Kills:
    product: Product
    seed: int
    done: collections.Counter[str] = field(default_factory=collections.Counter)
    restarts: list[float] = field(default_factory=list)
    redriven: int = 0
    runs: int = 0

    def one(self, chance: random.Random, before: collections.Counter[str]) -> str | None:
        """Kills something; what it was. `before`: how often which was killed in this state."""
        spared = {kind for kind, most in MOST_IN_A_STATE.items() if before[kind] >= most}
        found = [each for each in children(self.product.home) if each[0] not in spared]
        if SERVER not in spared and (chance.random() < SERVER_SHARE or not found):
            began = time.monotonic()
            self.product.kill()
            self.restarts.append(time.monotonic() - began)
            kind = SERVER
        elif found:
            kind = chance.choice(sorted({kind for kind, _ in found}))
            pid = chance.choice([pid for each, pid in found if each == kind])
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            return None
        self.done[kind] += 1
        return kind

    def run(self, kills: int, chance: random.Random) -> tuple[Outcome, list[str]]:
        """One execution with kills until it has ended well; what was killed, and where."""
        self.runs += 1
        arn = self.product.start(f"kills-{self.seed}-{int(time.time())}")
        where: list[str] = []
        killed: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        redrives = 0
        while True:
            while self.done.total() < kills and not self.product.ended(arn):
                self.product.wait(arn, lambda: False, chance.uniform(*PAUSE_SECONDS))
                if self.product.ended(arn):
                    break
                place = "+".join(self.product.inside(arn)) or "between states"
                if (kind := self.one(chance, killed[place])) is not None:
                    killed[place][kind] += 1
                    where.append(f"{kind} in {place}")
            outcome = self.product.finish(arn)
            if outcome.status == "SUCCEEDED" or redrives == MOST_REDRIVES:
                return outcome, where
            where.append(f"FAILED ({outcome.reason[:150]}), redriven")
            redrives += 1
            self.redriven += 1
            self.product.connection.client("stepfunctions").redrive_execution(executionArn=arn)


def children(home: Path) -> list[tuple[str, int]]:
    """(kind, process id) of what the server of the home has started."""
    found = []
    for pid in orphans.marked(orphans.home_mark(home)):
        with contextlib.suppress(OSError, ValueError):
            place = Path(f"/proc/{pid}/cwd").readlink().relative_to(home.resolve()).parts
            if place and place[0] in FOLDERS:
                found.append((FOLDERS[place[0]], pid))
    return found


def attack(product: Product, kills: int, seed: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    chance = random.Random(seed)
    product.set_up()
    load = Load(product)
    load.set_up()
    good = product.finish(product.start("undisturbed"))
    yield f"undisturbed: {good.status} in {good.seconds:.0f} s, model {good.model[:16]}"
    state, ledger = Kills(product, seed), Ledger(product)
    with ledger.kept(seed), under(product, PAUSES, seed) as load:
        while state.done.total() < kills:
            outcome, where = state.run(kills, chance)
            yield (f"run {state.runs}: {outcome.status} in {outcome.seconds:.0f} s, model"
                   f" {outcome.model[:16]}; {'; '.join(where)}")  # fmt: skip
            if outcome.status != "SUCCEEDED" or outcome.model != good.model or outcome.problems:
                yield f"WRONG {outcome}"
    yield from (f"WRONG {problem}" for problem in load.wrong)
    yield from (f"WRONG {problem}" for problem in ledger.problems())
    yield from (f"WRONG {problem}" for problem in aftermath(product))
    kinds = ", ".join(f"{count} {kind}" for kind, count in state.done.most_common())
    yield (f"{state.done.total()} kills ({kinds}) in {state.runs} runs, {state.redriven} redriven;"
           f" {len(ledger.objects)} objects, {len(ledger.items)} items, {len(ledger.executions)}"
           " executions asked for again")  # fmt: skip
    yield f"the server was up again after {sum(state.restarts) / len(state.restarts):.1f} s (mean)"
    yield f"done meanwhile: {dict(load.done)}"
    for name, count in load.failed.most_common():
        yield f"failed meanwhile: {count} x {name}"


def aftermath(product: Product) -> Iterator[str]:
    """After all of it: the stack can be deployed, a run goes well, nothing is left behind."""
    deploy(product.connection, lambda line: None)
    outcome = product.finish(product.start("aftermath"))
    if outcome.status != "SUCCEEDED" or outcome.problems:
        yield f"the run after it: {outcome}"
    local.down(product.home)
    left = orphans.marked(orphans.home_mark(product.home))
    if left:
        yield f"processes are left: {left}"
