"""The engine: one thread that moves every execution, timers, and workers for blocking calls.

Each round runs the steps that are ready, commits what they changed in one transaction and only
then starts their effects (API calls, announcements). An execution takes part in a round with one
step per thread of its own, so each of its transitions is committed before the next begins.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from localaws.core.clock import Clock
from localaws.core.signals import JOB_ENDED, Signals
from localaws.stepfunctions import map_run, recovery, status_events, tasks
from localaws.stepfunctions.definition import JSONATA, JSONPATH, parse
from localaws.stepfunctions.errors import RUNTIME, StateError
from localaws.stepfunctions.execution_logs import ExecutionLogs
from localaws.stepfunctions.frames import Frame
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.jsonata_language import JsonataLanguage
from localaws.stepfunctions.jsonpath_language import JsonPathLanguage
from localaws.stepfunctions.language import Language
from localaws.stepfunctions.run import HistoryFullError, Run
from localaws.stepfunctions.store import Execution, Store

T = TypeVar("T")
Step = Callable[[], None]

MAX_WORKERS = 128
ENDINGS_KEPT = 4096  # ends of jobs that were announced before anybody waited for them

logger = logging.getLogger(__name__)


class Engine:
    """Runs executions. Thread-safe: `begin`, `submit`, `poke`; the rest belongs to its thread."""

    def __init__(
        self,
        store: Store,
        integrations: Integrations,
        signals: Signals,
        clock: Clock,
        logs: ExecutionLogs,
        *,
        region: str = "us-east-1",
        account: str = "000000000000",
    ) -> None:
        self.store = store
        self.integrations = integrations
        self.region = region
        self.account = account
        self.languages: dict[str, Language] = {
            JSONPATH: JsonPathLanguage(),
            JSONATA: JsonataLanguage(),
        }
        self.runs: dict[int, Run] = {}
        self.offers: dict[str, list[tuple[Run, Frame, int]]] = {}  # activities' tasks, by ARN
        self.touched: dict[int, Run] = {}  # runs with changes to commit at the end of the round
        self._signals = signals
        self._clock = clock
        self._logs = logs
        self._ready: deque[tuple[Run | None, Step]] = deque()
        self._timers: list[tuple[float, int, Run, Step]] = []
        self._numbers = itertools.count()
        self._effects: list[Step] = []
        self._watched: dict[tuple[str, str], list[tuple[Run, Frame]]] = {}
        self._ended_jobs: deque[tuple[str, str]] = deque(maxlen=ENDINGS_KEPT)
        self._news = threading.Condition()
        self._commits = 0
        self._committed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._workers = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="sfn-task")
        self._announcer = ThreadPoolExecutor(1, thread_name_prefix="sfn-events")
        self._unsubscribe: Callable[[], None] | None = None

    # --- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Takes up every execution that was running when the store was last used."""
        if self._thread is not None:
            return
        self._unsubscribe = self._signals.subscribe(JOB_ENDED, self._job_ended)
        for row in reversed(self.store.executions(status="RUNNING")):
            self.post(None, functools.partial(recovery.resume, self, row))
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
        self._logs.stop()
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._announcer.shutdown(wait=False, cancel_futures=True)

    # --- for other threads -----------------------------------------------------------------

    def begin(self, execution: Execution) -> None:
        """Starts an execution that is in the store."""

        def step() -> None:
            run = self.adopt(execution)
            if run.log_to is not None:
                first = self.store.events(execution.id, last=1)
                self._logs.send(run.log_to, execution, first)
            run.begin()

        self.post(None, step)

    def redrive(self, execution: Execution) -> None:
        """Takes up an execution that had ended, from where it failed."""
        self.post(None, functools.partial(recovery.redrive, self, execution))

    def submit(self, function: Callable[[], T]) -> T:
        """Runs the function on the engine's thread and returns its value, once committed."""
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

        self.post(None, step)
        return future.result(60)

    def post(self, run: Run | None, step: Step) -> None:
        with self._news:
            self._ready.append((run, step))
            self._news.notify()

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

    def adopt(self, execution: Execution) -> Run:
        run = Run(self, execution, parse(self.store.definition(execution.definition)))
        self.runs[execution.id] = run
        return run

    def soon(self, run: Run, step: Step) -> None:
        self._ready.append((run, step))

    def at(self, due: float, run: Run, step: Step) -> None:
        heapq.heappush(self._timers, (due, next(self._numbers), run, step))

    def work(self, run: Run, call: Callable[[], Any], answered: Callable[[Any], None]) -> None:
        """After the commit, runs the blocking call on a worker; `answered` gets its value, or the
        StateError it raised, back on the engine's thread."""

        def job() -> None:
            try:
                value = call()
            except StateError as failure:
                value = failure
            except Exception as error:
                logger.exception("A task of %s failed inside localaws", run.execution.arn)
                value = StateError(RUNTIME, f"localaws failed inside this task: {error!r}")
            self.post(run, lambda: answered(value))

        self._effects.append(lambda: self._submit(self._workers, job))

    def _submit(self, pool: ThreadPoolExecutor, job: Step) -> None:
        if not self._stopping:
            pool.submit(job)

    def announce(self, execution: Execution) -> None:
        """Publishes the execution's status as an EventBridge event, after the commit."""
        event = status_events.event(execution, self._clock.now(), self.region, self.account)
        self._effects.append(
            lambda: self._submit(self._announcer, lambda: self._signals.publish("events", event))
        )

    def ended(self, run: Run) -> None:
        self.runs.pop(run.execution.id, None)
        if "parent" in run.execution.about:
            self._effects.append(functools.partial(self._tell_parent, run.execution))
        ending = {"service": "states", "id": run.execution.arn}
        self._effects.append(lambda: self._signals.publish(JOB_ENDED, ending))

    def _tell_parent(self, child: Execution) -> None:
        parent = self.runs.get(child.about["parent"][0])
        if parent is not None:
            self.post(parent, lambda: map_run.child_ended(parent, child))

    def watch(self, run: Run, frame: Frame) -> None:
        """Polls the frame's job as soon as its end is announced, even if that was before."""
        key = (tasks.resource_of(frame).service, str((frame.job or {}).get("id")))
        self._watched.setdefault(key, []).append((run, frame))
        if key in self._ended_jobs:
            self._wake(key)

    def start_deadline(self, run: Run) -> None:
        """The machine's TimeoutSeconds, counted from the execution's start or redrive."""
        seconds = run.machine.timeout_seconds
        if seconds is None:
            return
        began = run.execution.redriven or run.execution.started

        def overdue() -> None:
            if run.active:
                run.end_timed_out()

        self.at(began + seconds, run, overdue)

    # --- the loop --------------------------------------------------------------------------

    def _job_ended(self, payload: dict[str, Any]) -> None:
        key = (str(payload.get("service")), str(payload.get("id")))
        self.post(None, lambda: self._wake(key))

    def _wake(self, key: tuple[str, str]) -> None:
        self._ended_jobs.append(key)
        for run, frame in self._watched.pop(key, ()):
            if run.active and frame.id in run.frames:
                tasks.poll(run, frame)

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
            _, _, run, step = heapq.heappop(self._timers)
            if run.active:
                self._ready.append((run, step))
        for _ in range(len(self._ready)):
            run_or_none, step = self._ready.popleft()
            try:
                step()
            except Exception as error:
                self._crashed(run_or_none, error)
        if self.touched:
            touched, self.touched = self.touched, {}
            changes = [(run, run.take_changes()) for run in touched.values()]
            self.store.commit([change for _, change in changes])
            self._tell_committed()
            for run, change in changes:
                if run.log_to is not None and change.events:
                    self._logs.send(run.log_to, run.execution, change.events)
        effects, self._effects = self._effects, []
        for effect in effects:
            try:
                effect()
            except Exception:
                logger.exception("An effect of the Step Functions engine failed")

    def _crashed(self, run: Run | None, error: Exception) -> None:
        if run is None:
            logger.error("A step of the Step Functions engine failed", exc_info=error)
            return
        try:
            run.crashed(error)
        except HistoryFullError:
            logger.exception("No room for the end of %s", run.execution.arn)
