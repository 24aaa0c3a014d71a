"""The plan of a run, as its execution decides it: names, trigger, options; pure."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from typing import Any

from tasks.functions.run_options import InvalidInput, options

Json = dict[str, Any]


def plan(execution: Json) -> Json:
    """The run, without what is decided when its turn has come. `execution` is $$.Execution; the
    same one always gives the same names."""
    trigger, given = recognise(execution["Input"])
    chosen = options(given)
    if chosen["force"] is None:
        chosen["force"] = trigger["kind"] == "manual"
    run_id = identify(execution["Name"], execution["Id"], execution["StartTime"])
    return {
        "id": run_id,
        "name": run_id.replace("_", "-"),
        "execution": execution["Id"],
        "trigger": trigger,
        "options": chosen,
        # Hyperparameters are text.
        "training": {
            "threshold": str(chosen["threshold"] or "best"),
            "hyperparameters": {n: str(v) for n, v in chosen["hyperparameters"].items()},
            "ranges": {
                name: {"MinValue": str(low), "MaxValue": str(high)}
                for name, (low, high) in (chosen["tune"] or {"ranges": {}})["ranges"].items()
            },
        },
        "holdout_week": chosen["holdout_week"] or week_of(execution["StartTime"]),
        "started_at": execution["StartTime"],
        "waits_for": None,
    }


def week_of(started_at: str) -> str:
    """The ISO week of a start (`2026-11-22T08:00:00.250Z`) in UTC, as `2026-W47`."""
    moment = datetime.fromisoformat(started_at.replace("Z", "+00:00")).astimezone(timezone.utc)
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


def recognise(given: Any) -> tuple[Json, Json]:
    """(trigger, options as given) of the three kinds of input.

    A person's options; the same with `{"upload": {...}}` as the upload trigger sends it, or with
    a schedule's `{"schedule": {...}}`.
    """
    if not isinstance(given, dict):
        raise InvalidInput(f"The input is {type(given).__name__}; it takes a JSON object.")
    kinds = [kind for kind in ("upload", "schedule") if kind in given]
    if len(kinds) > 1:
        raise InvalidInput("The input has upload and schedule; it takes one of them.")
    for kind in kinds:
        rest = {name: value for name, value in given.items() if name != kind}
        return {"kind": kind, kind: given[kind]}, rest
    return {"kind": "manual"}, given


def identify(name: str, execution: str, started_at: str) -> str:
    """A run id of at most 40 characters, [a-z0-9_], which no other execution has."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:30].rstrip("_") or "run"
    digest = hashlib.sha256(f"{execution} {started_at}".encode()).hexdigest()[:8]
    return f"{slug}_{digest}"
