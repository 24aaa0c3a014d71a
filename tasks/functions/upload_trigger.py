"""When an upload starts a run: the decisions, as functions over a store, a clock and a world.

Events are hints and the listing of raw/ is the truth: an event only says "look soon". So lost order
and duplicates cannot matter. docs/triggers.md has the argument, tests/triggers the simulation.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

AGAIN_SECONDS = 60.0  # until the next look while something is pending


@dataclass(frozen=True)
class RawObject:
    """An object below raw/ as S3 lists it; `modified` in seconds since 1970."""

    key: str
    etag: str
    bytes: int
    modified: float


@dataclass(frozen=True)
class Claim:
    """A run that was decided on. Name and input are kept before it is started, so that whoever
    starts it, and however often, starts the same one."""

    name: str
    input: str
    claimed_at: float


@dataclass(frozen=True)
class Memory:
    """What is remembered between two looks: one item of the table."""

    events: int = 0  # how many events have come, duplicates too
    covered: int = 0  # how many of them had come when the listing was last found to be `seen`
    last_event: float = 0.0
    seen: str = ""  # digest of the listing that the newest run was decided on
    run: Claim | None = None
    started: bool = True  # whether StartExecution has answered for `run`

    @property
    def pending(self) -> bool:
        return self.events > self.covered


class Store(Protocol):
    """Every write is one atomic write of one item; reads are consistent."""

    def read(self) -> Memory: ...

    def note_event(self, now: float) -> None:
        """events + 1, last_event = now."""

    def cover(self, read: Memory) -> bool:
        """covered = read.events, if events and covered are as read; else False."""

    def claim(self, read: Memory, seen: str, run: Claim) -> bool:
        """The same, with seen, run, and started = False."""

    def mark_started(self, name: str) -> None:
        """started = True, if the run is still `name`."""


class World(Protocol):
    def now(self) -> float: ...

    def raw_objects(self) -> list[RawObject]: ...

    def start(self, run: Claim) -> None:
        """Starts the execution; one of this name that is there already is well."""

    def running(self, newest: Claim | None) -> bool:
        """Whether any run is in progress; `newest` is the one that was started here last."""

    def arm(self, at: float) -> None:
        """The schedule looks at `at`, and from then on every minute."""

    def rest(self) -> None:
        """The schedule looks once an hour."""


def on_event(store: Store, world: World, settle_seconds: float) -> None:
    """Something was put below raw/. The order counts: first noted, then armed."""
    now = world.now()
    store.note_event(now)
    world.arm(now + settle_seconds)


def look(store: Store, world: World, settle_seconds: float) -> str:
    """One look at raw/; what came of it, for the log. Any step may be the last one before a
    crash: the schedule is at rest only when nothing is pending."""
    memory = store.read()
    if memory.run is not None and not memory.started:
        world.start(memory.run)
        store.mark_started(memory.run.name)
    if not memory.pending:
        return rest(store, world, "nothing pending")

    objects = world.raw_objects()
    digest = digest_of(objects)
    if not objects or digest == memory.seen:
        if store.cover(memory):
            return rest(store, world, "nothing that the last run had not seen")
        return again(world, "another event came")
    now = world.now()
    quiet_since = max(memory.last_event, *(entry.modified for entry in objects))
    if now < quiet_since + settle_seconds:
        world.arm(quiet_since + settle_seconds)
        return "the upload has not settled"
    if world.running(memory.run):
        return again(world, "a run is in progress")

    run = Claim(name_of(now, digest), input_of(objects, digest), now)
    if not store.claim(memory, digest, run):
        return again(world, "another event came")
    world.start(run)
    store.mark_started(run.name)
    return rest(store, world, f"started {run.name}")


def again(world: World, outcome: str) -> str:
    world.arm(world.now() + AGAIN_SECONDS)
    return outcome


def rest(store: Store, world: World, outcome: str) -> str:
    """An event that came meanwhile may have armed the schedule before it was put to rest: so
    rest first, then look whether that was right."""
    world.rest()
    memory = store.read()
    if memory.pending or not memory.started:
        world.arm(world.now() + 1.0)
    return outcome


def digest_of(objects: Sequence[RawObject]) -> str:
    """Names the listing: the same objects, in any order, give the same text."""
    lines = sorted([entry.key, entry.etag, entry.bytes, entry.modified] for entry in objects)
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def name_of(claimed_at: float, digest: str) -> str:
    """The execution's name: readable, and never that of an earlier claim."""
    return f"upload-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(claimed_at))}-{digest[:12]}"


def input_of(objects: Sequence[RawObject], digest: str) -> str:
    """The execution's input as text."""
    told: dict[str, Any] = {
        "objects": len(objects),
        "bytes": sum(entry.bytes for entry in objects),
        "newest": max(objects, key=lambda entry: (entry.modified, entry.key)).key,
        "listing_sha256": digest,
    }
    return json.dumps({"upload": told}, sort_keys=True)
