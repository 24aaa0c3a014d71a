"""Two runs side by side, from their audit records: rows, features, scores, metrics, code, cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from executions.costs import of_record

Json = dict[str, Any]
SCORES = (
    *("auc", "average_precision", "logloss", "mean_f1", "mean_f1_of_baskets", "threshold"),
    "calibration_error",
)


@dataclass(frozen=True)
class Row:
    """One thing of both runs; None where a run has it not. `same`: to the last digit."""

    section: str
    what: str
    one: Any
    other: Any

    @property
    def same(self) -> bool:
        return bool(self.one == self.other)

    def as_json(self) -> Json:
        return {"section": self.section, "what": self.what, "one": self.one, "other": self.other,
                "same": self.same}  # fmt: skip


def compare(one: Json, other: Json) -> list[Row]:
    """Every figure of two records, in the order of the workflow."""
    pairs = zip(_sides(one), _sides(other), strict=True)
    return [row for (section, mine), (_, yours) in pairs for row in _rows(section, mine, yours)]


def _rows(section: str, one: Json, other: Json) -> Iterator[Row]:
    for what in dict.fromkeys((*one, *other)):
        yield Row(section, what, one.get(what), other.get(what))


def _sides(record: Json) -> Iterator[tuple[str, Json]]:
    """(section, what to value) of one run."""
    yield "run", {name: record.get(name) for name in ("status", "outcome", "error", "failed_state")}
    yield "raw files", {entry["key"]: entry["sha256"] for entry in record.get("inputs") or []}
    outputs = record.get("outputs") or []
    yield "rows", {entry["dataset"]: entry["rows"] for entry in outputs}
    yield "features", _features(record)
    metrics = (record.get("metrics") or {}).get("challenger") or {}
    yield "scores", {name: metrics.get(name) for name in SCORES}
    yield "hyperparameters", dict(record.get("hyperparameters") or {})
    yield "versions", dict(record.get("versions") or {})
    code = record.get("code") or {}
    known = {name: code.get(name) for name in ("definition_sha256", "mapping_sha256")}
    yield "code", {**known, **(code.get("files") or {})}
    yield "seconds", _seconds(record)
    used = dict(record.get("cost_inputs") or {})
    lines = of_record.lines(record) if used else []
    used["dollars"] = round(sum(line.dollars for line in lines), 6)
    yield "cost", used


def _features(record: Json) -> Json:
    """How much each feature gained the model, of all that features did, 0 to 1."""
    metrics = (record.get("metrics") or {}).get("challenger") or {}
    gains = (metrics.get("feature_importance") or {}).get("gain") or {}
    pairs = gains.items() if isinstance(gains, dict) else ((e["feature"], e["gain"]) for e in gains)
    found = {name: float(value) for name, value in pairs}
    total = sum(found.values()) or 1.0
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return {name: round(value / total, 4) for name, value in ordered}


def _seconds(record: Json) -> Json:
    """How long each state took, of all its visits."""
    found: Json = {}
    for visit in record.get("states") or []:
        if visit["seconds"] is not None:
            found[visit["state"]] = round(found.get(visit["state"], 0.0) + visit["seconds"], 3)
    return found
