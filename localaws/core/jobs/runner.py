"""The life of jobs: a place, a begin, an end that is stored, announced and signalled in this order.

Beside its document, which the service shows, a job has a record as long as it is not over: what it
was started with, how often it was begun, whether it was told to stop.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Cancelled, Job, JobFailed
from localaws.core.jobs.kind import JobKind
from localaws.core.signals import EventSent, JobEnded
from localaws.shapes import Json

RECORD = "job"
CLOSE_SECONDS = 10.0  # a job's work is waited for when the server ends

logger = logging.getLogger(__name__)


class Outcome(enum.Enum):
    SUCCEEDED = enum.auto()
    FAILED = enum.auto()
    STOPPED = enum.auto()
    TIMED_OUT = enum.auto()


@dataclass(frozen=True)
class Ending:
    """How a job ended: what its work returned, or why it failed, with the error if it was one."""

    outcome: Outcome
    result: Any = None
    reason: str | None = None
    error: Exception | None = None


class JobLifecycle(Protocol):
    """A service's part in its jobs' life. `begin` and `end` store the job's document."""

    def begin(self, job: Job) -> None: ...

    def work(self, job: Job) -> Any:
        """Does it. Raises JobFailed; every other exception is a fault of ours and fails the job."""

    def end(self, job_id: str, ending: Ending) -> str | None:
        """The id of another job, whose document is stored too, that tries the same once more."""

    def event(self, job_id: str) -> Json | None:
        """The EventBridge event of the end, where AWS sends one."""

    def clear(self, job_id: str) -> None:
        """Removes what an attempt needed only while it lasted; also one that was cut off."""


def _always(job: Job, working: Sequence[Job]) -> bool:
    return True


class JobRunner:
    """Runs the jobs of one kind. `ready`: whether a job that waits may begin beside those at work;
    those that may not are passed by."""

    def __init__(
        self,
        aws: LocalAws,
        kind: JobKind,
        lifecycle: JobLifecycle,
        ready: Callable[[Job, Sequence[Job]], bool] = _always,
    ) -> None:
        self._aws = aws
        self._kind = kind
        self._lifecycle = lifecycle
        self._ready = ready
        self._lock = threading.RLock()
        self._waiting: deque[Job] = deque()
        self._working: dict[str, tuple[Job, threading.Thread]] = {}
        self._closing = False

    # Starting and stopping

    def start(self, job_id: str, request: Json, store: Callable[[], None]) -> None:
        """Runs a new job whose document `store` writes. What `store` raises is raised."""
        with self._aws.documents.transaction():
            store()
            self._aws.documents.put(RECORD, self._key(job_id), _record(job_id, request))
        self._enqueue(Job(self._aws.clock, job_id, request, again=False))

    def stop(self, job_id: str, store: Callable[[], None]) -> None:
        """Ends the job's work, also that of a later server; `store` writes that it is stopping.

        Nothing is done about a job that is over.
        """
        with self._lock:
            with self._aws.documents.transaction():
                record = self._aws.documents.get(RECORD, self._key(job_id))
                if record is None or record["ended"]:
                    return
                store()
                self._aws.documents.put(RECORD, self._key(job_id), record | {"stop": True})
            waiting = next((job for job in self._waiting if job.id == job_id), None)
            if waiting is not None:
                self._waiting.remove(waiting)
            elif job_id in self._working:
                self._working[job_id][0].stop()
        if waiting is not None:
            self._end(job_id, Ending(Outcome.STOPPED))

    def alone(self) -> bool:
        """Whether no other job is at work than the one whose work asks."""
        with self._lock:
            return len(self._working) <= 1

    # A server's beginning and end

    def recover(self) -> None:
        """Takes up what an earlier server left, in the order in which it came."""
        records = {
            record["id"]: record
            for key, record in self._aws.documents.items(RECORD)
            if key.startswith(f"{self._kind.name}/")
        }
        for job_id, document in self._aws.documents.items(self._kind.documents):
            if job_id not in records and self._kind.state_of(document) in self._kind.active:
                records[job_id] = _record(job_id, {})  # of a version that kept no records
                self._aws.documents.put(RECORD, self._key(job_id), records[job_id])
        for job_id, record in records.items():
            if record["ended"]:
                self._announce(job_id)
                continue
            self._lifecycle.clear(job_id)
            if record["stop"]:
                self._end(job_id, Ending(Outcome.STOPPED))
            elif record["begun"] >= self._kind.attempts:
                reason = "The local AWS died while this was at work, and not for the first time."
                self._end(job_id, Ending(Outcome.FAILED, reason=reason))
            else:
                self._enqueue(Job(self._aws.clock, job_id, record["request"], again=True))

    def close(self) -> None:
        """Ends every job's work; the next start of the server does it again."""
        with self._lock:
            self._closing = True
            self._waiting.clear()
            working = list(self._working.values())
        for job, _ in working:
            job.close()
        for _, thread in working:
            thread.join(CLOSE_SECONDS)

    # One job

    def _key(self, job_id: str) -> str:
        return f"{self._kind.name}/{job_id}"

    def _enqueue(self, job: Job, *, first: bool = False) -> None:
        with self._lock:
            if not self._closing:  # else it is the next server's
                self._waiting.insert(0 if first else len(self._waiting), job)
                self._fill()

    def _fill(self) -> None:
        slots = self._kind.slots
        for job in list(self._waiting):
            if slots is not None and len(self._working) >= slots:
                return
            if not self._ready(job, [each for each, _ in self._working.values()]):
                continue
            self._waiting.remove(job)
            thread = threading.Thread(target=self._run, args=(job,), name=job.id, daemon=True)
            self._working[job.id] = (job, thread)
            thread.start()

    def _run(self, job: Job) -> None:
        try:
            ending = self._worked(job)
            if self._closing and ending.outcome is not Outcome.SUCCEEDED:
                self._begun(job.id, -1)  # a server that ends in order is no death
            else:
                self._end(job.id, ending)
        except Exception:
            logger.exception("The job %s could not be ended", job.id)
        finally:
            with self._lock:
                del self._working[job.id]
                if not self._closing:
                    self._fill()

    def _worked(self, job: Job) -> Ending:
        try:
            with self._aws.documents.transaction():
                self._begun(job.id, +1)
                self._lifecycle.begin(job)
            return Ending(Outcome.SUCCEEDED, self._lifecycle.work(job))
        except Cancelled:
            late = job.late and not job.stopped
            return Ending(Outcome.TIMED_OUT if late else Outcome.STOPPED)
        except JobFailed as failed:
            return Ending(Outcome.FAILED, reason=str(failed), error=failed)
        except Exception as error:
            if not self._closing:
                logger.exception("The job %s failed inside localaws", job.id)
            return Ending(Outcome.FAILED, reason=f"localaws failed: {error!r}", error=error)
        finally:
            self._lifecycle.clear(job.id)

    def _begun(self, job_id: str, change: int) -> None:
        with self._aws.documents.changing(RECORD, self._key(job_id)) as record:
            record["begun"] += change

    def _end(self, job_id: str, ending: Ending) -> None:
        with self._aws.documents.transaction():
            again = self._lifecycle.end(job_id, ending)
            with self._aws.documents.changing(RECORD, self._key(job_id)) as record:
                record["ended"] = True
            request = record["request"]
            if again is not None:
                self._aws.documents.put(RECORD, self._key(again), _record(again, request))
        self._announce(job_id)
        if again is not None:  # in the place of the one that has ended
            self._enqueue(Job(self._aws.clock, again, request, again=False), first=True)

    def _announce(self, job_id: str) -> None:
        """Tells the end that is stored; told again by the next server if this one dies here."""
        event = self._lifecycle.event(job_id)
        if event is not None:
            self._aws.signals.publish(EventSent(event))
        self._aws.documents.delete(RECORD, self._key(job_id))
        self._aws.signals.publish(JobEnded(self._kind.service, job_id))


def _record(job_id: str, request: Json) -> Json:
    return {"id": job_id, "request": request, "begun": 0, "stop": False, "ended": False}
