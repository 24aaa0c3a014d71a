"""moto's state as earlier versions wrote it, and the few classes that reading may bring to life.

It is read once and then kept as JSON (localaws.core.moto_bridge; roles by localaws.iam). A pickle
can name any function to call: this reader takes records of the kept services and plain values; a
file that names anything else is refused, so a home from somebody else runs no code.
"""

from __future__ import annotations

import collections
import datetime
import io
import pickle
import re
import threading
from typing import Any

_RLOCK, _LOCK = type(threading.RLock()), type(threading.Lock())
LOCK_METHODS = ("acquire", "release", "_is_owned", "_release_save", "_acquire_restore")

PLAIN: dict[tuple[str, str], Any] = {
    ("builtins", "dict"): dict,
    ("builtins", "set"): set,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("collections", "deque"): collections.deque,
    ("datetime", "datetime"): datetime.datetime,
    ("datetime", "timedelta"): datetime.timedelta,
    ("datetime", "timezone"): datetime.timezone,
    ("threading", "Condition"): threading.Condition,
    ("threading", "Lock"): threading.Lock,
    ("threading", "RLock"): threading.RLock,
}

# Service to module to classes: what a home's state of it consists of.
RECORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "dynamodb": {
        "moto.dynamodb.models.dynamo_type": ("DynamoType", "Item", "LimitedSizeDict"),
        "moto.dynamodb.models.table": (
            *("GlobalSecondaryIndex", "LocalSecondaryIndex", "StreamRecord", "StreamShard"),
            "Table",
        ),
    },
    "logs": {
        "moto.logs.metric_filters": ("MetricFilters",),
        "moto.logs.models": ("LogEvent", "LogGroup", "LogResourcePolicy", "LogStream"),
        "moto.utilities.tagging_service": ("TaggingService",),
    },
    "sqs": {"moto.sqs.models": ("Message", "Queue")},
    # Written by earlier versions, which left these to moto: read once, by their `adoption`.
    "sns": {"moto.sns.models": ("SNSBackend", "Topic")},
    "iam": {
        "moto.iam.models": (
            *("AccountSummary", "IAMBackend", "ManagedPolicy", "PolicyVersion", "Role"),
        ),
        "moto.utilities.tagging_service": ("TaggingService",),
    },
}


class UnreadableState(Exception):
    """The bytes are damaged, of another version of moto, or name what they must not."""


def load(service: str, data: bytes) -> Any:
    """Raises UnreadableState."""
    try:
        return _Reader(service, data).load()
    except UnreadableState:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise UnreadableState(f"{type(error).__name__}: {error}") from error


class _Reader(pickle.Unpickler):
    def __init__(self, service: str, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._records = RECORDS.get(service, {})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN:
            return PLAIN[module, name]
        if (module, name) == ("builtins", "getattr"):
            return _method_of_lock
        if (module, name) == ("re", "_compile"):
            return _pattern
        if name in self._records.get(module, ()):
            return super().find_class(module, name)
        raise UnreadableState(f"it names {module}.{name}, which is no part of it")


def _method_of_lock(owner: object, name: str) -> Any:
    """Earlier versions wrote a lock's methods by name; nothing else may be looked up."""
    if isinstance(owner, _RLOCK | _LOCK) and name in LOCK_METHODS:
        return getattr(owner, name)
    raise UnreadableState(f"it looks up {name!r} of a {type(owner).__name__}")


def _pattern(pattern: str, flags: int) -> re.Pattern[str]:
    return re.compile(pattern, flags)
