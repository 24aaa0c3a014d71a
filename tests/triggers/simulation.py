"""A small AWS in virtual time, to try the upload trigger in: every call may be interleaved with any
other invocation's, may take its time, and may be the last one before a crash.

As AWS has it: events at least once, late and out of order; asynchronous invocations tried three
times; a schedule that fires up to a minute late, or twice; executions that a list shows late.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from greenlet import getcurrent, greenlet

from tasks.functions import upload_trigger as trigger

SETTLE = 60.0
RETRIES = (60.0, 120.0)


class Crash(BaseException):
    """The process is gone: nothing after this call happens."""


@dataclass
class Put:
    """An object that was put; `burst` is the upload that it belongs to."""

    key: str
    version: int
    at: float
    burst: int
    modified: float


@dataclass
class Run:
    name: str
    started_at: float
    ends_at: float
    by_hand: bool
    listing: frozenset[tuple[str, int]]  # what the decision was made on
    saw: frozenset[tuple[str, int]] = frozenset()  # what the run itself lists a little later


@dataclass
class Simulation:
    """Store, World and everything around them. `crashes` is the chance at each call."""

    seed: int
    crashes: float = 0.0
    tricky: int = 0  # so many more files are put just when a decision falls
    duration: tuple[float, float] = (30.0, 900.0)
    now_: float = 1_000_000.0
    memory: trigger.Memory = field(default_factory=trigger.Memory)
    objects: dict[str, Put] = field(default_factory=dict)
    puts: list[Put] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    listings: dict[str, frozenset[tuple[str, int]]] = field(default_factory=dict)
    delivered: list[float] = field(default_factory=list)  # when events came
    crashed: int = 0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.period = 3600.0
        self.next_fire = self.now_ + self.period
        self._timing = 0  # counts changes of the schedule
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._hub = getcurrent()
        self._plan_fire()

    # -- virtual time ----------------------------------------------------------------------------

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now_ + seconds, self._count, do))

    def run_until(self, end: float) -> None:
        while self._heap and self._heap[0][0] <= end:
            self.now_, _, do = heapq.heappop(self._heap)
            do()
        self.now_ = end

    def _pause(self) -> None:
        """A call to AWS: time passes, others get their turn, and perhaps this was it."""
        me = getcurrent()
        self.after(self.random.expovariate(5.0), me.switch)
        self._hub.switch()
        if self.random.random() < self.crashes:
            self.crashed += 1
            raise Crash

    # -- Lambda ----------------------------------------------------------------------------------

    def invoke(self, work: Callable[[], object], tries: int = len(RETRIES) + 1) -> None:
        """An asynchronous invocation. The last try never crashes for an S3 event (see `put`)."""

        def body() -> None:
            try:
                work()
            except Crash:
                if tries > 1:
                    self.after(RETRIES[-tries + 1], lambda: self.invoke(work, tries - 1))

        greenlet(body, parent=self._hub).switch()

    # -- S3 and EventBridge ---------------------------------------------------------------------

    def put(self, key: str, burst: int, *, parts: float = 0.0, late: float = 0.0) -> None:
        """An object appears, and its event is delivered once to three times. In parts, S3 says
        that it was modified when its upload began."""
        version = self.objects[key].version + 1 if key in self.objects else 1
        made = Put(key, version, self.now_, burst, float(int(self.now_ - parts)))
        self.objects[key] = made
        self.puts.append(made)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            delay = self.random.choice((0.05, 0.3, self.random.uniform(0.2, 5.0)))
            if late and self.random.random() < 0.3:
                delay = self.random.uniform(0, late)
            self.after(delay, self._deliver)

    def _deliver(self) -> None:
        """At least once means that an event's handler comes to its end at some time."""

        self.delivered.append(self.now_)

        def work() -> None:
            while True:
                try:
                    trigger.on_event(self, self, SETTLE)
                    return
                except Crash:
                    self._pause_without_crash(self.random.choice(RETRIES))

        self.invoke(work)

    def _pause_without_crash(self, seconds: float) -> None:
        self.after(seconds, getcurrent().switch)
        self._hub.switch()

    def look(self) -> None:
        # Nothing promises that a look comes to its end: sometimes there is not even a second try.
        tries = 1 if self.random.random() < 0.3 else 3
        self.invoke(lambda: self.log.append(trigger.look(self, self, SETTLE)), tries)

    # -- Scheduler ---------------------------------------------------------------------------------

    def _plan_fire(self) -> None:
        timing = self._timing
        late = self.random.uniform(0, 59)

        def fire() -> None:
            if timing != self._timing:
                return
            self.look()
            if self.random.random() < 0.05:
                self.look()
            self.next_fire += self.period
            self._plan_fire()

        self.after(max(0.0, self.next_fire - self.now_) + late, fire)

    def _retime(self, first: float, period: float) -> None:
        self._timing += 1
        self.next_fire, self.period = first, period
        self._plan_fire()

    # -- Step Functions ----------------------------------------------------------------------------

    def begin(self, name: str, *, by_hand: bool = False) -> None:
        if name in self.runs:
            return  # ExecutionAlreadyExists
        ends_at = self.now_ + self.random.uniform(*self.duration)
        listing = self._listed() if by_hand else self.listings[name]
        run = self.runs[name] = Run(name, self.now_, ends_at, by_hand, listing)

        def see() -> None:
            run.saw = self._listed()

        self.after(self.random.uniform(0, 5), see)
        if self.random.random() < 0.7:  # a status event is best effort
            self.after(ends_at - self.now_ + self.random.uniform(0, 5), self.look)

    def _listed(self) -> frozenset[tuple[str, int]]:
        return frozenset((put.key, put.version) for put in self.objects.values())

    # -- upload_trigger.Store ---------------------------------------------------------------------

    def read(self) -> trigger.Memory:
        self._pause()
        return self.memory

    def note_event(self, now: float) -> None:
        self._pause()
        self.memory = replace(self.memory, events=self.memory.events + 1, last_event=now)

    def cover(self, read: trigger.Memory) -> bool:
        self._pause()
        if (self.memory.events, self.memory.covered) != (read.events, read.covered):
            return False
        self.memory = replace(self.memory, covered=read.events)
        self._play_a_trick()
        return True

    def claim(self, read: trigger.Memory, seen: str, run: trigger.Claim) -> bool:
        self._pause()
        if (self.memory.events, self.memory.covered) != (read.events, read.covered):
            return False
        self.memory = replace(self.memory, covered=read.events, seen=seen, run=run, started=False)
        self.listings[run.name] = self.listings[seen]
        self._play_a_trick()
        return True

    def _play_a_trick(self) -> None:
        if self.tricky and self.random.random() < 0.7:
            self.tricky -= 1
            number = self.tricky
            self.after(
                self.random.uniform(0, 1), lambda: self.put(f"raw/t{number}.csv", -1 - number)
            )

    def mark_started(self, name: str) -> None:
        self._pause()
        if self.memory.run is not None and self.memory.run.name == name:
            self.memory = replace(self.memory, started=True)

    # -- upload_trigger.World ---------------------------------------------------------------------

    def now(self) -> float:
        return self.now_

    def raw_objects(self) -> list[trigger.RawObject]:
        self._pause()
        found = [
            trigger.RawObject(put.key, f"etag {put.version}", 1, put.modified)
            for put in self.objects.values()
        ]
        self.listings[trigger.digest_of(found)] = self._listed()
        return found

    def start(self, run: trigger.Claim) -> None:
        self._pause()
        self.begin(run.name)

    def running(self, newest: trigger.Claim | None) -> bool:
        self._pause()
        lag = self.random.uniform(0, 3)
        for run in self.runs.values():
            known = newest is not None and run.name == newest.name
            begun = run.started_at <= self.now_ - (0 if known else lag)
            if begun and self.now_ < run.ends_at:
                return True
        return False

    def arm(self, at: float) -> None:
        self._pause()
        self._retime(max(at, self.now_), 60.0)

    def rest(self) -> None:
        self._pause()
        self._retime(self.now_ + 3600.0, 3600.0)
