"""The thread that notices what is due. It remembers the last run it saw, over restarts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from localaws.core.aws import LocalAws
from localaws.events.expressions import Expression, Rate, next_time
from localaws.shapes import Json

Item = tuple[Json, Expression, datetime]  # what is scheduled, when, and since when (its anchor)
logger = logging.getLogger(__name__)

LONGEST_NAP = 30.0  # seconds: a machine that slept notices within this time
LATEST = timedelta(hours=24)  # an older missed run is given up, as EventBridge's event age does


class Runner:
    """Calls `fire(item, due)` once for every time that comes.

    After a pause (the machine slept, the server was off) at most one missed run of each item is
    made up for, the latest. `items` are documents with an `Arn`, and, if they have them,
    `ScheduleExpressionTimezone`, `StartDate` and `EndDate`.
    """

    def __init__(
        self,
        aws: LocalAws,
        name: str,
        items: Callable[[], list[Item]],
        fire: Callable[[Json, datetime], None],
    ) -> None:
        self._aws = aws
        self._kind = f"scheduler-last {name}"
        self._items = items
        self._fire = fire
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"clock of {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def changed(self) -> None:
        """Something was added or changed: look at once."""
        self._changed.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            try:
                nap = self.tick(self._aws.clock.now())
            except Exception:
                if self._stopping.is_set():
                    return
                logger.exception("The clock stumbled")
                nap = LONGEST_NAP
            self._aws.clock.sleep(nap, self._changed)

    def tick(self, now: datetime) -> float:
        """Fires what is due at `now`; the seconds until something can be due again."""
        nap = LONGEST_NAP
        for item, expression, anchor in self._items():
            kept = self._aws.documents.get(self._kind, item["Arn"])
            seen = max(kept["last"], anchor) if kept else anchor
            due, following = due_at(item, expression, anchor, seen, now)
            if due is not None:
                self._aws.documents.put(self._kind, item["Arn"], {"last": due})
                if now - due <= LATEST:
                    self._fire(item, due)
            if following is not None:
                nap = min(nap, max(0.05, (following - now).total_seconds()))
        return nap


def due_at(
    item: Json, expression: Expression, anchor: datetime, seen: datetime, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """(the latest time after `seen` that has come, the first that has not)."""
    zone = ZoneInfo(item.get("ScheduleExpressionTimezone", "UTC"))
    start, end = item.get("StartDate"), item.get("EndDate")
    if start is not None:
        # A time equal to StartDate counts, and a rate runs at StartDate itself.
        seen = max(seen, start - timedelta(microseconds=1))
        anchor = start
    due = None
    following = _following(expression, seen, zone, anchor, start)
    while following is not None and following <= now:
        if end is not None and following > end:
            return due, None
        due = following
        following = _following(expression, following, zone, anchor, start)
    if following is not None and end is not None and following > end:
        following = None
    return due, following


def _following(
    expression: Expression,
    after: datetime,
    zone: ZoneInfo,
    anchor: datetime,
    start: datetime | None,
) -> datetime | None:
    if isinstance(expression, Rate) and start is not None and after < start:
        return start
    return next_time(expression, after, zone, anchor=anchor)
