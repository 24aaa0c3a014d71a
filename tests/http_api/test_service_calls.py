"""An HTTP API that calls Step Functions itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import Client, TestResponse

from localaws.core.aws import LocalAws, start
from localaws.http_api import api as http_api
from localaws.iam import api as iam
from localaws.stepfunctions import api as stepfunctions

ROLE = "arn:aws:iam::000000000000:role/api"
ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
Post = Callable[..., TestResponse]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    services = [iam.service, http_api.service, stepfunctions.service]
    aws = start(tmp_path / "home", services, wait_scale=0)
    yield aws
    aws.stop()


def machine(local: LocalAws, kind: str) -> str:
    made = local.client("stepfunctions").create_state_machine(
        name=kind.lower(), definition=json.dumps(ECHO), roleArn=ROLE, type=kind
    )
    return str(made["stateMachineArn"])


def integration(subtype: str, parameters: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "IntegrationType": "AWS_PROXY",
        "IntegrationSubtype": f"StepFunctions-{subtype}",
        "PayloadFormatVersion": "1.0",
        "CredentialsArn": ROLE,
        "RequestParameters": parameters,
        **more,
    }


@pytest.fixture
def serve(local: LocalAws) -> Callable[[dict[str, Any]], Post]:
    """An API whose route `POST /{name}` has the integration; posts to it."""

    def api(made: dict[str, Any]) -> Post:
        gateway = local.client("apigatewayv2")
        api_id = gateway.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        one = gateway.create_integration(ApiId=api_id, **made)["IntegrationId"]
        gateway.create_route(ApiId=api_id, RouteKey="POST /{name}", Target=f"integrations/{one}")
        gateway.create_stage(
            ApiId=api_id, StageName="$default", AutoDeploy=True, StageVariables={"v": "w"}
        )
        client = Client(local.gateway)

        def post(path: str, body: str, **headers: str) -> TestResponse:
            whole = f"/_aws/execute-api/{api_id}{path}"
            return client.post(whole, base_url=local.url, data=body, headers=headers)

        return post

    return api


def test_a_synchronous_start_answers_as_the_service(
    local: LocalAws, serve: Callable[..., Post]
) -> None:
    arn = machine(local, "EXPRESS")
    callers: list[tuple[str, str]] = []
    local.authorize.observers.append(
        lambda caller, _service, operation, _params: callers.append((caller.arn, operation))
    )
    post = serve(
        integration(
            "StartSyncExecution", {"StateMachineArn": arn, "Input": "$request.body", "Name": "n"}
        )
    )
    answer = post("/x", '{"a": 1}')

    assert answer.status_code == 200
    told = json.loads(answer.data)
    assert (told["status"], told["name"], told["output"]) == ("SUCCEEDED", "n", '{"a":1}')
    assert isinstance(told["startDate"], float)
    assert told["billingDetails"]["billedMemoryUsedInMB"] == 64
    (caller,) = [arn for arn, operation in callers if operation == "StartSyncExecution"]
    assert caller.startswith("arn:aws:sts::000000000000:assumed-role/api/")


def test_what_the_service_refuses_is_told_with_its_status(
    local: LocalAws, serve: Callable[..., Post]
) -> None:
    arn = machine(local, "EXPRESS")
    post = serve(
        integration("StartSyncExecution", {"StateMachineArn": arn, "Input": "$request.body"})
    )
    answer = post("/x", "not json")
    assert answer.status_code == 400
    told = json.loads(answer.data)
    assert told["__type"] == "InvalidExecutionInput"
    assert "Unrecognized token 'not'" in told["message"]


def test_parameters_are_put_together_from_the_request(
    local: LocalAws, serve: Callable[..., Post]
) -> None:
    arn = machine(local, "STANDARD")
    told = (
        '{"name": "${request.path.name}", "q": "$request.querystring.q", "h":'
        ' "$request.header.x-h", "b": $request.body.deep.er, "v": "$stageVariables.v",'
        ' "none": "$request.header.absent", "route": "$context.routeKey"}'
    )
    post = serve(integration("StartExecution", {"StateMachineArn": arn, "Input": told}))
    answer = json.loads(post("/one?q=1&q=2", '{"deep": {"er": [1]}}', **{"X-H": "h"}).data)

    described = local.client("stepfunctions").describe_execution(
        executionArn=answer["executionArn"]
    )
    assert json.loads(described["input"]) == {
        "name": "one",
        "q": "1,2",
        "h": "h",
        "b": [1],
        "v": "w",
        "none": "",
        "route": "POST /{name}",
    }
    stop = serve(integration("StopExecution", {"ExecutionArn": "$request.body", "Cause": "c"}))
    assert "stopDate" in json.loads(stop("/x", answer["executionArn"]).data)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (integration("StartExecution", {}), "must have StateMachineArn"),
        (integration("StopExecution", {"ExecutionArn": "a", "Name": "n"}), "cannot have Name"),
        (integration("StartExecution", {"StateMachineArn": "a"}, CredentialsArn="r"), "role"),
        (integration("StartExecution", {"StateMachineArn": "a"}, PayloadFormatVersion="2.0"),
         "must be 1.0"),
        (integration("StartExecution", {"StateMachineArn": "a", "Region": "eu-west-1"}),
         "Region=eu-west-1"),
        (integration("X", {}, IntegrationSubtype="SQS-SendMessage"), "SQS-SendMessage"),
    ],
)  # fmt: skip
def test_what_is_refused(local: LocalAws, made: dict[str, Any], problem: str) -> None:
    gateway = local.client("apigatewayv2")
    api_id = gateway.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
    with pytest.raises(ClientError, match=problem):
        gateway.create_integration(ApiId=api_id, **made)
