"""Deploying where something stands in the way, on the local CloudFormation and S3."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from sagemaker import image_uris

from configuration import settings
from configuration.connection import Connection
from configuration.errors import DeploymentError, InputError
from configuration.settings import Settings
from infrastructure import code_bucket, deploy, looks, names, preview, settling, stack_states
from infrastructure.regions import OTHER_LAYER_ACCOUNT, REGIONS
from infrastructure.stack import find_stack, stack_outputs
from infrastructure.stack_states import STATES, Way
from localaws.errors import AwsError


def connection(server: Any, region: str = "us-east-1", **more: Any) -> Connection:
    return Connection(Settings(endpoint_url=server.url, region=region, **more))


def template(name: str) -> dict[str, Any]:
    """A bucket; one of a wrong name cannot be made."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
    return {"Resources": {"Bucket": bucket}}


def apply(connected: Connection, body: dict[str, Any], said: list[str]) -> bool:
    """The steps of a deployment on another template; whether there was anything to change."""
    cloudformation = connected.client("cloudformation")
    settling.settle(cloudformation, "rebuy", said.append)
    planned = deploy.plan(cloudformation, {"StackName": "rebuy", "TemplateBody": json.dumps(body)})
    if planned is not None:
        preview.execute(cloudformation, planned, said.append)
    return planned is not None


def test_a_stack_that_could_not_be_created_is_removed_and_made(server: Any) -> None:
    connected = connection(server)
    said: list[str] = []

    with pytest.raises(DeploymentError, match=r"Stack rebuy is ROLLBACK_COMPLETE\.\n  Bucket"):
        apply(connected, template("Not A Name"), said)
    with pytest.raises(DeploymentError, match="is ROLLBACK_COMPLETE: it could not be created; `re"):
        stack_outputs(connected)

    assert apply(connected, template("free"), said)
    assert "stack rebuy is ROLLBACK_COMPLETE: it could not be created" in said
    stack = find_stack(connected.client("cloudformation"), "rebuy")
    assert stack is not None and stack["StackStatus"] == "CREATE_COMPLETE"
    assert not apply(connected, template("free"), said)  # nothing to change
    with pytest.raises(DeploymentError, match="Everything is as it was before"):
        apply(connected, template("Not A Name"), said)


@pytest.mark.parametrize(("refusals", "made"), [(1, True), (2, False)])
def test_a_role_that_is_too_new_is_given_a_second_try(
    server: Any, monkeypatch: pytest.MonkeyPatch, refusals: int, made: bool
) -> None:
    from localaws.cloudformation.providers.s3 import Bucket

    connected, said, asked = connection(server), list[str](), list[str]()
    make, left = Bucket.create, [refusals]

    def refuse(*given: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise AwsError("x", "The role defined for the function cannot be assumed by Lambda.")
        return make(*given)

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(Bucket, "create", refuse)
    request = {"StackName": "rebuy", "TemplateBody": json.dumps(template("mine"))}
    if made:
        assert deploy.bring(connected, request, said.append, confirm)
    else:
        with pytest.raises(DeploymentError, match="cannot be assumed by Lambda"):
            deploy.bring(connected, request, said.append, confirm)
    assert len(asked) == 1
    assert left[0] == (-1 if made else 0)


def test_what_is_in_progress_is_followed(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's creation hangs in one resource until the deployment has looked at it."""
    from localaws.cloudformation.providers.s3 import Bucket

    connected, said = connection(server), list[str]()
    cloudformation = connected.client("cloudformation")
    go_on = threading.Event()
    make = Bucket.create

    def slowly(*given: Any) -> Any:
        assert go_on.wait(60)
        return make(*given)

    def say(line: str) -> None:
        said.append(line)
        go_on.set()

    monkeypatch.setattr(Bucket, "create", slowly)
    cloudformation.create_stack(StackName="rebuy", TemplateBody=json.dumps(template("mine")))
    settling.settle(cloudformation, "rebuy", say)
    assert said[0].startswith("stack rebuy is CREATE_IN_PROGRESS: an operation that began elsewh")
    assert find_stack(cloudformation, "rebuy")["StackStatus"] == "CREATE_COMPLETE"  # type: ignore[index]


def test_a_stack_that_cannot_be_taken_away_is_told_with_a_way_out(server: Any) -> None:
    connected, said = connection(server), list[str]()
    cloudformation = connected.client("cloudformation")
    apply(connected, template("mine"), said)
    connected.client("s3").put_object(Bucket="mine", Key="a", Body=b"a")
    cloudformation.delete_stack(StackName="rebuy")
    with pytest.raises(DeploymentError, match=r"DELETE_FAILED[\s\S]*Take away what stands in the"):
        settling.settle(cloudformation, "rebuy", said.append)


def test_every_state_of_a_stack_has_words_and_a_way() -> None:
    model = boto3.client("cloudformation", region_name="us-east-1").meta.service_model
    assert set(STATES) == set(model.shape_for("StackStatus").enum)
    for status, state in STATES.items():
        assert (state.way is Way.FOLLOW) == (
            status.endswith("_IN_PROGRESS") and "REVIEW" not in status
        )
    assert all(stack_states.way_out(status, "x") for status in STATES if "ROLLBACK_FAILED" in status
               and "IMPORT" not in status)  # fmt: skip


def test_a_no_changes_nothing_and_leaves_no_trace(server: Any) -> None:
    connected, asked = connection(server), list[str]()
    cloudformation = connected.client("cloudformation")
    request = {"StackName": "rebuy", "TemplateBody": json.dumps(template("mine"))}

    def no(question: str) -> bool:
        asked.append(question)
        return False

    planned = deploy.plan(cloudformation, request)
    assert planned is not None
    with pytest.raises(DeploymentError, match="Nothing was changed"):
        deploy.change(connected, planned, lambda _: None, no)
    assert asked == [f"Do this at {server.url}?"]
    while (stack := find_stack(cloudformation, "rebuy")) is not None:
        assert stack["StackStatus"] == "DELETE_IN_PROGRESS"
    assert connected.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_packages_lie_in_the_region_that_is_deployed_to(server: Any, region: str) -> None:
    """S3 wants to be told every region but one."""
    connected = connection(server, region)

    bucket = code_bucket.ensure(connected)

    assert bucket == f"rebuy-code-000000000000-{region}"
    found = connected.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"]
    assert found == (None if region == "us-east-1" else region)
    assert code_bucket.ensure(connected) == bucket  # it is there already


def test_a_bucket_of_another_account_is_refused(server: Any) -> None:
    connected = connection(server)
    code_bucket.ensure(connected)
    connected.__dict__["account"] = "111111111111"  # as if the bucket were somebody else's
    connected.client("s3").create_bucket(Bucket="rebuy-code-111111111111-us-east-1")
    with pytest.raises(DeploymentError, match="is not account 111111111111's"):
        code_bucket.ensure(connected)
    assert any("rebuy-code-" in line for line in looks.buckets(connected))


def test_names_are_filled_in_as_cloudformation_does() -> None:
    text = f"{names.LAKE_ARN}/x"
    assert names.filled(text, "rebuy", "1", "cn-north-1") == (
        "arn:aws-cn:s3:::rebuy-lake-1-cn-north-1/x"
    )


# Looks before it costs


def test_the_regions_are_those_that_have_everything() -> None:
    registries = image_uris.config_for_framework("xgboost")["training"]["versions"]["3.0-5"]
    brew = set(boto3.Session().get_available_regions("databrew"))
    assert set(REGIONS) == (brew & set(registries["registries"])) - set(OTHER_LAYER_ACCOUNT)


def test_another_region_is_refused_before_anything_is_made(server: Any) -> None:
    connected = connection(server, "eu-south-2")
    with pytest.raises(DeploymentError, match="region eu-south-2 lacks DataBrew"):
        deploy.deploy(connected, lambda _: None)
    assert connected.client("s3").list_buckets()["Buckets"] == []


# Answers as AWS documents them, and what is said of each.
ENDPOINT = {
    "EndpointName": "rebuy",
    "EndpointArn": "arn:aws:sagemaker:us-east-1:111111111111:endpoint/rebuy",
    "EndpointStatus": "InService",
    "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
    "LastModifiedTime": datetime(2026, 1, 1, tzinfo=UTC),
}
ANSWERS = [
    (
        *("service-quotas", "list_service_quotas", looks.quotas),
        {
            "Quotas": [
                {"QuotaName": "ml.m5.xlarge for training job usage", "QuotaCode": "L-CCE2AFA6",
                 "Value": 0.0},
                {"QuotaName": "ml.m5.large for endpoint usage", "QuotaCode": "L-1", "Value": 2.0},
            ]
        },
        ["quota 'ml.m5.xlarge for training job usage' is 0: aws service-quotas request-service"],
    ),
    (  # an update has two fleets
        *("service-quotas", "list_service_quotas", looks.quotas),
        {
            "Quotas": [
                {"QuotaName": "ml.m5.large for endpoint usage", "QuotaCode": "L-1", "Value": 1.0},
            ]
        },
        ["usage' is 1: aws service-quotas request-service-quota-increase --service-code sagemaker"
         " --quota-code L-1 --desired-value 2"],
    ),
    (
        *("sagemaker", "describe_endpoint", looks.endpoint_kind),
        {**ENDPOINT, "ProductionVariants": [{"VariantName": "live", "CurrentServerlessConfig": {
            "MemorySizeInMB": 2048, "MaxConcurrency": 5}}]},
        ["and the endpoint rebuy is \"serverless\", which SageMaker does not change"],
    ),
    (
        *("sagemaker", "describe_endpoint", looks.endpoint_kind),
        {**ENDPOINT, "ProductionVariants": [{"VariantName": "live", "CurrentInstanceCount": 1}]},
        [],
    ),
    (
        *("s3control", "get_public_access_block", looks.public_access),
        {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}},
        ['site = "cloudfront"'],
    ),
    (
        *("s3control", "get_public_access_block", looks.public_access),
        *({"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}, []),
    ),
    (
        *("lakeformation", "get_data_lake_settings", looks.lake_formation),
        {
            "DataLakeSettings": {
                "CreateTableDefaultPermissions": [
                    {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
                     "Permissions": ["ALL"]}
                ]
            }
        },
        ["IAM_ALLOWED_PRINCIPALS nothing on a new database"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "look", "answer", "says"), ANSWERS)
def test_what_an_account_answers_is_told_with_a_way_out(
    service: str, operation: str, look: looks.Look, answer: Any, says: list[str]
) -> None:
    connected = Connection(Settings(region="us-east-1"))
    client = boto3.client(
        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a"
    )
    connected.__dict__["account"] = "111111111111"
    connected.clients._clients[service] = client
    with Stubber(client) as stub:
        stub.add_response(operation, answer)
        found = list(look(connected))
    assert len(found) == len(says)
    assert all(words in line for words, line in zip(says, found, strict=True)), found


# Settings


def test_each_stage_has_settings_and_a_stack_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "rebuy.toml"
    file.write_text(
        'settle_seconds = 30\n[stages.dev]\nsettle_seconds = 5\n[stages.prod]\nstack_name = "shop"'
        "\ntermination_protection = true\n"
    )
    dev, prod = settings.read(file, "dev"), settings.read(file, "prod")
    assert (dev.stack_name, dev.database_name, dev.settle_seconds) == ("rebuy-dev", "rebuy_dev", 5)
    assert (prod.stack_name, prod.settle_seconds, prod.termination_protection) == ("shop", 30, True)
    assert settings.read(file).stack_name == "rebuy"
    with pytest.raises(InputError, match=r"no \[stages.test\] in .*; it has dev, prod"):
        settings.read(file, "test")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"endpoint_canary_percent": 10}, "endpoint_instances_min of 2 or more"),
        ({"endpoint_canary_percent": 10, "endpoint": "serverless"}, "of instances alone"),
        (
            {"endpoint_canary_percent": 10, "endpoint_instances_min": 2,
             "endpoint_instances_max": 2, "endpoint_instance_type": "ml.inf1.xlarge"},
            "step by step to ml.inf1.xlarge",
        ),
        ({"endpoint_canary_percent": 51}, "less than or equal to 50"),
        ({"endpoint_canary_minutes": 61}, "less than or equal to 60"),
        ({"capture_percent": 101}, "less than or equal to 100"),
        ({"capture_percent": 1, "endpoint": "serverless"}, "captures nothing of a serverless one"),
    ],
)  # fmt: skip
def test_what_an_endpoint_cannot_do_is_told_before_anything_is_made(
    given: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        settings.read(tmp_path / "none", **given)


@pytest.mark.parametrize("name", ["rebuy-", "re--buy", "rebuy-raw", "Rebuy", "1a", "a" * 19])
def test_a_stack_whose_names_could_be_mistaken_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stack_name is"):
        settings.read(tmp_path / "none", stack_name=name)


def test_a_profile_and_an_endpoint_of_the_environment_do_not_silently_disagree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(InputError, match=r"AWS_ENDPOINT_URL=http://127.0.0.1:1 points elsewhere"):
        settings.read(tmp_path / "none", profile="prod")
    both = settings.read(tmp_path / "none", profile="prod", endpoint_url="http://127.0.0.1:2")
    assert both.endpoint_url == "http://127.0.0.1:2"


def test_no_name_of_a_stack_is_the_tail_of_another() -> None:
    """Else `rebuy-x` and `rebuy` could want one name: `<stack>-x-audit` and `<stack>-audit`."""
    from infrastructure import deployables

    tails = [
        text.removeprefix("${AWS::StackName}-").split("-${")[0]
        for text in vars(names).values()
        if isinstance(text, str) and text.startswith("${AWS::StackName}-") and text != names.MADE
    ]
    functions = [function.short_name for function in deployables.FUNCTIONS]
    assert len(tails) > 10
    for one in (tails, functions):
        for first, second in pairwise(sorted(one, key=len)):
            assert not second.endswith(f"-{first}"), (first, second)
