"""AWS::CloudFormation::CustomResource and Custom::*: a Lambda function makes the resource.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
The function answers by a PUT to its ResponseURL, which is a route of this server.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from typing import Any

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from localaws.cloudformation.provider import Made, Provider, ResourceRequest
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

PREFIX = "/_aws/cloudformation/response"
LONGEST = 3600  # seconds, as AWS
logger = logging.getLogger(__name__)


class _Waiting:
    def __init__(self) -> None:
        self.answered = threading.Event()
        self.answer: Json = {}


class Responses:
    """The answers that custom resources are waiting for, by token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def expect(self) -> tuple[str, _Waiting]:
        token, waiting = uuid.uuid4().hex, _Waiting()
        with self._lock:
            self._waiting[token] = waiting
        return token, waiting

    def forget(self, token: str) -> None:
        with self._lock:
            self._waiting.pop(token, None)

    def receive(self, request: HttpRequest) -> Response:
        """The route: PUT <prefix>/<token> with the answer as JSON."""
        token = request.path.removeprefix(PREFIX).strip("/")
        with self._lock:
            waiting = self._waiting.get(token)
        if request.method != "PUT":
            return Response("A custom resource's answer is sent with PUT.\n", 405)
        if waiting is None:
            return Response("No custom resource waits for this answer.\n", 404)
        try:
            answer = json.loads(request.get_data())
            if answer["Status"] not in ("SUCCESS", "FAILED"):
                raise ValueError(f"Status {answer['Status']!r}")
        except (ValueError, KeyError, TypeError) as error:
            return Response(f"The answer is JSON with Status SUCCESS or FAILED: {error!r}\n", 400)
        waiting.answer = answer
        waiting.answered.set()
        return Response("")


class CustomResource(Provider):
    """Any type `Custom::...`; every property is passed on, and Data gives the attributes."""

    type = "AWS::CloudFormation::CustomResource"
    changing = ("*",)

    def __init__(self, responses: Responses, name: str | None = None) -> None:
        self._responses = responses
        self.type = name or type(self).type

    def must_replace(self, new: Json, old: Json) -> list[str]:
        return ["ServiceToken"] if new.get("ServiceToken") != old.get("ServiceToken") else []

    def create(self, request: ResourceRequest) -> Made:
        return self._ask(request, "Create")

    def update(self, request: ResourceRequest) -> Made:
        return self._ask(request, "Update")

    def delete(self, request: ResourceRequest) -> None:
        self._ask(request, "Delete")

    def _ask(self, request: ResourceRequest, kind: str) -> Made:
        function = str(request.properties.get("ServiceToken", ""))
        if ":lambda:" not in function:
            raise NotEmulated("cloudformation", "CustomResource", "ServiceToken", function)
        token, waiting = self._responses.expect()
        event: Json = {
            "RequestType": kind,
            "ServiceToken": function,
            "ResponseURL": f"{request.aws.url}{PREFIX}/{token}",
            "StackId": request.stack_id,
            "RequestId": str(uuid.uuid4()),
            "ResourceType": self.type,
            "LogicalResourceId": request.logical_id,
            "ResourceProperties": _texts(request.properties),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = request.physical_id
        if kind == "Update":
            event["OldResourceProperties"] = _texts(request.previous)
        failure: list[str] = []
        invocation = threading.Thread(
            target=self._invoke, args=(request, function, event, failure), daemon=True
        )
        invocation.start()
        try:
            answer = self._wait(request, waiting, invocation, failure)
        finally:
            self._responses.forget(token)
        physical_id = answer.get("PhysicalResourceId") or request.physical_id
        if kind == "Create" and physical_id:
            request.physical_id = physical_id  # what a rollback has to delete
        if answer["Status"] == "FAILED":
            reason = answer.get("Reason") or "the function gave no reason"
            raise AwsError("CustomResourceFailed", f"Received response status [FAILED]: {reason}")
        if not physical_id:
            raise AwsError("CustomResourceFailed", "Invalid PhysicalResourceId: none was given.")
        return Made(physical_id, dict(answer.get("Data") or {}))

    @staticmethod
    def _invoke(request: ResourceRequest, function: str, event: Json, failure: list[str]) -> None:
        try:
            answer = request.call(
                "lambda", "invoke", FunctionName=function, Payload=json.dumps(event).encode()
            )
            if answer.get("FunctionError"):
                failure.append(answer["Payload"].read().decode(errors="replace"))
        except Exception as error:  # whatever it was, the resource has failed for that reason
            failure.append(str(error))

    @staticmethod
    def _wait(
        request: ResourceRequest,
        waiting: _Waiting,
        invocation: threading.Thread,
        failure: list[str],
    ) -> Json:
        seconds = min(float(request.properties.get("ServiceTimeout", LONGEST)), LONGEST)
        waited = 0.0
        while not waiting.answered.wait(0.1):
            waited += 0.1
            if not invocation.is_alive() and failure and not waiting.answered.is_set():
                raise AwsError("CustomResourceFailed", f"The function failed: {failure[0]}")
            if waited >= seconds or request.cancelled():
                raise AwsError(
                    "CustomResourceFailed",
                    f"CloudFormation did not receive a response from your Custom Resource within"
                    f" {waited:.0f} s.",
                )
        return waiting.answer


def _texts(value: Any) -> Any:
    """CloudFormation hands numbers and booleans to a function as texts."""
    if isinstance(value, dict):
        return {name: _texts(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
