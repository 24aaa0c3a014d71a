"""What each service says of the job that a state ran: the audit's figures and costs."""

from __future__ import annotations

from typing import Any

from executions import hashes

Json = dict[str, Any]

ATHENA_MINIMUM_BYTES = 10 * 1024 * 1024  # the least that Athena charges a query


def look_up(clients: Any, job: Json, request: Json) -> Json:
    """The job's figures, by service; `clients(name)` gives a boto3 client."""
    return LOOK_UPS[job["service"]](clients(job["service"]), job["id"], request)


def _athena(client: Any, query_id: str, request: Json) -> Json:
    query = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    statistics = query.get("Statistics", {})
    scanned = statistics.get("DataScannedInBytes", 0)
    return {
        "query_execution_id": query_id,
        "status": query["Status"]["State"],
        "sql_sha256": hashes.of_text(query["Query"]),
        "scanned_bytes": scanned,
        "charged_bytes": max(scanned, ATHENA_MINIMUM_BYTES) if scanned else 0,
        "engine_milliseconds": statistics.get("EngineExecutionTimeInMillis"),
        "engine": query.get("EngineVersion", {}).get("EffectiveEngineVersion"),
    }


def _glue(client: Any, run_id: str, request: Json) -> Json:
    run = client.get_job_run(JobName=request["JobName"], RunId=run_id)["JobRun"]
    return {
        "job": request["JobName"],
        "job_run_id": run_id,
        "status": run["JobRunState"],
        "glue_version": run.get("GlueVersion"),
        "execution_seconds": run.get("ExecutionTime"),
        "dpu_seconds": run.get("DPUSeconds")
        or (run.get("MaxCapacity") or 0) * (run.get("ExecutionTime") or 0),
    }


def _databrew(client: Any, run_id: str, request: Json) -> Json:
    run = client.describe_job_run(Name=request["Name"], RunId=run_id)
    seconds = run.get("ExecutionTime") or 0
    nodes = client.describe_job(Name=request["Name"]).get("MaxCapacity") or 5
    return {
        "job": request["Name"],
        "run_id": run_id,
        "status": run["State"],
        **_recipe(client, run),
        "execution_seconds": seconds,
        "node_minutes": nodes * -(-seconds // 60),
        "outputs": [output["Location"] for output in run.get("Outputs", [])],
    }


def _recipe(client: Any, run: Json) -> Json:
    """The recipe that a run followed; a profile's has none."""
    recipe = run.get("RecipeReference")
    if recipe is None:
        return {}
    steps = client.describe_recipe(Name=recipe["Name"], RecipeVersion=recipe["RecipeVersion"])
    return {
        "recipe": recipe["Name"],
        "recipe_version": recipe["RecipeVersion"],
        "recipe_sha256": hashes.of_document(steps["Steps"]),
    }


MOST_TRIALS = 100


def _sagemaker(client: Any, name: str, request: Json) -> Json:
    if "HyperParameterTuningJobName" in request:
        return _tuning(client, name)
    job = client.describe_training_job(TrainingJobName=name)
    return {
        "training_job": name,
        "status": job["TrainingJobStatus"],
        "image": job["AlgorithmSpecification"].get("TrainingImage"),
        "hyperparameters": job.get("HyperParameters", {}),
        "instance_type": job["ResourceConfig"].get("InstanceType"),
        "training_seconds": job.get("TrainingTimeInSeconds"),
        "billable_seconds": job.get("BillableTimeInSeconds"),
        "model_uri": job.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        "failure": job.get("FailureReason"),
    }


def _tuning(client: Any, name: str) -> Json:
    job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    trials = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=MOST_TRIALS, SortBy="CreationTime"
    )["TrainingJobSummaries"]
    metric = "FinalHyperParameterTuningJobObjectiveMetric"
    return {
        "tuning_job": name,
        "status": job["HyperParameterTuningJobStatus"],
        "strategy": job["HyperParameterTuningJobConfig"]["Strategy"],
        "best": job.get("BestTrainingJob", {}).get("TrainingJobName"),
        "trials": [
            {
                "training_job": trial["TrainingJobName"],
                "status": trial["TrainingJobStatus"],
                "hyperparameters": trial["TunedHyperParameters"],
                "objective": trial.get(metric, {}).get("Value"),
            }
            for trial in trials
        ],
        "billable_seconds": job.get("ConsumedResources", {}).get("RuntimeInSeconds"),
        "failure": job.get("FailureReason"),
    }


LOOK_UPS = {"athena": _athena, "glue": _glue, "databrew": _databrew, "sagemaker": _sagemaker}


def cost_inputs(
    visits: list[Json], checks: Json | None, run: Json | None, transitions: int
) -> Json:
    """The quantities that AWS bills, summed over the run; prices are nobody's business here.

    `checks` is the answer of Check raw data, `run` that of Receive trigger: no state shows the
    queries of the one, and the job of the other that reads a database.
    """
    checked, read = checks or {}, (run or {}).get("database") or {}

    def total(name: str) -> float:
        return sum((visit.get("figures") or {}).get(name) or 0 for visit in visits)

    return {
        "athena_scanned_bytes": total("scanned_bytes") + checked.get("scanned_bytes", 0),
        "athena_charged_bytes": total("charged_bytes") + checked.get("charged_bytes", 0),
        "glue_dpu_seconds": total("dpu_seconds") + read.get("dpu_seconds", 0),
        "databrew_node_minutes": total("node_minutes"),
        "training_billable_seconds": total("billable_seconds"),
        "state_transitions": transitions,
    }
