"""Rules and their targets, kept as documents and, for matching, in memory."""

from __future__ import annotations

import threading
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.events.patterns import parse

Json = dict[str, Any]
KIND = "events-rule"
BUS = "default"


class Rules:
    """The rules of the default bus, by name."""

    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents
        self._prefix = f"arn:aws:events:{aws.region}:{aws.account}:rule/"
        self._lock = threading.RLock()
        self._rules = dict(aws.documents.items(KIND))
        self._patterns: dict[str, tuple[str, Json]] = {}

    def arn(self, name: str) -> str:
        return self._prefix + name

    def find(self, name_or_arn: str) -> Json | None:
        with self._lock:
            return self._rules.get(name_or_arn.removeprefix(self._prefix))

    def get(self, name: str) -> Json:
        """Raises ResourceNotFoundException."""
        found = self.find(name)
        if found is None:
            raise AwsError(
                "ResourceNotFoundException", f"Rule {name} does not exist on EventBus default."
            )
        return found

    def put(self, rule: Json) -> None:
        with self._lock:
            self._documents.put(KIND, rule["Name"], rule)
            self._rules[rule["Name"]] = rule

    def delete(self, name: str) -> None:
        with self._lock:
            self._documents.delete(KIND, name)
            self._rules.pop(name, None)

    def all(self) -> list[Json]:
        with self._lock:
            return [self._rules[name] for name in sorted(self._rules)]

    def pattern(self, rule: Json) -> Json | None:
        """The parsed pattern of a rule."""
        text = rule.get("EventPattern")
        if text is None:
            return None
        kept = self._patterns.get(rule["Name"])
        if kept is None or kept[0] != text:
            kept = self._patterns[rule["Name"]] = (text, parse(text))
        return kept[1]
