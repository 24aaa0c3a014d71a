"""Events: written to a stream, read from one, and looked for in many.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from localaws.core.service import Call, Service
from localaws.logs.errors import MOST_EVENTS, invalid, limit, no_stream
from localaws.logs.groups import Groups
from localaws.logs.patterns import compiled
from localaws.logs.store import DAY_MS, Event, LogStore, Place
from localaws.shapes import Json
from localaws.sqlite import Row

MOST_BYTES = 1_048_576  # of a call of PutLogEvents, and of an answer
EVENT_BYTES = 26  # what an event counts beside its message
EARLY_MS = 2 * 3_600_000  # in the future
LATE_MS = 14 * DAY_MS
FOREVER_MS = 1 << 62
MOST_STREAMS = 100
NUMBER_DIGITS, TIME_DIGITS = 30, 26  # of an event's id and of tokens


class Events:
    def __init__(self, store: LogStore, groups: Groups) -> None:
        self._store = store
        self._groups = groups

    def register(self, service: Service) -> None:
        group = ("logGroupName", "logGroupIdentifier")
        time = ("startTime", "endTime", "nextToken", "limit", "unmask")
        service.operation(
            *("PutLogEvents", "logGroupName", "logStreamName", "logEvents", "sequenceToken"),
        )(self.put)
        service.operation("GetLogEvents", *group, *time, "logStreamName", "startFromHead")(self.get)
        service.operation(
            *("FilterLogEvents", *group, *time, "logStreamNames", "logStreamNamePrefix"),
            *("filterPattern", "interleaved"),
        )(self.filter)

    def put(self, call: Call) -> Json:
        """A sequence token is taken and, as on AWS since 2023, not looked at."""
        given = [(event["timestamp"], event["message"]) for event in call.params["logEvents"]]
        _check(given)
        stream, group = self._groups.find_stream(call), self._groups.find(call)
        now_ms = self._groups.now_ms()
        taken, refused = _taken(given, now_ms, group["retention_days"])
        writes = self._store.add(stream["id"], taken, now_ms) if taken else stream["writes"]
        self._store.sweep(group, now_ms)
        rejected = {"rejectedLogEventsInfo": refused} if refused else {}
        return {"nextSequenceToken": str(writes + 1), **rejected}

    def get(self, call: Call) -> Json:
        """A page of a stream. A token of the end is given again: what comes later is after it."""
        params, stream = call.params, self._groups.find_stream(call)
        between = self._between(call)
        from_head, beyond = bool(params.get("startFromHead")), None
        if token := params.get("nextToken"):
            from_head, beyond = _direction_and_place(token)
        events, _ = _page(
            self._store.events([stream], between, beyond, newest_first=not from_head),
            limit(params, MOST_EVENTS),
        )
        if not from_head:
            events.reverse()
        first, last = _ends(events, from_head, beyond or Place(between[0], 0))
        return {
            "events": [_told(event) for event in events],
            "nextForwardToken": f"f/{_written(last)}/s",
            "nextBackwardToken": f"b/{_written(first)}/s",
        }

    def filter(self, call: Call) -> Json:
        """Events of all chosen streams by time; `limit` counts those that match."""
        params = call.params
        matches = compiled(params.get("filterPattern", ""))
        streams = self._chosen(call)
        token = params.get("nextToken")
        found: list[Event] = []
        more = False
        if streams:
            beyond = _place_in(token) if token else None
            events = self._store.events(streams, self._between(call), beyond)
            wanted = (event for event in events if matches(event.message))
            found, more = _page(wanted, limit(params, MOST_EVENTS))
        answer = {
            "events": [
                {"logStreamName": e.stream, **_told(e), "eventId": _written(e.place)} for e in found
            ],
            "searchedLogStreams": [],  # empty on AWS too, since 2019
        }
        return answer | ({"nextToken": _written(found[-1].place)} if more else {})

    def _chosen(self, call: Call) -> list[Row]:
        params, group = call.params, self._groups.find(call)
        names = params.get("logStreamNames")
        if names is None:
            return self._store.streams(group["name"], params.get("logStreamNamePrefix", ""))
        if "logStreamNamePrefix" in params:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        if len(names) > MOST_STREAMS:
            raise invalid(f"At most {MOST_STREAMS} log streams can be searched, not {len(names)}.")
        streams = [self._store.stream(group["name"], name) for name in dict.fromkeys(names)]
        found = [stream for stream in streams if stream is not None]
        if len(found) < len(streams):
            raise no_stream()
        return found

    def _between(self, call: Call) -> tuple[int, int]:
        """From when (inclusive) to when (exclusive), and not what is no longer kept."""
        days = self._groups.find(call)["retention_days"]
        oldest = self._groups.now_ms() - days * DAY_MS if days else 0
        return max(call.params.get("startTime", 0), oldest), call.params.get("endTime", FOREVER_MS)


def _check(events: list[tuple[int, str]]) -> None:
    size = sum(len(message.encode()) + EVENT_BYTES for _, message in events)
    if size > MOST_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {MOST_BYTES}")
    if len(events) > MOST_EVENTS:
        raise invalid(f"At most {MOST_EVENTS} log events can be put at once, not {len(events)}.")
    if any(later < earlier for (earlier, _), (later, _) in pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if events[-1][0] - events[0][0] > DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24"
            " hours."
        )


def _taken(
    events: list[tuple[int, str]], now_ms: int, retention_days: int | None
) -> tuple[list[tuple[int, str]], Json]:
    """What is neither too old nor too new, and how the answer says where the others are.

    docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html:
    the end indexes are of the first event that was taken, the start index of the first too new.
    """
    expired = now_ms - retention_days * DAY_MS if retention_days else -1
    ends = {
        "expiredLogEventEndIndex": sum(time_ms < expired for time_ms, _ in events),
        "tooOldLogEventEndIndex": sum(time_ms < now_ms - LATE_MS for time_ms, _ in events),
    }
    new = sum(time_ms <= now_ms + EARLY_MS for time_ms, _ in events)
    refused: Json = {name: end for name, end in ends.items() if end}
    if new < len(events):
        refused["tooNewLogEventStartIndex"] = new
    return events[max(ends.values()) : new], refused


def _page(events: Iterable[Event], most: int) -> tuple[list[Event], bool]:
    """The first ones, at most `most` and as many as fit in an answer, but one at least; and
    whether there are more."""
    chosen: list[Event] = []
    size = 0
    for event in events:
        size += len(event.message.encode()) + EVENT_BYTES
        if len(chosen) == most or (chosen and size > MOST_BYTES):
            return chosen, True
        chosen.append(event)
    return chosen, False


def _ends(events: list[Event], from_head: bool, beyond: Place) -> tuple[Place, Place]:
    """Before which and after which event the neighbouring pages are; both exclusive."""
    if events:
        return events[0].place, events[-1].place
    if from_head:  # all there is stands before or at `beyond`
        return Place(beyond.time_ms, beyond.number + 1), beyond
    return beyond, Place(beyond.time_ms, max(beyond.number - 1, 0))


def _told(event: Event) -> Json:
    return {
        "timestamp": event.place.time_ms,
        "message": event.message,
        "ingestionTime": event.came_ms,
    }


def _written(place: Place) -> str:
    """A place as the 56 digits that AWS has for an event."""
    return f"{place.time_ms:0{TIME_DIGITS}d}{place.number:0{NUMBER_DIGITS}d}"


def _place_in(text: str) -> Place:
    if len(text) != TIME_DIGITS + NUMBER_DIGITS or not text.isdecimal():
        raise invalid("The specified nextToken is invalid.")
    return Place(int(text[:TIME_DIGITS]), int(text[TIME_DIGITS:]))


def _direction_and_place(token: str) -> tuple[bool, Place]:
    """Whether a token of GetLogEvents goes forward, and from where."""
    kind, _, rest = token.partition("/")
    if kind not in ("f", "b") or not rest.endswith("/s"):
        raise invalid("The specified nextToken is invalid.")
    return kind == "f", _place_in(rest.removesuffix("/s"))
