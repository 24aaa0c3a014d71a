"""What runs, a month and predictions would cost, before anything is deployed.

Bytes, statements, jobs, nodes and machines are those of the product; how long a machine works on
AWS nobody of us could measure: MINUTES has what is assumed, and each line says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from executions.costs.prices import HOURS_A_MONTH, PRICES, Line, crawl

GIGABYTE = 1e9
PARQUET = 0.2  # bytes of a table as Parquet, of its bytes as text: assumed
# Minutes of a job: (at least, for each gigabyte of raw text more). Assumed.
MINUTES = {"databrew": (3.0, 4.0), "glue": (2.0, 3.0), "training": (4.0, 8.0)}
PREDICTION_SECONDS, FUNCTION_GIGABYTES = 0.05, 0.25


@dataclass(frozen=True)
class Plan:
    """What decides the costs. `scans` are the bytes of raw text that each check's statement reads,
    `joins` how many statements read the run's own Parquet."""

    raw_bytes: int
    scans: tuple[int, ...]
    joins: int
    recipe_jobs: int
    nodes: int
    glue_dpus: int
    transitions: int
    functions: int
    training_instance: str
    endpoint_instance: str
    serverless_megabytes: int | None  # None: the instance stands
    runs_a_month: float
    predictions_a_month: int
    trials: int = 0  # of the tuning job of every run
    crawled: bool = True  # a shop's own files are mapped instead


@dataclass(frozen=True)
class Costs:
    """Dollars by service: of one run, of a month without its runs, of a thousand predictions.
    `unknown` are machines without a price here."""

    run: list[Line]
    month: list[Line]
    thousand_predictions: list[Line]
    runs_a_month: float
    unknown: list[str] = field(default_factory=list)

    @property
    def of_run(self) -> float:
        return sum(line.dollars for line in self.run)

    @property
    def of_month(self) -> float:
        return sum(line.dollars for line in self.month) + self.of_run * self.runs_a_month

    def advice(self) -> list[str]:
        """What dominates, and what would lower it."""
        shares = {f"{line.service} (month)": line.dollars for line in self.month}
        shares |= {f"{line.service} (runs)": line.dollars * self.runs_a_month for line in self.run}
        total = sum(shares.values()) or 1.0
        told = []
        for name, dollars in sorted(shares.items(), key=lambda one: -one[1])[:3]:
            service = name.rpartition(" (")[0]
            told.append(
                f"{name}: {dollars / total:.0%} of a month. {LOWER.get(service, '')}".strip()
            )
        return told


LOWER = {
    "SageMaker endpoint": "It costs while it stands, asked or not: a smaller "
    '`endpoint_instance_type`, or endpoint = "serverless".',
    "SageMaker training": "A smaller `training_instance_type`, or fewer runs.",
    "DataBrew": "Its nodes are billed by the minute: fewer runs, or fewer nodes (MAX_NODES in "
    "tasks/databrew.py).",
    "Glue crawler": "Ten minutes are billed for every crawl: fewer runs.",
    "Glue": "Two workers are the fewest: fewer runs.",
    "Athena": "The option `sample_buckets` reads a share of the features.",
    "S3": "Delete what old runs keep below runs/.",
}


def costs(plan: Plan) -> Costs:
    unknown = [
        kind
        for kind, table in (
            (plan.training_instance, "training_hour"),
            (plan.endpoint_instance, "endpoint_hour"),
        )
        if not (table == "endpoint_hour" and plan.serverless_megabytes is not None)
        and kind not in PRICES["sagemaker"][table]
    ]
    predictions = list(_predictions(plan.serverless_megabytes))
    return Costs(list(_run(plan)), list(_month(plan)), predictions, plan.runs_a_month, unknown)


def minutes(kind: str, raw_bytes: int) -> float:
    least, more = MINUTES[kind]
    return least + more * raw_bytes / GIGABYTE


def _run(plan: Plan) -> Iterator[Line]:
    if plan.crawled:
        yield crawl()
    price = PRICES["athena"]
    parquet = math.ceil(plan.raw_bytes * PARQUET)
    charged = sum(
        max(math.ceil(bytes_ / 1e6), price["minimum_megabytes"])
        for bytes_ in (*plan.scans, *[parquet] * plan.joins)
    )
    counted = f"{len(plan.scans) + plan.joins} statements, {charged:,} MB"
    yield Line("Athena", counted, charged / 1e6 * price["terabyte"])
    brew = math.ceil(minutes("databrew", plan.raw_bytes))
    hours = plan.recipe_jobs * plan.nodes * brew / 60
    yield Line(
        "DataBrew",
        f"{plan.recipe_jobs} jobs x {plan.nodes} nodes x {brew} min (assumed)",
        hours * PRICES["databrew"]["node_hour"],
    )
    spark = minutes("glue", plan.raw_bytes)
    yield Line(
        "Glue",
        f"{plan.glue_dpus} DPU x {spark:.0f} min (assumed)",
        plan.glue_dpus * spark / 60 * PRICES["glue"]["dpu_hour"],
    )
    trained = minutes("training", plan.raw_bytes)
    rate = PRICES["sagemaker"]["training_hour"].get(plan.training_instance, 0.0)
    if plan.trials:
        yield Line(
            "SageMaker tuning",
            f"{plan.trials} trials x {trained:.0f} min of {plan.training_instance} (assumed)",
            plan.trials * trained / 60 * rate,
        )
    yield Line(
        "SageMaker training",
        f"{trained:.0f} min of {plan.training_instance} (assumed)",
        trained / 60 * rate,
    )
    yield Line(
        "Lambda",
        f"{plan.functions} requests of up to a minute at 1 GB",
        plan.functions * (PRICES["lambda"]["request"] + 60 * PRICES["lambda"]["gigabyte_second"]),
    )
    yield Line(
        "Step Functions",
        f"{plan.transitions} transitions",
        plan.transitions * PRICES["step_functions"]["transition"],
    )


def _month(plan: Plan) -> Iterator[Line]:
    endpoint = endpoint_month(plan.endpoint_instance, plan.serverless_megabytes)
    if endpoint is not None:
        yield endpoint
    kept = (plan.raw_bytes + 2 * plan.raw_bytes * PARQUET * plan.runs_a_month) / GIGABYTE
    yield Line(
        "S3",
        f"{kept:,.1f} GB after a month of runs",
        kept * PRICES["s3"]["gigabyte_month"],
    )
    thousands = plan.predictions_a_month / 1000
    asked = sum(line.dollars for line in _predictions(plan.serverless_megabytes)) * thousands
    yield Line("Predictions", f"{plan.predictions_a_month:,}", asked)


def endpoint_month(
    instance: str, serverless_megabytes: int | None, machines: int = 1
) -> Line | None:
    """What the endpoint costs while it stands, with so many machines; None for an instance without
    a price here."""
    if serverless_megabytes is not None:
        return Line("SageMaker endpoint", f"serverless, {serverless_megabytes} MB", 0.0)
    rate = PRICES["sagemaker"]["endpoint_hour"].get(instance)
    if rate is None:
        return None
    hours = f"{HOURS_A_MONTH * machines} h of {instance}"
    return Line("SageMaker endpoint", hours, HOURS_A_MONTH * machines * rate)


def _predictions(serverless_megabytes: int | None) -> Iterator[Line]:
    if serverless_megabytes is not None:
        seconds = 1000 * PREDICTION_SECONDS
        yield Line(
            "SageMaker endpoint",
            f"1,000 requests of {PREDICTION_SECONDS * 1000:.0f} ms (assumed)",
            seconds
            * (serverless_megabytes / 1024)
            * PRICES["sagemaker"]["serverless_gigabyte_second"],
        )
    yield Line("HTTP API", "1,000 requests", 1000 * PRICES["http_api"]["request"])
    price = PRICES["lambda"]
    size = PREDICTION_SECONDS * FUNCTION_GIGABYTES
    yield Line(
        "Lambda",
        f"1,000 requests of {PREDICTION_SECONDS * 1000:.0f} ms at 256 MB (assumed)",
        1000 * (price["request"] + size * price["gigabyte_second"]),
    )
