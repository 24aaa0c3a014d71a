"""The engine: one thread that moves every execution, timers, and workers for blocking calls.

Each round runs the steps that are ready, commits what they changed in one transaction and only
then starts their effects (API calls, announcements). An execution takes part in a round with one
step per thread of its own, so each of its transitions is committed before the next begins.

The layers below, each of which knows only what is under it: recovery (executions from the
journal), states (what each type does), run (what an execution is), host (what a run needs of
this file), journal and records.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from localaws.core.clock import Clock
from localaws.core.signals import EventSent, JobEnded, Signals
from localaws.shapes import Json
from localaws.stepfunctions import map_run, recovery, status_events
from localaws.stepfunctions.definition import JSONATA, JSONPATH, parse
from localaws.stepfunctions.errors import RUNTIME, StateError
from localaws.stepfunctions.execution_logs import ExecutionLogs
from localaws.stepfunctions.host import Step, Take
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.jsonata_language import JsonataLanguage
from localaws.stepfunctions.jsonpath_language import JsonPathLanguage
from localaws.stepfunctions.language import Language
from localaws.stepfunctions.records import Event, Execution
from localaws.stepfunctions.resources import Resources
from localaws.stepfunctions.run import Run
from localaws.stepfunctions.states import KINDS
from localaws.stepfunctions.steps import HistoryFullError

T = TypeVar("T")

MAX_WORKERS = 128
UNCOMMITTED_STEPS = 500
MAX_SLOW_STEPS = 8  # steps that evaluate what may take long, at the same time
ENDINGS_KEPT = 4096  # ends of jobs that were announced before anybody waited for them

logger = logging.getLogger(__name__)


class Engine:
    """Runs executions; the `Host` of their runs. Thread-safe: `start_execution`, `redrive`,
    `submit`, `post`, `poke`, `wait_until`; the rest belongs to its thread."""

    def __init__(
        self,
        journal: Journal,
        resources: Resources,
        integrations: Integrations,
        signals: Signals,
        clock: Clock,
        logs: ExecutionLogs,
        settle: Callable[[], None],
        *,
        region: str = "us-east-1",
        account: str = "000000000000",
    ) -> None:
        self.journal = journal
        self.resources = resources
        self.integrations = integrations
        self.region = region
        self.account = account
        self.languages: dict[str, Language] = {
            JSONPATH: JsonPathLanguage(),
            JSONATA: JsonataLanguage(),
        }
        self.runs: dict[int, Run] = {}
        self.taken_up = threading.Event()  # all that ran when the store was last used, in `runs`
        self.offers: dict[str, list[Take]] = {}  # activities' tasks, by ARN
        self._ends: dict[int, Callable[[Execution], None]] = {}  # of EXPRESS executions
        self._touched: dict[int, Run] = {}  # runs with changes to commit at the end of the round
        self._signals = signals
        self._clock = clock
        self._logs = logs
        self._settle = settle
        self._ready: deque[tuple[int | None, Step, bool]] = deque()
        self._timers: list[tuple[float, int, int, Step, bool]] = []
        self._aside: dict[int, list[tuple[int | None, Step, bool]]] = {}  # steps that wait, by run
        self._numbers = itertools.count()
        self._effects: list[Step] = []
        self._watched: dict[tuple[str, str], list[Step]] = {}
        self._ended_jobs: deque[tuple[str, str]] = deque(maxlen=ENDINGS_KEPT)
        self._news = threading.Condition()
        self._commits = 0
        self._committed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._workers = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="sfn-task")
        self._announcer = ThreadPoolExecutor(1, thread_name_prefix="sfn-events")
        self._slow = ThreadPoolExecutor(MAX_SLOW_STEPS, thread_name_prefix="sfn-expression")
        self._unsubscribe: Callable[[], None] | None = None

    # --- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Takes up every execution that was running when the store was last used."""
        if self._thread is not None:
            return
        self._unsubscribe = self._signals.subscribe(JobEnded, self._job_ended)
        for row in reversed(self.journal.executions(status="RUNNING")):
            self.post(None, functools.partial(self._take_up, row, recovery.resume))
        self.post(None, self.taken_up.set)
        self._thread = threading.Thread(target=self._loop, name="sfn-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops moving executions; they stay RUNNING in the store and are taken up at `start`."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._tell_committed()
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._thread is not None:
            self._thread.join(10)
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._announcer.shutdown(wait=False, cancel_futures=True)
        self._slow.shutdown(wait=False, cancel_futures=True)

    # --- for other threads -----------------------------------------------------------------

    def submit(self, function: Callable[[], T], execution: int | None = None) -> T:
        """Runs the function on the engine's thread and returns its value, once committed; one that
        touches an execution waits for the step that it is in."""
        if threading.current_thread() is self._thread:
            return function()
        future: Future[T] = Future()

        def step() -> None:
            try:
                value = function()
            except BaseException as error:
                self._effects.append(functools.partial(future.set_exception, error))
                return
            self._effects.append(lambda: future.set_result(value))

        self.post(None if execution not in self.runs else execution, step)
        return future.result(60)

    def post(self, execution: int | None, step: Step, *, slow: bool = False) -> None:
        """Runs the step in the next round; a fault in it is the execution's."""
        with self._news:
            self._ready.append((execution, step, slow))
            self._news.notify()

    @property
    def stopping(self) -> bool:
        return self._stopping

    def poke(self) -> None:
        """Looks at the clock again: for clocks that do not run by themselves."""
        with self._news:
            self._news.notify()

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Blocks until `holds()`, looked at after every commit, for `seconds` at the most."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self._commits
            if holds():
                return True
            with self._committed:
                if not self._committed.wait_for(
                    lambda: self._stopping or self._commits != seen,  # noqa: B023
                    deadline - time.monotonic(),
                ):
                    return False
            if self._stopping:
                return holds()

    def _tell_committed(self) -> None:
        with self._committed:
            self._commits += 1
            self._committed.notify_all()

    # --- for runs --------------------------------------------------------------------------

    def now(self) -> float:
        return self._clock.now().timestamp()

    @property
    def wait_scale(self) -> float:
        return self._clock.wait_scale

    def touch(self, execution: int) -> None:
        self._touched[execution] = self.runs[execution]

    def soon(self, execution: int, step: Step, *, slow: bool) -> None:
        self._ready.append((execution, step, slow))

    def at(self, due: float, execution: int, step: Step, *, slow: bool) -> None:
        heapq.heappush(self._timers, (due, next(self._numbers), execution, step, slow))

    def work(
        self,
        execution: int,
        call: Callable[[], Any],
        answered: Callable[[Any], None],
        *,
        slow: bool,
    ) -> None:
        def job() -> None:
            try:
                value = call()
            except StateError as failure:
                value = failure
            except Exception as error:
                logger.exception("A task of execution %d failed inside localaws", execution)
                value = StateError(RUNTIME, f"localaws failed inside this task: {error!r}")
            self.post(execution, lambda: answered(value), slow=slow)

        self._submit(self._workers, job)

    def _submit(self, pool: ThreadPoolExecutor, job: Step) -> None:
        if not self._stopping:
            pool.submit(job)

    def watch(self, service: str, job: str, wake: Step) -> None:
        key = (service, job)
        self._watched.setdefault(key, []).append(wake)
        if key in self._ended_jobs:
            self._wake(key)

    def offer(self, activity_arn: str, take: Take) -> None:
        self.offers.setdefault(activity_arn, []).append(take)

    def announce(self, execution: Execution) -> None:
        if execution.express:
            return
        event = status_events.event(execution, self._clock.now(), self.region, self.account)
        self._submit(self._announcer, lambda: self._signals.publish(EventSent(event)))

    def begin(self, executions: Sequence[Execution]) -> None:
        for execution in executions:
            self.post(None, functools.partial(self._begin, execution))

    def redrive(self, executions: Sequence[Execution]) -> None:
        for execution in executions:
            self.post(None, functools.partial(self._take_up, execution, recovery.redrive))

    def abort(self, executions: Sequence[Execution]) -> None:
        for execution in executions:
            self.post(execution.id, functools.partial(self.end_aborted, execution.id, None, None))

    def end_aborted(self, execution: int, error: str | None, cause: str | None) -> None:
        """Ends the execution, if it still runs; on the engine's thread."""
        run = self.runs.get(execution)
        if run is not None and run.active:
            run.end_aborted(error, cause)

    def update_map_run(self, execution: int, arn: str, changes: Json) -> None:
        """New limits for a map run of the execution, once they are committed."""

        def update() -> None:
            run = self.runs.get(execution)
            if run is not None and run.active:
                map_run.update(run, arn, changes)

        self.submit(update, execution)

    def ended(self, execution: Execution) -> None:
        self.runs.pop(execution.id, None)
        ended = self._ends.pop(execution.id, None)
        if ended is not None:
            ended(execution)
            return
        if "parent" in execution.about:
            parent = self.runs.get(execution.about["parent"][0])
            if parent is not None:
                step = functools.partial(map_run.child_ended, parent, execution)
                frame = parent.frames.get(execution.about["parent"][1])
                self.post(parent.id, step, slow=frame is not None and frame.state.slow)
        self._signals.publish(JobEnded("states", execution.arn))

    # --- executions -------------------------------------------------------------------------

    def _adopt(self, execution: Execution) -> Run:
        machine = parse(self.journal.definition(execution.definition))
        run = Run(self, execution, machine, KINDS)
        self.runs[execution.id] = run
        return run

    def begin_express(
        self, execution: Execution, started: Event, ended: Callable[[Execution], None]
    ) -> None:
        """Starts an execution that is in no journal; `ended` is called with it at its end."""
        self._ends[execution.id] = ended

        def begin() -> None:
            run = self._adopt(execution)
            if run.log_to is not None:
                self._logs.send(run.log_to, execution, [started])
            run.begin()

        self.post(None, begin)

    def _begin(self, execution: Execution) -> None:
        run = self._adopt(execution)
        if run.log_to is not None:
            self._logs.send(run.log_to, execution, self.journal.events(execution.id, last=1))
        run.begin()

    def _take_up(self, execution: Execution, how: Callable[[Run], None]) -> None:
        how(self._adopt(execution))

    # --- the loop --------------------------------------------------------------------------

    def _job_ended(self, signal: JobEnded) -> None:
        key = (signal.service, signal.id)
        self.post(None, lambda: self._wake(key))

    def _wake(self, key: tuple[str, str]) -> None:
        self._ended_jobs.append(key)
        for wake in self._watched.pop(key, ()):
            wake()

    def _loop(self) -> None:
        while True:
            with self._news:
                while not self._stopping and not self._ready and not self._timer_due():
                    self._news.wait(self._seconds_to_timer())
                if self._stopping:
                    return
            try:
                self._round()
            except Exception:  # the thread must outlive any fault: everything hangs on it
                logger.exception("A round of the Step Functions engine failed")

    def _timer_due(self) -> bool:
        return bool(self._timers) and self._timers[0][0] <= self.now()

    def _seconds_to_timer(self) -> float | None:
        return max(0.0, self._timers[0][0] - self.now()) if self._timers else None

    def _round(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            _, _, execution, step, slow = heapq.heappop(self._timers)
            if execution in self.runs:
                self._ready.append((execution, step, slow))
        for _ in range(len(self._ready)):
            self._step(*self._ready.popleft())
        for _ in range(UNCOMMITTED_STEPS):  # EXPRESS executions need no commit between steps
            if not self._ready or (self._ready[0][0] or 0) >= 0:
                break
            self._step(*self._ready.popleft())
        touched = [number for number in list(self._touched) if number not in self._aside]
        if touched:
            runs = [self._touched.pop(number) for number in touched]
            changes = [(run, run.take_changes()) for run in runs]
            kept = [run.kept(change) for run, change in changes]
            if any(
                change.ended and "parent" not in run.execution.about
                for (run, _), change in zip(changes, kept, strict=True)
            ):
                self._put_on_disk()
            self.journal.commit([change for change in kept if change.writes()])
            self._tell_committed()
            for run, change in changes:
                if run.log_to is not None and change.events:
                    self._logs.send(run.log_to, run.execution, change.events)
                self._effects += change.effects
        effects, self._effects = self._effects, []
        for effect in effects:
            try:
                effect()
            except Exception:
                logger.exception("An effect of the Step Functions engine failed")

    def _put_on_disk(self) -> None:
        """What an execution did outlives a power cut before anybody is told that it has ended.

        Of a Map Run's children only their parent is told, so its own end is early enough.
        """
        try:
            self._settle()
        except OSError:
            logger.exception("The disk did not take all that was written")

    def _step(self, execution: int | None, step: Step, slow: bool) -> None:
        if execution is not None and execution in self._aside:
            self._aside[execution].append((execution, step, slow))
        elif slow and execution is not None and not self._stopping:
            self._aside[execution] = []
            self._slow.submit(self._step_aside, execution, step)
        else:
            self._perform(execution, step)

    def _perform(self, execution: int | None, step: Step) -> None:
        try:
            step()
        except Exception as error:
            self._crashed(execution, error)

    def _step_aside(self, execution: int, step: Step) -> None:
        """A step that may take long, on a thread of its own. Meanwhile nobody else touches its
        execution, and nothing of it is committed."""
        self._perform(execution, step)

        def back() -> None:
            self._ready.extendleft(reversed(self._aside.pop(execution)))

        self.post(None, back)

    def _crashed(self, execution: int | None, error: Exception) -> None:
        run = None if execution is None else self.runs.get(execution)
        if run is None:
            logger.error("A step of the Step Functions engine failed", exc_info=error)
            return
        try:
            run.crashed(error)
        except HistoryFullError:
            logger.exception("No room for the end of %s", run.execution.arn)
