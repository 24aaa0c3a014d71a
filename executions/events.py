"""The events of an execution: read page by page, kept, and asked again only for what is new."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

Json = dict[str, Any]

PAGE_EVENTS = 1000
# A look at the end of a running history: more than this between two looks takes another page.
TAIL_EVENTS = 100
RUNNING = {"RUNNING", "PENDING_REDRIVE"}
# How long a request for news may be held; a watcher that has left is noticed after it.
HELD_SECONDS = 5

_headers: ContextVar[dict[str, str] | None] = ContextVar("headers", default=None)


def let_wait(step_functions: Any) -> None:
    """Makes `Events.wait` a request that the endpoint may hold until there is news
    (`Prefer: wait`, RFC 7240; the local AWS does). Where it does not, the answer comes at once."""

    def add(params: Json, **_: Any) -> None:
        params["headers"].update(_headers.get() or {})

    step_functions.meta.events.register("before-call.sfn.GetExecutionHistory", add)


class Events:
    """One execution: its description and its events so far, oldest first."""

    def __init__(self, step_functions: Any, arn: str) -> None:
        self._client = step_functions
        self.arn = arn
        self.description: Json = {}
        self.events: list[Json] = []
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._token: str | None = None
        self._caught_up = False

    @property
    def ended(self) -> bool:
        """Whether it is over and everything has been read."""
        return self._caught_up and self.description.get("status") not in RUNNING

    @property
    def caught_up(self) -> bool:
        """Whether the history has been read up to its end at the time."""
        return self._caught_up

    def look(self, every_seconds: float, *, again: bool = False) -> None:
        """One look: the description and the events since. Several watchers share a look that is
        younger than `every_seconds`; an ended execution is not looked at but `again`."""
        with self._lock:
            now = time.monotonic()
            if self._caught_up and now - self._looked_at < every_seconds:
                return
            if self.ended and not again:
                return
            # Status first: when it says that the execution is over, the events read after it
            # are all there are.
            description = self._client.describe_execution(executionArn=self.arn)
            description.pop("ResponseMetadata", None)
            if self._caught_up:
                self._read_tail()
            else:
                self._read_page()
            self.description = description
            self._looked_at = time.monotonic()

    def read_all(self, every_seconds: float = 0.0) -> list[Json]:
        """Looks until everything there is has been read."""
        self.look(every_seconds)
        while not self._caught_up:
            self.look(every_seconds)
        return self.events

    def follow(self, poll_seconds: float) -> Iterator[Json]:
        """Every event, as it happens, until the execution has ended."""
        told = 0
        while True:
            self.look(0.0)
            yield from self.events[told:]
            told = len(self.events)
            if self.ended:
                return
            if self._caught_up:
                time.sleep(poll_seconds)

    def wait(self, at_least_seconds: float) -> bool:
        """Whether there is a new event: as soon as the endpoint tells, else after
        `at_least_seconds`, or later if it held the request."""
        last = self.events[-1]["id"] if self.events else 0
        began = time.monotonic()
        token = _headers.set({"Prefer": f"wait={HELD_SECONDS}", "If-None-Match": f'"{last}"'})
        try:
            answer = self._client.get_execution_history(
                executionArn=self.arn, maxResults=1, reverseOrder=True
            )
        finally:
            _headers.reset(token)
        if any(event["id"] > last for event in answer["events"]):
            return True
        time.sleep(max(0.0, at_least_seconds - (time.monotonic() - began)))
        return False

    def event(self, number: int) -> Json | None:
        """The whole event, payloads and all."""
        return next((event for event in self.events if event["id"] == number), None)

    def _read_page(self) -> None:
        token = {"nextToken": self._token} if self._token else {}
        answer = self._client.get_execution_history(
            executionArn=self.arn, maxResults=PAGE_EVENTS, **token
        )
        self.events.extend(answer["events"])
        self._token = answer.get("nextToken")
        self._caught_up = self._token is None

    def _read_tail(self) -> None:
        """Newest first, until what is known already."""
        last = self.events[-1]["id"] if self.events else 0
        fresh: list[Json] = []
        token: Json = {}
        while True:
            answer = self._client.get_execution_history(
                executionArn=self.arn, maxResults=TAIL_EVENTS, reverseOrder=True, **token
            )
            fresh += [event for event in answer["events"] if event["id"] > last]
            known = any(event["id"] <= last for event in answer["events"])
            if known or not answer.get("nextToken"):
                break
            token = {"nextToken": answer["nextToken"]}
        # Some endpoints leave reverseOrder out.
        self.events.extend(sorted(fresh, key=lambda event: event["id"]))


def all_events(step_functions: Any, arn: str) -> Iterator[Json]:
    """Every event that there is now, oldest first, without a description."""
    token: Json = {}
    while True:
        answer = step_functions.get_execution_history(
            executionArn=arn, maxResults=PAGE_EVENTS, **token
        )
        yield from answer["events"]
        if not answer.get("nextToken"):
            return
        token = {"nextToken": answer["nextToken"]}
