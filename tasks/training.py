"""Stage 7, Train: SageMaker XGBoost in script mode."""

from __future__ import annotations

import functools
import json
import warnings
from typing import Any
from unittest import mock

from tasks.stages import comment
from tasks.states import (
    TRANSIENT,
    LambdaTask,
    Task,
    TrainingTask,
    backoff,
    function,
    jsonata,
    jsonata_task,
    keeping,
    of_this_try,
)
from tasks.without_clients import without_clients
from training.hyperparameters import TUNED

# A training job's name is taken for ever: a redrive has a new one.
NAME = f"'${{NamePrefix}}' & $states.input.run.name & {of_this_try('-')}"
MAX_RUNTIME_SECONDS = 4 * 3600
# A tuning job's has 32 characters at most: those that no other run has stand last in the run's.
TUNING_NAME = f"'${{NamePrefix}}' & $substring($states.input.run.name, -8) & {of_this_try('-')}"
TUNING_SECONDS = 16 * 3600

# Measured on real customers: slower, shallower and with fewer features a tree than the reference's
# (depth 6, eta 0.1), which gains as much as more features do. Early stopping on validation AUC cuts
# rounds that no longer help. With 64 places to split a feature a model is as good as with 256, and
# made sooner.
HYPERPARAMETERS: dict[str, str] = {
    "objective": "binary:logistic",
    "eval_metric": "auc",
    "max_depth": "4",
    "eta": "0.1",
    "gamma": "0.7",
    "colsample_bytree": "0.4",
    "subsample": "0.75",
    "min_child_weight": "30",
    "alpha": "2e-05",
    "lambda": "10",
    "max_bin": "64",
    "num_round": "110",
    "early_stopping_rounds": "20",
    "seed": "7",
}
# Script mode reads its own settings as JSON.
SCRIPT = {
    "sagemaker_program": json.dumps("train.py"),
    "sagemaker_submit_directory": json.dumps("s3://${CodeBucket}/${TrainingCodeKey}"),
}


def pin_live_model() -> LambdaTask:
    """Copies the live model below the run, so that champion and challenger meet on one holdout."""
    return function(
        "Pin live model",
        "${PinLiveModelArn}",
        {"run.$": "$.run"},
        comment=comment(
            7, "Copies the live model, to be measured with the new one, and the views."
        ),
        result_path="$.live",
        timeout_seconds=300,
    )


def train() -> TrainingTask:
    """Trains on the run's sets; `$.training` then has the job's name, artifact and seconds."""
    state = TrainingTask(
        "Train",
        estimator=_estimator(),
        job_name="placeholder",
        comment=comment(7, "Trains on the sets, and measures both models on the holdout."),
        query_language="JSONata",
        output=keeping(
            "training",
            "'training_job': $states.result.TrainingJobName,"
            " 'status': $states.result.TrainingJobStatus,"
            " 'model_uri': $states.result.ModelArtifacts.S3ModelArtifacts,"
            " 'seconds': $states.result.TrainingTimeInSeconds",
        ),
        timeout_seconds=MAX_RUNTIME_SECONDS + 1800,
    )
    state.update_parameters(_request())
    state.add_retry(backoff(TRANSIENT["sagemaker"]))
    return state


def tune() -> Task:
    """Looks for hyperparameters, by validation AUC; `$.tuning` then has what it found, of which
    `train` trains. A trial sees training and validation users alone, never those of the holdout."""
    best = "$states.result.BestTrainingJob"
    auc = f"{best}.FinalHyperParameterTuningJobObjectiveMetric.Value"
    name = "$states.result.HyperParameterTuningJobName"
    trials = "$states.result.TrainingJobStatusCounters.Completed"
    words = (
        f"'the best of ' & $string({trials}) & ' trials of ' & {name} & ', ' &"
        f" {best}.TrainingJobName & ' (validation AUC ' & $string($round({auc}, 4)) & ')'"
    )
    return jsonata_task(
        "Tune",
        "sagemaker:createHyperParameterTuningJob.sync",
        comment=comment(7, "When the input asks for it: trials of other hyperparameters."),
        arguments=_tuning_request(),
        output=keeping(
            "tuning",
            f"'tuning_job': {name}, 'trials': {trials}, 'best': {best}.TrainingJobName,"
            f" 'auc': {auc}, 'hyperparameters': {best}.TunedHyperParameters, 'words': {words}",
        ),
        timeout_seconds=TUNING_SECONDS,
    )


def _tuning_request() -> dict[str, Any]:
    """CreateHyperParameterTuningJob's; what the run's input fixes is not searched."""
    asked = "$states.input.run.options.tune"
    request = _request()
    open_ones = {name: value for name, value in HYPERPARAMETERS.items() if name not in TUNED}
    given = "$states.input.run.training.hyperparameters"
    fixed = json.dumps({**SCRIPT, "trial": "yes"})
    return {
        "HyperParameterTuningJobName": jsonata(TUNING_NAME),
        "HyperParameterTuningJobConfig": {
            "Strategy": jsonata(f"{asked}.strategy"),
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize",
                "MetricName": "validation:auc",
            },
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": jsonata(f"{asked}.trials"),
                "MaxParallelTrainingJobs": jsonata(f"{asked}.parallel"),
            },
            "ParameterRanges": {
                "IntegerParameterRanges": _ranges(whole=True),
                "ContinuousParameterRanges": _ranges(whole=False),
            },
            "TrainingJobEarlyStoppingType": "Off",
            "RandomSeed": int(HYPERPARAMETERS["seed"]),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": jsonata(
                f"$merge([{json.dumps(open_ones)}, {given}, {fixed}])"
            ),
            "InputDataConfig": request["InputDataConfig"][:2],
            **{
                member: request[member]
                for member in (
                    *("AlgorithmSpecification", "RoleArn", "OutputDataConfig"),
                    *("ResourceConfig", "StoppingCondition"),
                )
            },
        },
    }


def _ranges(*, whole: bool) -> str:
    """Those of TUNED of a kind that the input does not fix, with the ends that it gives."""
    known = [
        {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": scale}
        for name, (low, high, scale) in TUNED.items()
        if isinstance(low, int) is whole
    ]
    training = "$states.input.run.training"
    return jsonata(
        f"[$map([$filter({json.dumps(known)}, function($r) {{"
        f" $not($exists($lookup({training}.hyperparameters, $r.Name))) }})],"
        f" function($r) {{ $merge([$r, $lookup({training}.ranges, $r.Name)]) }})]"
    )


def _request() -> dict[str, Any]:
    """CreateTrainingJob's request; names and prefixes come from the run."""
    return {
        "TrainingJobName": jsonata(NAME),
        "AlgorithmSpecification": {
            "TrainingImage": "${TrainingImage}",
            "TrainingInputMode": "File",
        },
        "RoleArn": "${SageMakerRoleArn}",
        "HyperParameters": _hyperparameters(),
        "InputDataConfig": [
            _channel(name, prefix)
            for name, prefix in (
                ("training", "'sets/set=training'"),
                ("validation", "'sets/set=validation'"),
                ("holdout", "'sets/set=holdout'"),
                ("scoring", "'sets/set=scoring'"),
                ("products", "$states.input.features.products.folder"),
                ("champion", "'champion'"),
            )
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://${LakeBucket}/models"},
        "CheckpointConfig": {
            "S3Uri": _below("'evaluation'"),
            "LocalPath": "/opt/ml/checkpoints",
        },
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "${TrainingInstanceType}",
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": MAX_RUNTIME_SECONDS},
    }


def _hyperparameters() -> str:
    """The workflow's, those of the run's input and those that tuning found in their place, and what
    the job is told."""
    fixed = json.dumps(SCRIPT)
    given = "$states.input.run.training.hyperparameters"
    threshold = "$states.input.run.training.threshold"
    # There are only runs that tune which have it: a missing one adds nothing.
    found = "$found := $lookup($states.input, 'tuning')"
    told = f"{{'run': $states.input.run.name, 'threshold': {threshold}, 'tuning': $found.words}}"
    merged = f"{json.dumps(HYPERPARAMETERS)}, {given}, $found.hyperparameters, {told}, {fixed}"
    return jsonata(f"({found}; $merge([{merged}]))")


def _channel(name: str, prefix: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": _below(prefix),
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _below(folder: str) -> str:
    """The URI of a folder of the run; `folder` is JSONata."""
    run = "'s3://${LakeBucket}/runs/run=' & $states.input.run.id"
    return jsonata(f"{run} & '/' & {folder} & '/'")


@functools.cache
def _estimator() -> Any:
    """The SDK's training step wants an estimator; it is built without any call to AWS, or client
    for one, and without the defaults that a user has configured for the SDK."""
    with (
        warnings.catch_warnings(),
        without_clients(),
        mock.patch("sagemaker.session.load_sagemaker_config", return_value={}),
    ):
        warnings.simplefilter("ignore")
        import boto3
        import sagemaker
        from sagemaker.estimator import Estimator

        session = sagemaker.Session(boto_session=boto3.Session(region_name="us-east-1"))
        return Estimator(
            image_uri="${TrainingImage}",
            role="${SageMakerRoleArn}",
            instance_count=1,
            instance_type="ml.m5.xlarge",
            output_path="s3://${LakeBucket}/models",
            sagemaker_session=session,
            disable_profiler=True,
            debugger_hook_config=False,
        )
