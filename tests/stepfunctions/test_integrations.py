"""Tasks that call services of this local AWS as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from localaws.core.aws import start
from localaws.iam import api as iam
from localaws.scheduler import api as scheduler
from localaws.secretsmanager import api as secretsmanager
from localaws.services import SERVICES as SERVICES_HERE
from localaws.ssm import api as ssm
from localaws.stepfunctions import api as stepfunctions
from localaws.stepfunctions.integrations import jobs
from localaws.stepfunctions.integrations.resources import Resource
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.integrations.shapes import sdk_name
from localaws.sts import api as sts
from tests.stepfunctions.conftest import ROLE, Jobs, Workflows, machine

Json = dict[str, Any]

SERVICES = [iam.service, sts.service, ssm.service, secretsmanager.service, stepfunctions.service]


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Workflows]:
    aws = start(tmp_path / "home", SERVICES, wait_scale=0)
    yield Workflows(aws, Jobs())
    aws.stop()


def sdk(action: str, parameters: Json, **more: Any) -> Json:
    resource = f"arn:aws:states:::aws-sdk:{action}"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **more}


def test_the_calls_of_a_task_with_credentials_are_its_roles(real: Workflows) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:role/workflow"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    other = real.aws.client("iam").create_role(
        RoleName="other", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    own = sdk("sts:getCallerIdentity", {}, ResultPath="$.own")
    taken = {"Credentials": {"RoleArn.$": "$.role"}, "ResultPath": "$.as"}
    given = sdk("sts:getCallerIdentity", {}, **taken)
    done = real.run(machine(Own=dict(own), Other=given, Again=own), {"role": other})

    assert done.output["own"]["Arn"].split("/")[1] == "workflow"
    assert done.output["as"]["Arn"].split("/")[1] == "other"
    assert done.details("TaskScheduled", 1)["taskCredentials"] == {"roleArn": other}
    assert "taskCredentials" not in done.details("TaskScheduled", 2)


def test_a_role_that_may_not_be_assumed_fails_the_task_in_aws_words(real: Workflows) -> None:
    role = "arn:aws:iam::000000000000:role/none"
    done = real.run(machine(Who=sdk("sts:getCallerIdentity", {}, Credentials={"RoleArn": role})))

    assert (done.error, done.cause) == (
        "States.TaskFailed",
        "The role arn:aws:iam::000000000000:role/workflow is not authorized to assume the task"
        f" state's role, {role}.",
    )


def test_a_role_of_another_account_is_refused_by_name(real: Workflows) -> None:
    role = "arn:aws:iam::111111111111:role/other"
    done = real.run(machine(Who=sdk("sts:getCallerIdentity", {}, Credentials={"RoleArn": role})))

    assert done.error == "NotEmulated"
    assert f"000000000000 only, not that of {role}" in done.cause


def test_parameters_and_secrets_are_read_in_the_sdks_spelling(real: Workflows) -> None:
    real.aws.client("ssm").put_parameter(Name="/shop/url", Value="u", Type="String")
    real.aws.client("secretsmanager").create_secret(Name="shop", SecretString='{"k": 1}')
    done = real.run(
        machine(
            Parameter=sdk("ssm:getParameter", {"Name": "/shop/url"}, ResultPath="$.parameter"),
            Secret=sdk(
                "secretsmanager:getSecretValue", {"SecretId": "shop"}, ResultPath="$.secret"
            ),
            Missing=sdk("secretsmanager:getSecretValue", {"SecretId": "none"}),
        )
    )

    assert done.error == "SecretsManager.ResourceNotFoundException"
    got = json.loads(done.details("TaskStateEntered", 2)["input"])
    assert list(got["parameter"]["Parameter"]) == [
        *("Arn", "DataType", "LastModifiedDate", "Name", "Type", "Value", "Version")
    ]
    assert (got["secret"]["Name"], got["secret"]["SecretString"]) == ("shop", '{"k": 1}')
    assert "Arn" in got["secret"]


@pytest.mark.parametrize(
    ("member", "shown"),
    [
        ("ARN", "Arn"),
        ("ETag", "ETag"),
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
        ("executionArn", "ExecutionArn"),
        ("ChecksumCRC32", "ChecksumCRC32"),
        ("BOOL", "Bool"),
        ("NULL", "Nul"),
        ("NotificationARNs", "NotificationARNs"),
    ],
)  # the getters of the AWS SDK for Java 2.x: sdk.amazonaws.com/java/api/latest
def test_members_have_the_names_of_the_java_sdk(member: str, shown: str) -> None:
    assert sdk_name(member) == shown


# How the Java SDK v2 names services where botocore does otherwise.
JAVA = {
    "logs": "cloudwatchlogs",
    "events": "eventbridge",
    "stepfunctions": "sfn",
    "sagemaker-runtime": "sagemakerruntime",
}


@pytest.mark.parametrize("service", SERVICES_HERE)
def test_every_service_here_can_be_called_by_its_name_in_the_sdk(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    operation = model.operation_names[0]
    asked: list[tuple[str, str]] = []

    def supports(*given: str) -> bool:
        asked.append((given[0], given[1]))
        return True

    integrations = Integrations(lambda _: None, supports)
    action = operation[:1].lower() + operation[1:]
    resource = f"arn:aws:states:::aws-sdk:{JAVA.get(service, service)}:{action}"

    integrations.check_resource(Resource.parse(resource))
    assert asked == [(service, operation)]


def test_a_schedule_is_made_by_a_task(tmp_path: Path) -> None:
    aws = start(tmp_path / "home", [scheduler.service, stepfunctions.service], wait_scale=0)
    target = {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": ROLE}
    given = {
        "Name": "daily",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    done = Workflows(aws, Jobs()).run(machine(Make=sdk("scheduler:createSchedule", given)))
    arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/daily"
    assert done.output == {"ScheduleArn": arn}
    aws.stop()


def test_after_a_restart_an_execution_that_was_asked_for_is_known_by_its_name(
    sfn: Workflows,
) -> None:
    """Else it would be waited for though nobody had started it, or be started twice."""
    arn = sfn.create(machine(Done={"Type": "Pass", "End": True}))
    asked = {"stateMachineArn": arn, "name": "inner"}
    now = datetime.now(UTC)

    assert jobs._find_execution(sfn.client, asked, now) == []
    started = sfn.client.start_execution(**asked)["executionArn"]
    assert jobs._find_execution(sfn.client, asked, now) == [{"id": started}]
