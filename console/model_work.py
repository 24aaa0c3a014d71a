"""The work of SageMaker: training jobs with their models, endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console import evaluation, latency
from console.logs import log
from console.sections import Section, facts, table
from console.task import Task

Json = dict[str, Any]


def training(clients: Any, task: Task) -> Iterator[Section]:
    name = task.request["TrainingJobName"]
    job = clients("sagemaker").describe_training_job(TrainingJobName=name)
    if job["TrainingJobStatus"] == "Completed":
        yield evaluation.section(clients("s3"), job)
    resources = job.get("ResourceConfig", {})
    yield facts(
        "Training job",
        {
            "Name": name,
            "State": job["TrainingJobStatus"],
            "Stage": job.get("SecondaryStatus"),
            "Instances": " x ".join(
                str(resources[key]) for key in ("InstanceCount", "InstanceType") if key in resources
            ),
            "Training time": job.get("TrainingTimeInSeconds"),
            "Billable": job.get("BillableTimeInSeconds"),
            "Model": job.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
            "Image": job.get("AlgorithmSpecification", {}).get("TrainingImage"),
            "Failure": job.get("FailureReason"),
        },
        {"Training time": "s", "Billable": "s"},
    )
    if job.get("HyperParameters"):
        yield facts("Hyperparameters", job["HyperParameters"])
    channels = [
        [c["ChannelName"], c["DataSource"].get("S3DataSource", {}).get("S3Uri", "")]
        for c in job.get("InputDataConfig", [])
    ]
    if channels:
        yield table("Channels", ["Channel", "Data"], channels)
    metrics = [[m["MetricName"], m["Value"]] for m in job.get("FinalMetricDataList", [])]
    if metrics:
        yield table("Metrics", ["Metric", "Value"], metrics)
    yield from log(clients, "/aws/sagemaker/TrainingJobs", stream_prefix=name)


def tuning(clients: Any, task: Task) -> Iterator[Section]:
    """The search, and each of its training jobs, the best first."""
    client, name = clients("sagemaker"), task.request["HyperParameterTuningJobName"]
    job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    config = job["HyperParameterTuningJobConfig"]
    objective = config.get("HyperParameterTuningJobObjective", {})
    best = job.get("BestTrainingJob", {})
    yield facts(
        "Tuning job",
        {
            "Name": name,
            "State": job["HyperParameterTuningJobStatus"],
            "Search": config["Strategy"],
            "Objective": f"{objective.get('MetricName')}, {objective.get('Type')}",
            "Best": best.get("TrainingJobName"),
            "Training time of all": job.get("ConsumedResources", {}).get("RuntimeInSeconds"),
            "Failure": job.get("FailureReason"),
        },
        {"Training time of all": "s"},
    )
    trials = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100, SortBy="CreationTime"
    )["TrainingJobSummaries"]
    tuned = sorted({one for trial in trials for one in trial["TunedHyperParameters"]})
    metric = "FinalHyperParameterTuningJobObjectiveMetric"
    rows = [
        [
            trial["TrainingJobName"],
            trial["TrainingJobStatus"],
            trial.get(metric, {}).get("Value"),
            *(trial["TunedHyperParameters"].get(one) for one in tuned),
        ]
        for trial in trials
    ]
    sign = -1 if objective.get("Type") == "Maximize" else 1
    rows.sort(key=lambda row: (row[2] is None, sign * (row[2] or 0.0)))
    if rows:
        yield table("Trials", ["Training job", "State", "Objective", *tuned], rows)


def endpoint(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("sagemaker")
    name = task.request["EndpointName"]
    found = client.describe_endpoint(EndpointName=name)
    yield facts(
        "Endpoint now",
        {
            "Name": found["EndpointName"],
            "State": found["EndpointStatus"],
            "Configuration": found["EndpointConfigName"],
            "Changed": found.get("LastModifiedTime"),
            "Failure": found.get("FailureReason"),
        },
        {"Changed": "time"},
    )
    for variant in found.get("ProductionVariants", []):
        yield latency.section(clients("cloudwatch"), name, variant["VariantName"])
    yield from _endpoint_config(client, found["EndpointConfigName"])


def endpoint_config_made(clients: Any, task: Task) -> Iterator[Section]:
    yield from _endpoint_config(clients("sagemaker"), task.request["EndpointConfigName"])


def _endpoint_config(client: Any, name: str) -> Iterator[Section]:
    config = client.describe_endpoint_config(EndpointConfigName=name)
    for variant in config.get("ProductionVariants", []):
        yield facts(f"Configuration {name}", {k: str(v) for k, v in variant.items()})


def model(clients: Any, task: Task) -> Iterator[Section]:
    model = clients("sagemaker").describe_model(ModelName=task.request["ModelName"])
    container = model.get("PrimaryContainer", {})
    yield facts(
        "Model",
        {
            "Name": model["ModelName"],
            "Data": container.get("ModelDataUrl"),
            "Image": container.get("Image"),
            **container.get("Environment", {}),
        },
    )
