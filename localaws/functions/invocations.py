"""Invoke, in its three kinds: it waits, it is accepted for later, or it only checks."""

from __future__ import annotations

import base64
import json
from typing import Any

from localaws.core.service import Call, Service
from localaws.functions.functions import LATEST, Functions, split_name
from localaws.functions.permissions import Permissions
from localaws.shapes import Json


class Invocations:
    def __init__(self, functions: Functions, permissions: Permissions) -> None:
        self._functions = functions
        self._permissions = permissions

    def register(self, service: Service) -> None:
        service.operation(
            *("Invoke", "FunctionName", "InvocationType", "LogType", "ClientContext", "Payload"),
            "Qualifier",
        )(self.invoke)

    def invoke(self, call: Call) -> Json:
        params = call.params
        payload = body_bytes(params.get("Payload", b""))
        kind = params.get("InvocationType", "RequestResponse")
        qualifier = params.get("Qualifier")
        named = qualifier or split_name(params["FunctionName"])[1] or LATEST
        self._functions.resolve(params["FunctionName"], named)  # AWS names the version it lacks
        self._permissions.check_invoker(call.caller, params["FunctionName"], qualifier)
        if kind == "DryRun":
            return {"StatusCode": 204, "Payload": b""}
        if kind == "Event":
            later = self._functions.invoke_later(params["FunctionName"], payload, qualifier)
            return {"StatusCode": later.status, "Payload": b""}
        context = params.get("ClientContext")
        answer = self._functions.invoke(
            params["FunctionName"],
            payload,
            qualifier,
            client_context=json.loads(base64.b64decode(context)) if context else None,
            request_id=call.request_id,
        )
        result: Json = {
            "StatusCode": answer.status,
            "Payload": answer.payload,
            "ExecutedVersion": answer.version,
        }
        if answer.function_error:
            result["FunctionError"] = answer.function_error
        if params.get("LogType") == "Tail":
            result["LogResult"] = answer.log_tail
        return result


def body_bytes(payload: Any) -> bytes:
    """A blob parameter, which may come as a stream."""
    if hasattr(payload, "read"):
        payload = payload.read()
    return payload.encode() if isinstance(payload, str) else bytes(payload)
