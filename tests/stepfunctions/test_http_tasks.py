"""HTTP Tasks and apigateway:invoke, against a server on this machine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from localaws.core import server as http
from localaws.core.aws import start
from localaws.events import api as events
from localaws.http_api import api as http_api
from localaws.iam import api as iam
from localaws.identity.authorization import Mode
from localaws.secretsmanager import api as secretsmanager
from localaws.stepfunctions import api as stepfunctions
from tests.stepfunctions.conftest import Jobs, Workflows, machine
from tests.stepfunctions.test_tasks import task

Json = dict[str, Any]
HTTP = "arn:aws:states:::http:invoke"
API = "arn:aws:states:::apigateway:invoke"


@dataclass
class Endpoint:
    """Answers with what it was asked for; a path that is a number is the status."""

    url: str = ""
    asked: list[Json] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                path = self.path.partition("?")[0].strip("/")
                endpoint.asked.append(
                    {
                        "method": self.command,
                        "path": self.path,
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": self.rfile.read(length).decode(),
                    }
                )
                status = int(path) if path.isdigit() else 200
                kind = "image/png" if path == "image" else "application/json"
                body = b'{"access_token": "t-1", "ok": true}' if status != 204 else b""
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("X-Own", "a")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if self.command != "HEAD" else b"")

            do_HEAD = do_POST  # noqa: N815 - the library looks for it

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def sfn(tmp_path: Path) -> Iterator[Workflows]:
    listener = http.bind(0)
    services = [
        *(iam.service, secretsmanager.service, events.service, http_api.service),
        stepfunctions.service,
    ]
    url = f"http://{http.HOST}:{listener.server_port}"
    aws = start(tmp_path / "home", services, url=url, wait_scale=0)
    with http.BackgroundServer(listener, aws.gateway):
        yield Workflows(aws, Jobs())
        aws.stop()


def connection(sfn: Workflows, kind: str, parameters: Json, **more: Any) -> str:
    made = sfn.aws.client("events").create_connection(
        Name="shop", AuthorizationType=kind, AuthParameters=parameters, **more
    )
    assert made["ConnectionState"] == "AUTHORIZED"
    return str(made["ConnectionArn"])


BASIC = {"BasicAuthParameters": {"Username": "u", "Password": "p"}}


def ask(url: str, connection_arn: str, **more: Any) -> Json:
    given = {
        "ApiEndpoint": url,
        "Method": "POST",
        "Authentication": {"ConnectionArn": connection_arn},
    }
    return machine(Ask=task(HTTP, given | more))


def test_a_connection_adds_its_authorization_and_its_own_parameters(
    sfn: Workflows, endpoint: Endpoint
) -> None:
    own = {
        "HeaderParameters": [{"Key": "X-Both", "Value": "its", "IsValueSecret": True}],
        "QueryStringParameters": [{"Key": "q", "Value": "its"}],
        "BodyParameters": [{"Key": "b", "Value": "its"}],
    }
    arn = connection(sfn, "BASIC", {**BASIC, "InvocationHttpParameters": own})
    done = sfn.run(
        ask(
            f"{endpoint.url}/orders",
            arn,
            Headers={"X-Both": "mine", "X-List": ["a", "b"]},
            QueryParameters={"q": "mine", "r": ["1 2", "3"]},
            RequestBody={"a": 1, "b": "mine"},
        )
    )

    assert done.output["ResponseBody"]["ok"] is True
    assert (done.output["StatusCode"], done.output["StatusText"]) == (200, "OK")
    assert done.output["Headers"]["X-Own"] == ["a"]
    (asked,) = endpoint.asked
    assert asked["path"] == "/orders?q=its&r=1%202&r=3"
    assert json.loads(asked["body"]) == {"a": 1, "b": "its"}
    headers = asked["headers"]
    assert headers["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert (headers["x-both"], headers["x-list"]) == ("its", "a,b")
    assert headers["user-agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert headers["range"] == "bytes=0-262144"
    assert headers["content-type"] == "application/json; charset=UTF-8"


def test_an_api_key_and_an_access_token(sfn: Workflows, endpoint: Endpoint) -> None:
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"}}
    arn = connection(sfn, "API_KEY", key)
    assert sfn.run(ask(endpoint.url, arn)).status == "SUCCEEDED"
    assert endpoint.asked[-1]["headers"]["x-key"] == "k"

    token = {
        "ClientParameters": {"ClientID": "me", "ClientSecret": "s"},
        "AuthorizationEndpoint": f"{endpoint.url}/token",
        "HttpMethod": "POST",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all"}]},
    }
    sfn.aws.client("events").update_connection(
        Name="shop",
        AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
        AuthParameters={"OAuthParameters": token},
    )
    assert sfn.run(ask(endpoint.url, arn)).status == "SUCCEEDED"
    asked, sent = endpoint.asked[-2:]
    assert asked["path"] == "/token"
    assert asked["body"] == ("grant_type=client_credentials&client_id=me&client_secret=s&scope=all")
    assert sent["headers"]["authorization"] == "Bearer t-1"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("INDICES", "a%5B0%5D=x&a%5B1%5D=y%20z&b=%2B"),
        ("BRACKETS", "a%5B%5D=x&a%5B%5D=y%20z&b=%2B"),
        ("REPEAT", "a=x&a=y%20z&b=%2B"),
        ("COMMAS", "a=x%2Cy%20z&b=%2B"),
    ],
)  # https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
def test_a_body_as_a_form(sfn: Workflows, endpoint: Endpoint, form: str, body: str) -> None:
    transform = {
        "RequestBodyEncoding": "URL_ENCODED",
        "RequestEncodingOptions": {"ArrayFormat": form},
    }
    sfn.run(
        ask(
            endpoint.url,
            connection(sfn, "BASIC", BASIC),
            RequestBody={"a": ["x", "y z"], "b": "+"},
            Headers={"Content-Type": "application/x-www-form-urlencoded"},
            Transform=transform,
        )
    )
    assert endpoint.asked[0]["body"] == body
    assert endpoint.asked[0]["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_the_secret_of_a_connection_is_not_shown_and_goes_with_it(sfn: Workflows) -> None:
    arn = connection(sfn, "BASIC", BASIC)
    client = sfn.aws.client("events")
    shown = client.describe_connection(Name="shop")
    assert shown["AuthParameters"] == {"BasicAuthParameters": {"Username": "u"}}
    assert [one["ConnectionArn"] for one in client.list_connections()["Connections"]] == [arn]
    client.delete_connection(Name="shop")
    assert sfn.aws.client("secretsmanager").list_secrets()["SecretList"] == []
    gone = sfn.run(ask("http://127.0.0.1:1", arn))
    assert gone.error == "Events.ConnectionResource.ResourceNotFound"


@pytest.mark.parametrize(
    ("path", "more", "error", "cause"),
    [
        ("/400", {}, "States.Http.StatusCode.400", "Bad Request"),
        ("/302", {}, "States.Http.StatusCode.302", "Found"),
        ("/image", {}, "States.Runtime", "image/png is not a text"),
        ("/x", {"Headers": {"Host": "h"}}, "States.Runtime", "header 'Host' is not supported"),
        ("/x", {"Headers": {"X-Amz-A": "h"}}, "States.Runtime", "not supported in an HTTP Task"),
        ("https://example.com/", {}, "NotEmulated", "to this machine only"),
        ("http://127.0.0.1.example.com/", {}, "NotEmulated", "to this machine only"),
        ("http://localhost@example.com/", {}, "NotEmulated", "to this machine only"),
        ("file:///etc/passwd", {}, "NotEmulated", "to this machine only"),
    ],
)
def test_what_fails(
    sfn: Workflows, endpoint: Endpoint, path: str, more: Json, error: str, cause: str
) -> None:
    url = path if "://" in path else endpoint.url + path
    done = sfn.run(ask(url, connection(sfn, "BASIC", BASIC), **more))
    assert done.error == error
    assert cause in done.cause


def test_the_role_must_be_allowed_each_of_three_things(sfn: Workflows, endpoint: Endpoint) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html, "Permissions"."""
    arn = connection(sfn, "BASIC", BASIC)
    iam = sfn.aws.client("iam")
    principal = {"Service": "states.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="workflow", AssumeRolePolicyDocument=policy(trust))
    sfn.aws.authorize.mode = Mode.ENFORCE
    secrets = "arn:aws:secretsmanager:*:*:secret:events!connection/*"
    steps = [
        (None, "States.Http.AccessDenied"),
        (allow("states:InvokeHTTPEndpoint", "*", f"{endpoint.url}/*"),
         "Events.ConnectionResource.AccessDenied"),
        (allow("events:RetrieveConnectionCredentials", arn),
         "Events.ConnectionResource.AccessDenied"),
        (allow("secretsmanager:GetSecretValue", secrets), None),
    ]  # fmt: skip
    granted: list[Json] = []
    for statement, error in steps:
        granted += [] if statement is None else [statement]
        if granted:
            iam.put_role_policy(
                RoleName="workflow", PolicyName="p", PolicyDocument=policy(*granted)
            )
        assert sfn.run(ask(f"{endpoint.url}/x", arn)).error == error
    other = sfn.run(ask("http://localhost:1/x", arn))
    assert other.error == "States.Http.AccessDenied"
    assert "perform states:InvokeHTTPEndpoint on API Endpoint http://localhost:1/x." in other.cause


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str, endpoint: str | None = None) -> Json:
    like = {"StringLike": {"states:HTTPEndpoint": endpoint}}
    condition = {} if endpoint is None else {"Condition": like}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **condition}


def test_no_content_has_no_body(sfn: Workflows, endpoint: Endpoint) -> None:
    arn = connection(sfn, "BASIC", BASIC)
    for url, method, status in ((f"{endpoint.url}/204", "POST", 204), (endpoint.url, "HEAD", 200)):
        output = sfn.run(ask(url, arn, Method=method)).output
        assert (output["StatusCode"], "ResponseBody" in output) == (status, False)


@pytest.mark.parametrize(
    ("resource", "parameters", "problem"),
    [
        (HTTP, {"Method": "GET"}, "'ApiEndpoint' is required"),
        (HTTP, {"ApiEndpoint": "u", "Method": "GET"}, "'Authentication' is required"),
        (HTTP, {"ApiEndpoint": "u", "Method": "get", "Authentication": {}}, "'Method' has an inv"),
        (API, {"ApiEndpoint": "u", "Method": "GET", "Body": 1}, '"Body" is not supported'),
        (API, {"ApiEndpoint": "u", "Method": "GET", "Headers": {"a": "b"}}, "'Headers' has an inv"),
        ("arn:aws:states:::bedrock:invokeModel", {"ModelId": "m"}, "bedrock:invokeModel"),
    ],
)
def test_what_a_definition_may_not_have(
    sfn: Workflows, resource: str, parameters: Json, problem: str
) -> None:
    with pytest.raises(sfn.client.exceptions.ClientError, match=problem):
        sfn.create(machine(Ask=task(resource, parameters)))


def test_an_http_api_of_this_account_is_called_by_its_address_on_aws(sfn: Workflows) -> None:
    inner = sfn.create(machine(Echo={"Type": "Pass"}), type="EXPRESS")
    gateway = sfn.aws.client("apigatewayv2")
    api = gateway.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
    one = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationSubtype="StepFunctions-StartSyncExecution",
        PayloadFormatVersion="1.0",
        CredentialsArn="arn:aws:iam::000000000000:role/api",
        RequestParameters={
            "StateMachineArn": inner,
            "Input": '{"body": $request.body, "q": "$request.querystring.q"}',
        },
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="POST /run", Target=f"integrations/{one}")
    gateway.create_stage(ApiId=api, StageName="live", AutoDeploy=True)
    given = {
        "ApiEndpoint": f"{api}.execute-api.us-east-1.amazonaws.com",
        "Method": "POST",
        "Stage": "live",
        "Path": "run",
        "QueryParameters": {"q": ["1", "2"]},
        "RequestBody": {"a": 1, "none": None},
        "Headers": {"X-A": ["b"]},
        "AuthType": "IAM_ROLE",
    }
    done = sfn.run(machine(Ask=task(API, given)))
    assert json.loads(done.output["ResponseBody"]["output"]) == {"body": {"a": 1}, "q": "1,2"}
    assert done.output["StatusCode"] == 200

    lost = sfn.run(machine(Ask=task(API, given | {"Path": "none"})))
    assert (lost.error, lost.cause) == ("ApiGateway.404", '{"message": "Not Found"}')
