"""A small lake in a real local AWS, and one workflow that does real work in it."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from tests.console.conftest import client
from tests.console.machines import ROLE

Json = dict[str, Any]

BUCKET = "console-lake"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ORDERS = "order_id,customer,amount\n" + "".join(f"{n}, Ann {n} ,{n * 2}.5\n" for n in range(1, 13))

CURVES: Json = {
    "roc_curve": {"false_positive_rate": [0, 0.2, 1], "true_positive_rate": [0, 0.7, 1]},
    "precision_recall_curve": {"recall": [0, 0.7, 1], "precision": [1, 0.5, 0.1]},
    "calibration": [
        {"mean_predicted": 0.1, "observed": 0.08, "rows": 50},
        {"mean_predicted": 0.6, "observed": 0.66, "rows": 50},
    ],
    "feature_importance": {"gain": {"recency": 8.5, "frequency": 3.25}},
}
EVALUATION: Json = {
    "challenger": {
        "run": "new",
        "auc": 0.81,
        "logloss": 0.31,
        "threshold": 0.25,
        "operating_point": {
            "false_positive_rate": 0.2,
            "true_positive_rate": 0.7,
            "recall": 0.7,
            "precision": 0.5,
        },
        **CURVES,
    },
    "champion": {"run": "old", "auc": 0.79, "logloss": 0.3, "threshold": 0.2, **CURVES},
    "learning_curve": {"round": [0, 1, 2], "validation_auc": [0.6, 0.75, 0.74]},
    "best_iteration": 1,
}
TRAIN = f"""
import os, pathlib
pathlib.Path(os.environ["SM_MODEL_DIR"], "xgboost-model").write_bytes(b"none")
pathlib.Path(os.environ["SM_CHECKPOINT_CONFIG_LOCAL_PATH"], "evaluation.json").write_text(
    {json.dumps(EVALUATION)!r})
"""


SERVE = """
def model_fn(folder): return None
def input_fn(body, content_type): return body
def predict_fn(rows, model): return rows
def output_fn(rows, accept): return rows, "text/csv"
"""


def fill(endpoint: str) -> None:
    """Bucket, raw file, catalog, crawler, work group, recipe job, training code, schedule, rule."""
    s3, athena, glue = (client(name, endpoint) for name in ("s3", "athena", "glue"))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="raw/orders/orders.csv", Body=ORDERS.encode())
    s3.put_object(Bucket=BUCKET, Key="code/train.tar.gz", Body=_archive("train.py", TRAIN))
    athena.create_work_group(
        Name="lake-readers",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}},
    )
    glue.create_database(DatabaseInput={"Name": "shop"})
    glue.create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "orders",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
            "StorageDescriptor": _csv(f"s3://{BUCKET}/raw/orders/"),
        },
    )
    glue.create_partition(
        DatabaseName="shop",
        TableName="orders",
        PartitionInput={
            "Values": ["2026-11-22"],
            "StorageDescriptor": _csv(f"s3://{BUCKET}/raw/orders/"),
        },
    )
    glue.create_crawler(
        Name="raw",
        Role=ROLE,
        DatabaseName="shop",
        Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/raw/"}]},
    )
    _recipe_job(client("databrew", endpoint))


def _archive(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        opened.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def serve(endpoint: str) -> str:
    """Makes the endpoint `echo`, whose model answers with what it is asked; waits for it."""
    s3, sagemaker = client("s3", endpoint), client("sagemaker", endpoint)
    s3.put_object(Bucket=BUCKET, Key="code/serve.tar.gz", Body=_archive("serve.py", SERVE))
    s3.put_object(Bucket=BUCKET, Key="code/model.tar.gz", Body=_archive("xgboost-model", "none"))
    sagemaker.create_model(
        ModelName="echo",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{BUCKET}/code/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "serve.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/code/serve.tar.gz",
            },
        },
    )
    variant = {"VariantName": "live", "ModelName": "echo", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName="echo",
        ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}],
    )
    sagemaker.create_endpoint(EndpointName="echo", EndpointConfigName="echo")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="echo", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return "echo"


def look_at_endpoint() -> str:
    return json.dumps(
        {
            "StartAt": "Look",
            "States": {
                "Look": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint",
                    "Parameters": {"EndpointName": "echo"},
                    "End": True,
                }
            },
        }
    )


def _csv(location: str) -> Json:
    return {
        "Columns": [
            {"Name": "order_id", "Type": "bigint"},
            {"Name": "customer", "Type": "string"},
            {"Name": "amount", "Type": "double"},
        ],
        "Location": location,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": ","},
        },
    }


def _recipe_job(databrew: Any) -> None:
    databrew.create_dataset(
        Name="raw-orders",
        Format="CSV",
        Input={"S3InputDefinition": {"Bucket": BUCKET, "Key": "raw/orders/orders.csv"}},
    )
    steps = [
        {"Operation": "REMOVE_COMBINED", "sourceColumn": "customer"}
        | {"removeLeadingAndTrailingWhitespace": "true"},
        {"Operation": "RENAME", "sourceColumn": "amount", "targetColumn": "euros"},
    ]
    databrew.create_recipe(
        Name="tidy",
        Steps=[
            {"Action": {"Operation": step.pop("Operation"), "Parameters": step}} for step in steps
        ],
    )
    databrew.publish_recipe(Name="tidy")
    databrew.create_recipe_job(
        Name="tidy-orders",
        DatasetName="raw-orders",
        RecipeReference={"Name": "tidy", "RecipeVersion": "1.0"},
        RoleArn=ROLE,
        Outputs=[{"Location": {"Bucket": BUCKET, "Key": "tidy/orders/"}, "Format": "PARQUET"}],
    )


def workflow() -> str:
    """A query, a recipe, a training job: one after the other, each waited for."""
    return json.dumps(
        {
            "StartAt": "Count orders",
            "States": {
                "Count orders": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
                    "Parameters": {
                        "WorkGroup": "lake-readers",
                        "QueryString": "CREATE TABLE shop.large AS SELECT * FROM shop.orders "
                        "WHERE amount > 10",
                    },
                    "ResultPath": None,
                    "Next": "Tidy",
                },
                "Tidy": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::databrew:startJobRun.sync",
                    "Parameters": {"Name": "tidy-orders"},
                    "ResultPath": None,
                    "Next": "Train",
                },
                "Train": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
                    "Parameters": training_request(),
                    "ResultPath": None,
                    "End": True,
                },
            },
        }
    )


def training_request() -> Json:
    return {
        "TrainingJobName": "console-model",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"s3://{BUCKET}/code/train.tar.gz"',
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/evaluation/"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.xlarge",
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
