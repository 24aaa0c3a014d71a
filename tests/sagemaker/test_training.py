"""Training jobs that really train."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from localaws.core.signals import JobEnded
from localaws.sagemaker.layout import arguments, relative_name
from localaws.sagemaker.metrics import read_metrics
from tests.sagemaker.conftest import (
    TRAIN,
    put_source,
    training_request,
    wait,
    wait_for_job,
)


def run(aws: Any, code: str, **more: Any) -> Any:
    """Trains with this script; the description of the ended job."""
    request = training_request("job", put_source(aws, "code/train.tar.gz", train=code), **more)
    aws.client("sagemaker").create_training_job(**request)
    return wait_for_job(aws, "job")


def test_a_job_leaves_a_model_that_loads(lake: Any) -> None:
    ended: list[dict[str, Any]] = []
    lake.signals.subscribe(JobEnded, lambda signal: ended.append(asdict(signal)))
    job = run(lake, TRAIN)

    assert job["TrainingJobStatus"] == "Completed", job
    assert job["SecondaryStatus"] == "Completed"
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://lake/models/job/output/model.tar.gz"
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] >= 1
    metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
    assert set(metrics) == {"train:auc", "validation:auc"}
    assert 0.5 < metrics["validation:auc"] <= 1
    assert "FailureReason" not in job
    assert ended == [{"service": "sagemaker", "id": "job"}]

    packed = lake.objects.path("lake", "models/job/output/model.tar.gz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == ["xgboost-model"]
        data = archive.extractfile("xgboost-model")
        assert data is not None
        booster = xgb.Booster()
        booster.load_model(bytearray(data.read()))
    assert booster.num_boosted_rounds() == 2
    output = lake.objects.path("lake", "models/job/output/output.tar.gz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(output)) as archive:
        assert archive.getnames() == ["notes.txt"]
    assert lake.objects.path("lake", "evaluation/evaluation.json").read_text() == "{}"


def test_the_script_finds_what_the_container_would_give_it(lake: Any) -> None:
    code = """
import json, os, pathlib, sys
base = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"])
told = {
    "config": {p.stem: json.loads(p.read_text()) for p in sorted(base.glob("*.json"))},
    "variables": {k: v for k, v in os.environ.items() if k.startswith(("SM_", "TRAINING_", "MY"))},
    "argv": sys.argv[1:], "cwd": os.getcwd(), "package": __package__, "name": __name__,
    "can_import_duckdb": __import__("importlib").util.find_spec("duckdb") is not None,
}
pathlib.Path(os.environ["SM_MODEL_DIR"], "told.json").write_text(json.dumps(told))
"""
    job = run(lake, code, Environment={"MY_SETTING": "7"})
    assert job["TrainingJobStatus"] == "Completed", job
    packed = lake.objects.path("lake", "models/job/output/model.tar.gz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        told = json.load(archive.extractfile("told.json"))  # type: ignore[arg-type]
    variables = told["variables"]
    assert variables["SM_HP_NUM_ROUND"] == "2"
    assert json.loads(variables["SM_HPS"]) == {"num_round": 2, "objective": "binary:logistic"}
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert variables["SM_CHANNEL_TRAIN"].endswith("/input/data/train")
    assert variables["TRAINING_JOB_NAME"] == "job"
    assert variables["MY_SETTING"] == "7"
    assert told["argv"] == ["--num_round", "2", "--objective", "binary:logistic"]
    assert told["cwd"].endswith("/code")
    assert (told["package"], told["name"]) == ("", "__main__")
    assert told["can_import_duckdb"] is False
    assert told["config"]["hyperparameters"]["num_round"] == "2"
    assert told["config"]["inputdataconfig"]["train"]["TrainingInputMode"] == "File"
    assert told["config"]["resourceconfig"]["hosts"] == ["algo-1"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "raise ValueError('no rows for holdout')",
            "ValueError: no rows for holdout, exit code: 1",
        ),
        (
            "import os, pathlib\n"
            "pathlib.Path(os.environ['SM_OUTPUT_DIR'], 'failure').write_text('told so')\n"
            "raise SystemExit(3)",
            "AlgorithmError: told so, exit code: 3",
        ),
        ("pass", "left no file in SM_MODEL_DIR, exit code: 0"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "exit code: 137 (killed, as the system does when memory runs out)",
        ),
    ],
)
def test_a_job_that_makes_no_model_fails_and_says_why(lake: Any, code: str, reason: str) -> None:
    job = run(lake, code)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert job["FailureReason"].endswith(reason)


def test_a_channel_without_objects_fails_the_job(lake: Any) -> None:
    lake.objects.delete("lake", "sets/train/rows.csv")
    job = run(lake, TRAIN)
    assert job["TrainingJobStatus"] == "Failed"
    assert 'No S3 objects found under S3 URL "s3://lake/sets/train/"' in job["FailureReason"]


SLOW = """
import os, pathlib, signal, time
pathlib.Path(os.environ["SM_MODEL_DIR"], "half").write_text("x")
print("sleeping", flush=True)
time.sleep(60)
"""


def test_a_job_beyond_its_time_limit_is_stopped(lake: Any) -> None:
    job = run(lake, SLOW, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")


def test_a_stopped_job_ends_its_process(lake: Any) -> None:
    client = lake.client("sagemaker")
    request = training_request("job", put_source(lake, "code/train.tar.gz", train=SLOW))
    client.create_training_job(**request)
    wait(
        lambda: client.describe_training_job(TrainingJobName="job"),
        lambda seen: seen["SecondaryStatus"] == "Training",
    )
    client.stop_training_job(TrainingJobName="job")
    job = wait_for_job(lake, "job")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    with pytest.raises(ClientError, match="in status Stopped"):
        client.stop_training_job(TrainingJobName="job")


def test_description_has_what_the_sdk_reads(lake: Any) -> None:
    """`Estimator.attach` and `TrainingJobAnalytics` fail without these; AWS fills them in."""
    job = run(lake, TRAIN)
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    metrics = {
        metric["Name"]: metric["Regex"]
        for metric in job["AlgorithmSpecification"]["MetricDefinitions"]
    }
    number = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
    assert metrics["validation:auc"] == rf".*\[[0-9]+\].*#011validation-auc:{number}.*"
    assert "train:rmse" in metrics


def test_a_name_is_taken_for_good(lake: Any) -> None:
    run(lake, "pass")
    with pytest.raises(ClientError, match="must be unique") as caught:
        run(lake, "pass")
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"


def test_jobs_are_listed_and_a_missing_one_is_an_error(lake: Any) -> None:
    run(lake, "pass")
    client = lake.client("sagemaker")
    found = client.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == ["job"]
    assert client.list_training_jobs(NameContains="other")["TrainingJobSummaries"] == []
    with pytest.raises(ClientError, match="Requested resource not found") as caught:
        client.describe_training_job(TrainingJobName="gone")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_the_same_bytes_in_give_the_same_bytes_out(lake: Any) -> None:
    uri = put_source(lake, "code/train.tar.gz", train=TRAIN)
    client = lake.client("sagemaker")
    for name in ("one", "two"):
        client.create_training_job(**training_request(name, uri))
        assert wait_for_job(lake, name)["TrainingJobStatus"] == "Completed"
    one, two = (
        lake.objects.path("lake", f"models/{name}/output/model.tar.gz").read_bytes()
        for name in ("one", "two")
    )
    assert one == two


ALGORITHM = {"TrainingInputMode": "File"}


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        (
            {"AlgorithmSpecification": {**ALGORITHM, "TrainingImage": "x/sagemaker-xgboost:1.7-1"}},
            "AlgorithmSpecification.TrainingImage=x/sagemaker-xgboost:1.7-1",
        ),
        (
            {"ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.xlarge"}},
            "ResourceConfig.InstanceCount=2",
        ),
        ({"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining=True"),
        (
            {"OutputDataConfig": {"S3OutputPath": "s3://lake/models", "KmsKeyId": "other"}},
            "OutputDataConfig.KmsKeyId",
        ),
        ({"HyperParameters": {"sagemaker_program": "a.py"}}, "with one of sagemaker_program"),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(
    lake: Any, more: dict[str, Any], refused: str
) -> None:
    request = training_request("job", "s3://lake/code/train.tar.gz", **more)
    with pytest.raises(ClientError, match="does not emulate") as caught:
        lake.client("sagemaker").create_training_job(**request)
    assert refused in str(caught.value)


def test_metric_definitions_are_refused_as_aws_refuses_them(lake: Any) -> None:
    request = training_request("job", "s3://lake/code/train.tar.gz")
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "a", "Regex": "b"}]
    with pytest.raises(ClientError, match="can't override the metric definitions"):
        lake.client("sagemaker").create_training_job(**request)


def test_a_name_with_an_underscore_is_invalid(lake: Any) -> None:
    with pytest.raises(ClientError, match="regular expression pattern"):
        lake.client("sagemaker").create_training_job(**training_request("a_b", "s3://lake/x"))


def test_an_interrupted_job_starts_again_with_the_server(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    first = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    first.client("s3").create_bucket(Bucket="lake")
    first.objects.put("lake", "sets/train/rows.csv", b"1,2\n0,3\n1,4\n0,1\n")
    uri = put_source(first, "code/train.tar.gz", train="import time; time.sleep(0.5)\n" + TRAIN)
    first.client("sagemaker").create_training_job(**training_request("job", uri))
    first.stop()
    second = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    assert wait_for_job(second, "job")["TrainingJobStatus"] == "Completed"
    second.stop()


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("sets/train/a.csv", "sets/train/", "a.csv"),
        ("sets/train/a.csv", "sets/train", "a.csv"),
        ("sets/train/k=1/a.csv", "sets/train", "k=1/a.csv"),
        ("sets/training/a.csv", "sets/train", "training/a.csv"),
        ("sets/a.csv", "sets/a.csv", "a.csv"),
        ("a.csv", "", "a.csv"),
    ],
)
def test_a_channel_file_is_named_relative_to_its_prefix(key: str, prefix: str, name: str) -> None:
    assert relative_name(key, prefix) == name


def test_arguments_are_sorted_and_objects_are_joined() -> None:
    assert arguments({"b": 1, "a_b": {"y": 2, "x": 1}, "s": "t u"}) == [
        *("--a_b", "x=1,y=2", "-b", "1", "-s", "t u"),
    ]


def test_metrics_are_read_from_the_lines_of_xgboost() -> None:
    line = "[12]\ttrain-auc:0.83120\tvalidation-auc:8.1e-1"
    assert read_metrics(line) == {"train:auc": 0.8312, "validation:auc": 0.81}
    assert read_metrics("[12]#011validation-auc:0.5") == {"validation:auc": 0.5}
    assert read_metrics("validation-auc:0.5") == {}
