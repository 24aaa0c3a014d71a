"""Stage 6, Join features: the PySpark job."""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import TRANSIENT, GlueJobTask, backoff

JOB_TIMEOUT_SECONDS = 2 * 3600


def join_features() -> GlueJobTask:
    """Writes the training, validation, holdout and scoring sets below `runs/run=<run>/sets/`."""
    state = GlueJobTask(
        "Join features",
        comment=comment(6, "Spark joins the features and splits the users into four sets."),
        parameters={
            "JobName": "${JoinFeaturesJob}",
            "Arguments": {
                # That of the same version, whatever the job itself has by now.
                "--scriptLocation": "s3://${CodeBucket}/${JoinFeaturesKey}",
                "--lake_bucket": "${LakeBucket}",
                "--run.$": "$.run.id",
                "--clean_orders.$": "$.orders.folder",
                "--clean_order_products.$": "$.order_lines.folder",
                "--user_features.$": "$.features.user_features.folder",
                "--user_product_features.$": "$.features.user_product_features.folder",
                "--product_history.$": "$.history.folder",
                "--validation_percent": "10",
                "--holdout_percent": "10",
                "--holdout_week.$": "$.run.holdout_week",
            },
        },
        result_selector={"job_run_id.$": "$.Id", "seconds.$": "$.ExecutionTime"},
        result_path="$.join",
        timeout_seconds=JOB_TIMEOUT_SECONDS,
    )
    state.add_retry(backoff(TRANSIENT["glue"]))
    return state
