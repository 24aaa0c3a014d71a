"""Hyperparameter tuning jobs that really train, and what they propose."""

from __future__ import annotations

import json
import math
import statistics
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.sagemaker import ranges, strategies
from localaws.sagemaker.ranges import Range
from localaws.sagemaker.strategies import Trial
from tests.sagemaker.conftest import IMAGE, ROLE, put_source, wait

# The objective is best in the middle of `depth`, and told as XGBoost tells it.
TRAIN = """
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--fail", default="no")
given = parser.parse_args()
if given.fail == "yes":
    raise SystemExit("told to fail")
for round in range(2):
    print(f"[{round}]\\ttrain-auc:0.9\\tvalidation-auc:{0.9 - abs(given.depth - 3.2) / 10 - (1 - round) / 100}")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text(str(given.depth))
"""  # noqa: E501


def integer(name: str, low: int, high: int, **more: str) -> dict[str, str]:
    return {"Name": name, "MinValue": str(low), "MaxValue": str(high), **more}


def tuning_request(name: str, code_uri: str, **config: Any) -> dict[str, Any]:
    """CreateHyperParameterTuningJob's request; `config` on top of its configuration."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize",
                "MetricName": "validation:auc",
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"IntegerParameterRanges": [integer("depth", 1, 6)]},
            "RandomSeed": 7,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "sagemaker_program": json.dumps("train.py"),
                "sagemaker_submit_directory": json.dumps(code_uri),
            },
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://lake/models"},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def create(aws: Any, name: str = "tune", code: str = TRAIN, **config: Any) -> Any:
    request = tuning_request(name, put_source(aws, "code/tune.tar.gz", train=code), **config)
    aws.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    return aws.client("sagemaker")


def ended(client: Any, name: str = "tune") -> Any:
    return wait(
        lambda: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        lambda seen: seen["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
    )


def trials(client: Any, name: str = "tune", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **more
    )["TrainingJobSummaries"]
    return found


def test_the_best_of_its_training_jobs_is_told(lake: Any) -> None:
    client = create(lake)
    job = ended(client)

    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    found = trials(client, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert len({trial["TunedHyperParameters"]["depth"] for trial in found}) == 3
    for trial in found:
        depth = int(trial["TunedHyperParameters"]["depth"])
        measured = trial["FinalHyperParameterTuningJobObjectiveMetric"]
        # The last value of the log, not the first.
        assert measured["Value"] == pytest.approx(0.9 - abs(depth - 3.2) / 10)
        assert measured["MetricName"] == "validation:auc"
    assert job["BestTrainingJob"] == found[0]

    child = client.describe_training_job(TrainingJobName=found[0]["TrainingJobName"])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["TrainingJobName"].startswith("tune-00")
    assert child["HyperParameters"]["_tuning_objective_metric"] == "validation:auc"
    uri = f"s3://lake/models/{child['TrainingJobName']}/output/model.tar.gz"
    assert child["ModelArtifacts"]["S3ModelArtifacts"] == uri
    summaries = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert [one["HyperParameterTuningJobName"] for one in summaries] == ["tune"]


def test_the_same_seed_tries_the_same(lake: Any) -> None:
    client = create(lake, "one")
    create(lake, "two")
    create(lake, "three", RandomSeed=8)
    tried = []
    for name in ("one", "two", "three"):
        ended(client, name)
        tried.append([trial["TunedHyperParameters"] for trial in trials(client, name)])
    assert tried[0] == tried[1] != tried[2]


def test_a_grid_tries_every_combination_once(lake: Any) -> None:
    client = create(
        lake,
        Strategy="Grid",
        ResourceLimits={"MaxParallelTrainingJobs": 4},
        ParameterRanges={
            "CategoricalParameterRanges": [
                {"Name": "depth", "Values": ["2", "3"]},
                {"Name": "fail", "Values": ["no", "yes"]},
            ]
        },
    )
    job = ended(client)

    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert [tuple(one["TunedHyperParameters"].values()) for one in trials(client)] == [
        ("2", "no"), ("2", "yes"), ("3", "no"), ("3", "yes"),
    ]  # fmt: skip
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 2}
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "3", "fail": "no"}


def test_a_job_of_which_nothing_came_is_failed(lake: Any) -> None:
    client = create(
        lake,
        code="raise SystemExit('no')",
        ResourceLimits={"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 1},
    )
    job = ended(client)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    # https://github.com/aws/amazon-sagemaker-examples/issues/2437
    assert job["FailureReason"] == (
        "No training job succeeded after 5 attempts. Please take a look at the training job"
        " failures to get more details."
    )
    assert "BestTrainingJob" not in job


def test_without_its_objective_a_training_job_does_not_count(lake: Any) -> None:
    code = "import os, pathlib; pathlib.Path(os.environ['SM_MODEL_DIR'], 'm').write_text('')"
    limits = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    client = create(lake, code=code, ResourceLimits=limits)
    job = ended(client)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert [trial["ObjectiveStatus"] for trial in trials(client)] == ["Failed"]


def test_a_stopped_job_stops_its_training_jobs(lake: Any) -> None:
    client = create(lake, code="import time; time.sleep(60)")
    wait(lambda: {"found": trials(client)}, lambda seen: bool(seen["found"]))
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert ended(client)["HyperParameterTuningJobStatus"] == "Stopped"
    assert {trial["TrainingJobStatus"] for trial in trials(client)} == {"Stopped"}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("Hyperband", {"Strategy": "Hyperband"}, "Strategy=Hyperband"),
    ("early stopping", {"TrainingJobEarlyStoppingType": "Auto"}, "EarlyStoppingType=Auto"),
    (
        "completion criteria",
        {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 0.9}},
        "TuningJobCompletionCriteria.TargetObjectiveMetricValue",
    ),
    (
        "a metric of nobody's",
        {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"}},
        "The objective metric 'score' is none of the algorithm's",
    ),
    (
        # https://github.com/aws/amazon-sagemaker-operator-for-k8s/issues/123
        "more jobs than combinations",
        {"ParameterRanges": {"IntegerParameterRanges": [integer("depth", 1, 2)]}},
        "You don't have enough combinations of hyperparameter ranges.",
    ),
    (
        "a grid of numbers",
        {"Strategy": "Grid"},
        "A grid search takes categorical ranges; depth is none.",
    ),
    ("no ranges", {"ParameterRanges": {}}, "ParameterRanges must have at least one range"),
    (
        "the wrong way round",
        {"ParameterRanges": {"IntegerParameterRanges": [integer("depth", 6, 1)]}},
        "depth needs a MinValue below its MaxValue",
    ),
    (
        "the logarithm of nothing",
        {
            "ParameterRanges": {
                "ContinuousParameterRanges": [integer("eta", 0, 1, ScalingType="Logarithmic")]
            }
        },
        "its values must be above 0",
    ),
    (
        "what is static already",
        {"ParameterRanges": {"IntegerParameterRanges": [integer("sagemaker_program", 1, 6)]}},
        "StaticHyperParameters and ParameterRanges both have sagemaker_program.",
    ),
]


@pytest.mark.parametrize(("config", "words"), [case[1:] for case in REFUSED], ids=[
    case[0] for case in REFUSED
])  # fmt: skip
def test_what_cannot_be_done_is_refused(lake: Any, config: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words.replace(".", r"\.")):
        create(lake, **config)


def test_a_second_job_of_the_name_and_an_unknown_one(lake: Any) -> None:
    client = create(lake)
    with pytest.raises(ClientError, match=r"already exists\. Choose") as taken:
        create(lake)
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError, match="Could not find requested job with name: other"):
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="other")
    ended(client)


# -- proposals -----------------------------------------------------------------------------------

# https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
SCALED = [
    (Range("x", "Continuous", 0.0001, 1.0, "Logarithmic"), [0.0001, 0.001, 0.01, 0.1]),
    (Range("x", "Continuous", 0.0, 0.999, "ReverseLogarithmic"), [0.0, 0.822, 0.968, 0.994]),
    (Range("x", "Continuous", 0.0, 8.0), [0.0, 2.0, 4.0, 6.0]),
    (Range("x", "Integer", 1, 4), [1, 2, 3, 4]),
    (Range("x", "Integer", 1, 100, "Logarithmic"), [1, 3, 10, 31]),
    (Range("x", "Categorical", values=("5", "7")), [5, 5, 7, 7]),
]


@pytest.mark.parametrize(("given", "expected"), SCALED, ids=[
    f"{one.kind}-{one.scale}-{one.high:g}" for one, _ in SCALED
])  # fmt: skip
def test_a_range_is_tried_evenly_on_its_scale(given: Range, expected: list[float]) -> None:
    found = [float(given.at(place)) for place in (0.0, 0.25, 0.5, 0.75)]
    assert found == pytest.approx(expected, abs=6e-4)
    top = float(given.at(math.nextafter(1, 0)))
    assert top == pytest.approx(given.high or expected[-1])


def test_auto_is_logarithmic_over_two_powers_of_ten() -> None:
    eta = {"Name": "eta", "MinValue": "0.01", "MaxValue": "1"}
    depth = {"Name": "depth", "MinValue": "1", "MaxValue": "10"}
    found = ranges.read(
        {"ParameterRanges": {"ContinuousParameterRanges": [eta], "IntegerParameterRanges": [depth]}}
    )
    assert {one.name: one.scale for one in found} == {"eta": "Logarithmic", "depth": "Linear"}


def test_bayesian_search_comes_nearer_than_random_search() -> None:
    """A smooth objective of three hyperparameters, best at 0; 18 trials with each of five seeds."""
    space = [Range("x", "Continuous", 0.0, 1.0), Range("y", "Continuous", 0.0, 1.0)]
    space.append(Range("kind", "Categorical", values=("a", "b", "c")))

    def objective(places: list[float]) -> float:
        told = strategies.values(space, places)
        x, y = float(told["x"]), float(told["y"])
        return -((x - 0.3) ** 2) - (y - 0.8) ** 2 - (0.0 if told["kind"] == "b" else 0.2)

    def best(seed: int, *, bayesian: bool) -> float:
        tried: list[list[float]] = []
        for _ in range(18):
            known = [Trial(places, objective(places)) for places in tried]
            tried.append(
                strategies.bayesian(space, seed, tried, known)
                if bayesian
                else strategies.random(space, seed, tried)
            )
        return max(map(objective, tried))

    found = [statistics.median(best(s, bayesian=b) for s in range(5)) for b in (True, False)]
    assert found[0] > found[1] / 4
