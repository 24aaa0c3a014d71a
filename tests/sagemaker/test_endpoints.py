"""Endpoints with real model servers."""

from __future__ import annotations

import io
import os
import signal
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from localaws.sagemaker.endpoints import Endpoints
from tests.sagemaker.conftest import IMAGE, ROLE, SERVE, put_source, wait

ROW = b"1.0,2.0"


def model_archive() -> bytes:
    """model.tar.gz with a tiny booster."""
    rows = np.array([[n % 5, n % 3] for n in range(40)], dtype=np.float32)
    booster = xgb.train({"nthread": 1}, xgb.DMatrix(rows, np.arange(40) % 2), 1)
    data = bytes(booster.save_raw("ubj"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def make_config(aws: Any, name: str, script: str, capture: Any = None, **variant: Any) -> None:
    """A model and an endpoint configuration of the same name around a serving script."""
    client = aws.client("sagemaker")
    client.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": "s3://lake/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "serve.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": put_source(aws, f"code/{name}.tar.gz", serve=script),
            },
        },
    )
    kind = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "live", "ModelName": name, **kind}],
        **({"DataCaptureConfig": capture} if capture else {}),
    )


def settled(aws: Any, name: str = "e") -> Any:
    """DescribeEndpoint when no change is under way."""
    client = aws.client("sagemaker")
    return wait(
        lambda: client.describe_endpoint(EndpointName=name),
        lambda seen: seen["EndpointStatus"] not in ("Creating", "Updating"),
    )


def create(aws: Any, config: str, name: str = "e") -> Any:
    """Creates the endpoint and waits for it."""
    aws.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config)
    return settled(aws, name)


def ask(aws: Any, body: bytes = ROW, name: str = "e", kind: str = "text/csv") -> str:
    """The body of an invocation."""
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=body, ContentType=kind, Accept="text/csv"
    )
    text: str = answer["Body"].read().decode()
    return text


@pytest.fixture
def stocked(lake: Any) -> Any:
    """The lake with a model's archive."""
    lake.objects.put("lake", "model.tar.gz", model_archive())
    return lake


def test_an_endpoint_answers_with_its_model(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    seen = create(stocked, "one")
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", "one")
    assert seen["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    answer = stocked.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", Body=b"1,2\n3,0\n", ContentType="text/csv"
    )
    assert answer["InvokedProductionVariant"] == "live"
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    name, *numbers = answer["Body"].read().decode().split("\n")
    assert name == "one"
    assert [0 <= float(number) <= 1 for number in numbers] == [True, True]


def test_an_update_loses_no_request(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    make_config(stocked, "two", SERVE.format(name="two"))
    create(stocked, "one")
    answers: list[str] = []
    problems: list[Exception] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            try:
                answers.append(ask(stocked).split("\n")[0])
            except Exception as problem:
                problems.append(problem)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    client = stocked.client("sagemaker")
    client.update_endpoint(EndpointName="e", EndpointConfigName="two")
    seen = settled(stocked)
    while "two" not in answers and not problems:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", "two")
    assert problems == []
    assert answers[0] == "one"
    assert set(answers) == {"one", "two"}
    assert ask(stocked).split("\n")[0] == "two"


@pytest.mark.parametrize("other", ["update_endpoint", "delete_endpoint"])
def test_of_two_changes_at_once_one_is_refused(
    stocked: Any, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    for name in ("one", "two"):
        make_config(stocked, name, SERVE.format(name=name))
    create(stocked, "one")
    plan, planning = Endpoints.plan, threading.Event()

    def slow(self: Endpoints, name: str, config: str) -> Any:
        planning.set()
        time.sleep(0.3)  # the other one comes meanwhile
        return plan(self, name, config)

    monkeypatch.setattr(Endpoints, "plan", slow)
    client = stocked.client("sagemaker")
    change = {"EndpointName": "e", "EndpointConfigName": "two"}
    first = threading.Thread(target=client.update_endpoint, kwargs=change)
    first.start()
    assert planning.wait(60)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        getattr(client, other)(**(change if other.startswith("u") else {"EndpointName": "e"}))
    first.join()
    assert settled(stocked)["EndpointConfigName"] == "two"


def test_a_failed_update_keeps_the_old_model_in_service(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    make_config(stocked, "bad", "raise RuntimeError('no such thing')")
    create(stocked, "one")
    stocked.client("sagemaker").update_endpoint(EndpointName="e", EndpointConfigName="bad")
    seen = settled(stocked)
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", "one")
    assert "did not pass the ping health check" in seen["FailureReason"]
    assert "RuntimeError: no such thing" in seen["FailureReason"]
    assert ask(stocked).startswith("one")


def test_a_failed_creation_can_only_be_deleted(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    make_config(stocked, "bad", "def input_fn(body, kind): return 1")
    seen = create(stocked, "bad")
    assert seen["EndpointStatus"] == "Failed"
    assert "Please provide a model_fn implementation" in seen["FailureReason"]
    client = stocked.client("sagemaker")
    with pytest.raises(ClientError, match="Cannot update endpoint"):
        client.update_endpoint(EndpointName="e", EndpointConfigName="one")
    client.delete_endpoint(EndpointName="e")
    with pytest.raises(ClientError, match="Could not find endpoint") as caught:
        client.describe_endpoint(EndpointName="e")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_error_of_the_model_is_a_model_error(stocked: Any) -> None:
    refusing = """
import flask
def model_fn(model_dir): return None
def transform_fn(model, body, content_type, accept):
    if content_type != "text/csv":
        return flask.Response("only text/csv", status=415, mimetype="text/plain")
    return str(float(body)), accept
"""
    make_config(stocked, "one", refusing)
    create(stocked, "one")
    page = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>"
    for body, kind, status, message in (
        (b"{}", "application/json", 415, "only text/csv"),
        (b"1,x", "text/csv", 500, page),
    ):
        with pytest.raises(ClientError) as caught:
            ask(stocked, body, kind=kind)
        answer = caught.value.response
        assert answer["Error"]["Code"] == "ModelError"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert answer["OriginalStatusCode"] == status
        assert answer["OriginalMessage"].startswith(message)
        assert f"error ({status}) from primary" in answer["Error"]["Message"]


def test_an_unknown_endpoint_is_a_validation_error(stocked: Any) -> None:
    with pytest.raises(ClientError, match="not found") as caught:
        ask(stocked, name="nobody")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_a_server_that_died_is_started_again(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    create(stocked, "one")
    endpoints = stocked.gateway.services["sagemaker"].endpoints
    with endpoints.serving("e") as process:
        os.kill(process.process.pid, signal.SIGKILL)
        process.process.wait(5)
    assert ask(stocked).startswith("one")


def test_endpoints_come_back_with_the_server_without_their_configuration(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    first = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    first.client("s3").create_bucket(Bucket="lake")
    first.objects.put("lake", "model.tar.gz", model_archive())
    make_config(first, "one", SERVE.format(name="one"))
    create(first, "one")
    first.client("sagemaker").delete_endpoint_config(EndpointConfigName="one")
    first.client("sagemaker").delete_model(ModelName="one")
    first.stop()
    second = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    assert ask(second).startswith("one")
    second.stop()


def test_a_serverless_variant_is_served_too(stocked: Any) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    make_config(stocked, "one", SERVE.format(name="one"), ServerlessConfig=serverless)
    seen = create(stocked, "one")
    assert seen["ProductionVariants"][0]["CurrentServerlessConfig"] == serverless
    assert ask(stocked).startswith("one")


def test_duplicates_and_missing_things_are_validation_exceptions(stocked: Any) -> None:
    make_config(stocked, "one", SERVE.format(name="one"))
    create(stocked, "one")
    client = stocked.client("sagemaker")
    variant = {
        "VariantName": "live",
        "ModelName": "gone",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    container = {"Image": IMAGE, "ModelDataUrl": "s3://lake/gone.tar.gz"}
    for call, arguments, message in (
        ("create_endpoint", {"EndpointName": "e", "EndpointConfigName": "one"}, "already existing"),
        ("create_endpoint", {"EndpointName": "f", "EndpointConfigName": "x"}, "Could not find"),
        ("update_endpoint", {"EndpointName": "f", "EndpointConfigName": "one"}, "Could not find"),
        ("update_endpoint", {"EndpointName": "e", "EndpointConfigName": "one"}, "already uses"),
        (
            "create_endpoint_config",
            {"EndpointConfigName": "c", "ProductionVariants": [variant]},
            "Could not find model",
        ),
        (
            "create_model",
            {"ModelName": "m", "PrimaryContainer": container, "ExecutionRoleArn": ROLE},
            "Could not find model data",
        ),
        ("describe_model", {"ModelName": "m"}, "Could not find model"),
        ("delete_endpoint", {"EndpointName": "f"}, "Could not find endpoint"),
    ):
        with pytest.raises(ClientError, match=message) as caught:
            getattr(client, call)(**arguments)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert [e["EndpointName"] for e in client.list_endpoints()["Endpoints"]] == ["e"]
