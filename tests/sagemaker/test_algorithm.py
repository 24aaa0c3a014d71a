"""The image's own algorithm: trained, served and put through in batches without a script."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.sagemaker import image_training
from tests.sagemaker.conftest import IMAGE, ROLE, training_request, wait, wait_for_job

CHOSEN = {
    "objective": "binary:logistic",
    "num_round": "5",
    "eval_metric": "auc,logloss",
    "max_depth": "3",
    "min_child_weight": "0",
}


def channel(name: str, uri: str, kind: str | None = "text/csv") -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    said = {"ContentType": kind} if kind else {}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **said}


def train(aws: Any, name: str, hyperparameters: dict[str, str], *channels: Any) -> Any:
    request = training_request(name, "s3://lake/none")
    del request["CheckpointConfig"]
    request |= {"HyperParameters": hyperparameters, "InputDataConfig": list(channels)}
    aws.client("sagemaker").create_training_job(**request)
    return wait_for_job(aws, name)


@pytest.fixture
def model(lake: Any) -> Any:
    """A model `m` that the algorithm trained of the lake's rows: two features, a label."""
    sets = [channel(name, "s3://lake/sets/train/") for name in ("train", "validation")]
    job = train(lake, "builtin", CHOSEN, *sets)
    assert job["TrainingJobStatus"] == "Completed", job
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    lake.client("sagemaker").create_model(
        ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE
    )
    return lake


def statistics(aws: Any, job: str, metric: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    found: list[dict[str, Any]] = aws.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName=metric,
        Dimensions=[{"Name": "TrainingJobName", "Value": job}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=2),
        Period=60,
        Statistics=["SampleCount", "Average"],
    )["Datapoints"]
    return found


def transform(aws: Any, name: str, **more: Any) -> Any:
    client = aws.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/in/"}
    given = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
    output = more.pop("output", {})
    request = {
        "TransformJobName": name,
        "ModelName": "m",
        "TransformInput": {**given, **more.pop("given", {})},
        "TransformOutput": {"S3OutputPath": "s3://lake/out", "AssembleWith": "Line", **output},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        **more,
    }
    client.create_transform_job(**request)
    return wait(
        lambda: client.describe_transform_job(TransformJobName=name),
        lambda seen: seen["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )


def test_it_trains_serves_and_transforms(model: Any) -> None:
    # What it measured is in CloudWatch: a value for each of five rounds.
    assert sum(p["SampleCount"] for p in statistics(model, "builtin", "validation:auc")) == 5
    assert statistics(model, "builtin", "validation:rmse") == []

    sagemaker = model.client("sagemaker")
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="e", ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="e")
    wait(
        lambda: sagemaker.describe_endpoint(EndpointName="e"),
        lambda seen: seen["EndpointStatus"] == "InService",
    )

    def ask(body: bytes, kind: str, accept: str) -> str:
        answer = model.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="e", Body=body, ContentType=kind, Accept=accept
        )
        return str(answer["Body"].read().decode())

    rows = b"1,0\n5,2\n"
    low, high = (float(line) for line in ask(rows, "text/csv", "text/csv").split())
    assert 0 < low < high < 1
    scores = json.loads(ask(rows, "text/csv", "application/json"))
    assert scores == {"predictions": [{"score": low}, {"score": high}]}
    assert float(ask(b"1:5 2:2", "text/libsvm", "text/csv")) == high
    with pytest.raises(ClientError, match="415"):
        ask(b"{}", "application/json", "text/csv")
    with pytest.raises(ClientError, match="406"):
        ask(rows, "text/csv", "image/png")

    # Two objects, of which one has more than a payload; columns are chosen and joined.
    model.objects.put("lake", "in/a.csv", b"7,1,0\n8,5,2\n9,1,0\n")
    model.objects.put("lake", "in/deep/b.csv", b"6,5,2")
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    done = transform(model, "t", DataProcessing=processing, BatchStrategy="SingleRecord")
    assert done["TransformJobStatus"] == "Completed", done
    first = model.objects.path("lake", "out/a.csv.out").read_text()
    assert first == f"7,{low}\n8,{high}\n9,{low}\n"
    assert model.objects.path("lake", "out/deep/b.csv.out").read_text() == f"6,{high}\n"


def test_a_transform_fails_with_what_the_model_said(model: Any) -> None:
    model.objects.put("lake", "in/a.csv", gzip.compress(b"1,0\n"))
    packed = transform(model, "packed", given={"CompressionType": "Gzip"})
    assert packed["TransformJobStatus"] == "Completed", packed
    model.objects.put("lake", "in/a.csv", b"one,two\n")
    failed = transform(model, "failed")
    assert failed["TransformJobStatus"] == "Failed"
    assert "in/a.csv: the model answered 415: Loading csv data failed" in failed["FailureReason"]
    # Nothing below the prefix is no success.
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/nothing/"}}
    empty = transform(model, "empty", given={"DataSource": source})
    assert "No S3 objects found" in empty["FailureReason"]
    with pytest.raises(ClientError, match=r"NotEmulated.*TransformInput.SplitType=RecordIO"):
        transform(model, "records", given={"SplitType": "RecordIO"})
    with pytest.raises(ClientError, match="ResourceInUse"):
        transform(model, "failed")
    # What it writes lies under its bucket's key, and says so.
    with pytest.raises(ClientError, match=r"TransformOutput.KmsKeyId.*bucket's own, None"):
        transform(model, "keyed", output={"KmsKeyId": "k"})


def test_it_reads_libsvm_by_default_and_says_what_it_does_not_take(lake: Any) -> None:
    lines = "".join(f"{n % 2} 1:{n % 2} 2:{n}\n" for n in range(20))
    lake.objects.put("lake", "svm/rows.txt", lines.encode())
    svm = channel("train", "s3://lake/svm/", None)
    assert train(lake, "svm", {"num_round": "1"}, svm)["TrainingJobStatus"] == "Completed"
    for name, given, said in (
        ("unknown", {"num_round": "1", "silent": "0"}, "Extraneous hyperparameter found: silent"),
        ("none", {}, "Missing required hyperparameter: num_round"),
        ("range", {"num_round": "1", "eta": "2"}, "Hyperparameter eta: 2.0 is not in range 0 to 1"),
    ):
        reason = train(lake, name, given, svm)["FailureReason"]
        assert reason.startswith("AlgorithmError: framework error") and said in reason
    for given, named in (
        ({"_kfold": "3"}, "HyperParameters._kfold"),
        ({"eval_metric": "accuracy"}, "HyperParameters.eval_metric=accuracy"),
    ):
        with pytest.raises(ClientError, match=f"NotEmulated.*{named}"):
            train(lake, "refused", {"num_round": "1", **given}, svm)


def test_weights_are_the_second_column_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # reading changes it
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "rows.csv").write_text("1,0.5,7\n0,2.0,8\n")
    asked = image_training.checked({"num_round": "1", "csv_weights": "1"})

    rows = image_training.read(folder, "csv", asked["csv_weights"])

    assert rows.get_weight().tolist() == [0.5, 2.0]
    assert rows.get_label().tolist() == [1, 0]
    with pytest.raises(image_training.UserError, match="csv_weights"):
        image_training.checked({"num_round": "1", "csv_weights": "2"})
