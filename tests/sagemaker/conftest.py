"""A bucket, source archives, and jobs small enough to train in a second."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any

import pytest

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ROLE = "arn:aws:iam::000000000000:role/sagemaker"

TRAIN = """
import argparse, json, os, pathlib
import numpy as np
import xgboost as xgb

parser = argparse.ArgumentParser()
parser.add_argument("--num_round", type=int)
parser.add_argument("--objective")
given = parser.parse_args()
table = np.loadtxt(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.csv", delimiter=",")
data = xgb.DMatrix(table[:, 1:], table[:, 0])
booster = xgb.train({"objective": given.objective, "eval_metric": "auc", "nthread": 1}, data,
                    given.num_round, evals=[(data, "train"), (data, "validation")])
booster.save_model(os.environ["SM_MODEL_DIR"] + "/xgboost-model")
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "notes.txt").write_text("done")
pathlib.Path(os.environ["SM_CHECKPOINT_CONFIG_LOCAL_PATH"], "evaluation.json").write_text("{}")
"""

SERVE = """
import numpy as np
import xgboost as xgb

NAME = "{name}"

def model_fn(model_dir):
    booster = xgb.Booster({{"nthread": 1}})
    booster.load_model(bytearray(open(model_dir + "/xgboost-model", "rb").read()))
    return booster

def input_fn(body, content_type):
    if content_type != "text/csv":
        raise ValueError(content_type + " is not text/csv")
    return np.array([[float(cell) for cell in line.split(",")] for line in body.split()])

def predict_fn(rows, model):
    return model.inplace_predict(rows)

def output_fn(prediction, accept):
    return "\\n".join([NAME, *map(str, prediction.tolist())]), "text/csv"
"""


def source(files: dict[str, str]) -> bytes:
    """A tar.gz of these files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return data.getvalue()


def put_source(aws: Any, key: str, **files: str) -> str:
    """Stores an archive of `name.py` files; its address."""
    aws.objects.put("lake", key, source({f"{name}.py": text for name, text in files.items()}))
    return f"s3://lake/{key}"


def training_request(name: str, code_uri: str, **more: Any) -> dict[str, Any]:
    """CreateTrainingJob's request, with `more` on top."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {
            "num_round": "2",
            "objective": "binary:logistic",
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(code_uri),
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/sets/train/"}
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://lake/models"},
        "CheckpointConfig": {"S3Uri": "s3://lake/evaluation/"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.xlarge",
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


def wait(look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool]) -> Any:
    """Looks until it is done, at most half a minute."""
    deadline = time.monotonic() + 60
    while True:
        seen = look()
        if done(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)


def wait_for_job(aws: Any, name: str) -> Any:
    """DescribeTrainingJob after its end."""
    client = aws.client("sagemaker")
    return wait(
        lambda: client.describe_training_job(TrainingJobName=name),
        lambda seen: seen["TrainingJobStatus"] not in ("InProgress", "Stopping"),
    )


@pytest.fixture
def lake(aws: Any) -> Any:
    """The AWS with a bucket `lake` that holds a small training set."""
    aws.client("s3").create_bucket(Bucket="lake")
    rows = "".join(f"{n % 2},{n % 2 + n % 5},{n % 3}\n" for n in range(60))
    aws.objects.put("lake", "sets/train/rows.csv", rows.encode())
    return aws
