"""What a run cost, from its audit record: its quantities, and what no answer counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from executions.costs.prices import PRICES, Line, crawl

Json = dict[str, Any]


def lines(record: Json) -> list[Line]:
    """A line a service; none for seconds of a machine that has no price here."""
    mapped = bool((record.get("mapping") or {}).get("statements"))
    used = record.get("cost_inputs") or {}
    return list(_lines(used, _training_instance(record), crawled=not mapped))


def _training_instance(record: Json) -> str | None:
    """What the run trained on, as SageMaker described the job."""
    found = (
        (visit.get("figures") or {}).get("instance_type") for visit in record.get("states") or []
    )
    return next((instance for instance in found if instance), None)


def _lines(used: Json, instance: str | None, *, crawled: bool) -> Iterator[Line]:
    megabytes = math.ceil(used.get("athena_charged_bytes", 0) / 1e6)
    yield Line(
        "Athena", f"{megabytes:,} MB charged", megabytes / 1e6 * PRICES["athena"]["terabyte"]
    )
    # What is checked was crawled; a shop's own files are mapped instead.
    if used.get("athena_charged_bytes") and crawled:
        yield crawl()
    minutes = used.get("databrew_node_minutes", 0)
    yield Line(
        "DataBrew", f"{minutes:,} node minutes", minutes / 60 * PRICES["databrew"]["node_hour"]
    )
    seconds = used.get("glue_dpu_seconds", 0)
    yield Line("Glue", f"{seconds:,.0f} DPU seconds", seconds / 3600 * PRICES["glue"]["dpu_hour"])
    trained = used.get("training_billable_seconds", 0)
    rate = PRICES["sagemaker"]["training_hour"].get(instance or "")
    if trained and rate is not None:
        yield Line("SageMaker training", f"{trained:,} s of {instance}", trained / 3600 * rate)
    entered = used.get("state_transitions", 0)
    yield Line(
        "Step Functions",
        f"{entered:,} transitions",
        entered * PRICES["step_functions"]["transition"],
    )
