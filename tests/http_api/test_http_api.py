"""An HTTP API in front of a real function, over a real socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import create

ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/boom":
        raise ValueError("secret")
    if event["rawPath"] == "/odd":
        return {"statusCode": 200, "body": {"not": "text"}}
    return {"statusCode": 200, "headers": {"content-type": "application/json",
            "access-control-allow-origin": "http://evil"},
            "cookies": ["a=1", "b=2"], "body": json.dumps(event)}
"""

Make = Callable[..., httpx.Client]


@pytest.fixture
def make(server: Any) -> Make:
    """An API with these routes to the echo function; a client of its address."""
    create(server, "echo", ECHO)

    def api(
        *routes: str, stage: dict[str, Any] | None = None, permit: bool = True, **more: Any
    ) -> httpx.Client:
        gateway = server.client("apigatewayv2")
        made = gateway.create_api(Name="shop", ProtocolType="HTTP", **more)
        api_id = made["ApiId"]
        if permit:
            server.client("lambda").add_permission(
                FunctionName="echo",
                StatementId=f"api-{api_id}",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/*/*",
            )
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri="arn:aws:lambda:us-east-1:000000000000:function:echo",
            PayloadFormatVersion="2.0",
        )
        for key in routes:
            gateway.create_route(
                ApiId=api_id, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}"
            )
        gateway.create_stage(
            ApiId=api_id, **{"StageName": "$default", "AutoDeploy": True, **(stage or {})}
        )
        assert made["ApiEndpoint"] == f"{server.url}/_aws/execute-api/{api_id}"
        return httpx.Client(base_url=made["ApiEndpoint"], timeout=30)

    return api


def test_a_function_gets_a_2_0_event_and_answers(make: Make) -> None:
    api = make("POST /predict/{kind}")
    answer = api.post(
        "/predict/one?a=1&a=2&b=x%20y",
        content='{"rows": 1}',
        headers={"content-type": "application/json", "cookie": "c=3; d=4"},
    )
    assert answer.status_code == 200
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /predict/{kind}"
    assert event["rawPath"] == "/predict/one"
    assert event["rawQueryString"] == "a=1&a=2&b=x%20y"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert event["pathParameters"] == {"kind": "one"}
    assert event["cookies"] == ["c=3", "d=4"]
    assert "cookie" not in event["headers"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"rows": 1}', False)
    context = event["requestContext"]
    assert context["http"]["method"] == "POST"
    assert context["stage"] == "$default"
    assert context["accountId"] == "000000000000"
    assert context["requestId"] == answer.headers["apigw-requestid"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "a/b"}, b"\xff\x00"),
        ({"content-type": "application/problem+json"}, b"{}"),
        ({}, b"1,2"),
    ],
)
def test_a_body_of_another_or_no_type_arrives_as_base64(
    make: Make, headers: dict[str, str], body: bytes
) -> None:
    event = make("$default").post("/x", content=body, headers=headers).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/boom", 500, "Internal Server Error"),
        ("/odd", 500, "Internal Server Error"),
        ("/other", 404, "Not Found"),
    ],
)
def test_failures_are_the_gateways_own_messages(
    make: Make, path: str, status: int, text: str
) -> None:
    answer = make("GET /boom", "GET /odd").get(path)
    assert (answer.status_code, answer.json()) == (status, {"message": text})


def test_without_a_permission_the_function_is_not_called(make: Make) -> None:
    answer = make("$default", permit=False).get("/")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_stage_throttles(make: Make) -> None:
    limits = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.001}
    api = make("$default", stage={"DefaultRouteSettings": limits})
    answers = [api.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json() == {"message": "Too Many Requests"}


def test_cors_is_answered_by_the_gateway(make: Make) -> None:
    page = "http://localhost:9000"
    api = make(
        "POST /predict",
        CorsConfiguration={
            "AllowOrigins": [page],
            "AllowMethods": ["POST"],
            "AllowHeaders": ["content-type"],
            "MaxAge": 60,
        },
    )
    ask = {"origin": page, "access-control-request-method": "POST"}
    preflight = api.options("/predict", headers=ask)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == page
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    assert preflight.headers["access-control-max-age"] == "60"
    real = api.post("/predict", headers={"origin": page})
    assert real.headers.get_list("access-control-allow-origin") == [page]
    other = api.post("/predict", headers={"origin": "http://localhost:1"})
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-origin" not in api.post("/predict").headers


def test_a_named_stage_is_the_first_part_of_the_path(make: Make) -> None:
    api = make("GET /x", stage={"StageName": "prod", "StageVariables": {"v": "1"}})
    event = api.get("/prod/x").json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/prod/x", "prod")
    assert event["stageVariables"] == {"v": "1"}
    assert api.get("/x").status_code == 404


def test_a_stage_without_auto_deploy_serves_its_deployment(make: Make, server: Any) -> None:
    api = make("GET /x", stage={"AutoDeploy": False})
    gateway = server.client("apigatewayv2")
    api_id = str(api.base_url).rstrip("/").rsplit("/", 1)[1]
    assert api.get("/x").status_code == 404
    gateway.create_deployment(ApiId=api_id, StageName="$default")
    assert api.get("/x").status_code == 200
    (route,) = gateway.get_routes(ApiId=api_id)["Items"]
    gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    assert api.get("/x").status_code == 200


def test_a_function_that_takes_too_long_is_503(make: Make, server: Any) -> None:
    api = make("$default")
    gateway = server.client("apigatewayv2")
    api_id = str(api.base_url).rstrip("/").rsplit("/", 1)[1]
    (integration,) = gateway.get_integrations(ApiId=api_id)["Items"]
    slow = "import time\ndef handler(e, c): time.sleep(1)"
    create(server, "slow", slow)
    server.client("lambda").add_permission(
        FunctionName="slow", StatementId="a", Action="lambda:InvokeFunction", Principal="*"
    )
    gateway.update_integration(
        ApiId=api_id,
        IntegrationId=integration["IntegrationId"],
        IntegrationUri="arn:aws:lambda:us-east-1:000000000000:function:slow",
        TimeoutInMillis=100,
    )
    answer = api.get("/")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_the_resources_are_kept_as_given(aws: Any) -> None:
    gateway = aws.client("apigatewayv2")
    api_id = gateway.create_api(Name="a", ProtocolType="HTTP", Tags={"k": "v"})["ApiId"]
    gateway.update_api(ApiId=api_id, Name="b")
    assert gateway.get_api(ApiId=api_id)["Name"] == "b"
    assert [api["ApiId"] for api in gateway.get_apis()["Items"]] == [api_id]
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api_id}"
    gateway.tag_resource(ResourceArn=arn, Tags={"x": "y"})
    assert gateway.get_tags(ResourceArn=arn)["Tags"] == {"k": "v", "x": "y"}
    route = gateway.create_route(ApiId=api_id, RouteKey="GET /x")
    with pytest.raises(ClientError, match="already exists for this API"):
        gateway.create_route(ApiId=api_id, RouteKey="GET /x")
    found = gateway.get_route(ApiId=api_id, RouteId=route["RouteId"])
    assert (found["RouteKey"], found["AuthorizationType"]) == ("GET /x", "NONE")
    gateway.delete_api(ApiId=api_id)
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.get_api(ApiId=api_id)


@pytest.mark.parametrize(
    ("call", "arguments", "refused"),
    [
        ("create_api", {"Name": "a", "ProtocolType": "WEBSOCKET"}, "ProtocolType=WEBSOCKET"),
        ("create_authorizer", {"AuthorizerType": "JWT", "IdentitySource": ["a"], "Name": "n"}, ""),
        (
            "create_integration",
            {"IntegrationType": "HTTP_PROXY", "PayloadFormatVersion": "1.0"},
            "IntegrationType=HTTP_PROXY",
        ),
        (
            "create_integration",
            {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "1.0"},
            "PayloadFormatVersion=1.0",
        ),
        (
            "create_route",
            {"RouteKey": "GET /", "AuthorizationType": "JWT"},
            "AuthorizationType=JWT",
        ),
    ],
)
def test_other_kinds_are_refused_by_name(
    aws: Any, call: str, arguments: dict[str, Any], refused: str
) -> None:
    gateway = aws.client("apigatewayv2")
    if call != "create_api":
        api_id = gateway.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        arguments = {"ApiId": api_id, **arguments}
    with pytest.raises(ClientError, match="does not emulate apigatewayv2:") as caught:
        getattr(gateway, call)(**arguments)
    assert refused in json.dumps(caught.value.response["Error"])


def test_each_request_is_a_line_in_the_stages_own_format(server: Any, make: Make) -> None:
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/aws/vendedlogs/apis/shop")
    settings = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/apis/shop",
        "Format": '{"id": "$context.requestId", "route": "$context.routeKey", "path":'
        ' "$context.path", "status": "$context.status"}',
    }
    client = make("GET /ok", stage={"AccessLogSettings": settings})
    answers = [client.get("/ok"), client.get("/none")]
    server.logs.flush()
    events = logs.filter_log_events(logGroupName="/aws/vendedlogs/apis/shop")["events"]
    ids = [answer.headers["apigw-requestid"] for answer in answers]
    assert [json.loads(event["message"]) for event in events] == [
        {"id": ids[0], "route": "GET /ok", "path": "/ok", "status": "200"},
        {"id": ids[1], "route": "-", "path": "/none", "status": "404"},
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DestinationArn": "shop", "Format": "$context.requestId"}, "Invalid ARN"),
        ({"Format": "$context.status"}, "must contain at least either requestId"),
        ({"Format": "$context.requestId $context.authorizer.sub"}, "authorizer.sub"),
    ],
)
def test_an_access_log_that_could_not_be_written_is_refused(
    make: Make, settings: dict[str, str], words: str
) -> None:
    destination = "arn:aws:logs:us-east-1:000000000000:log-group:shop"
    with pytest.raises(ClientError, match=words):
        make("GET /ok", stage={"AccessLogSettings": {"DestinationArn": destination, **settings}})
