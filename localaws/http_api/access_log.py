"""The access log of a stage: a line for each request, in the stage's own format.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

from __future__ import annotations

import re
from datetime import datetime

from werkzeug.wrappers import Request, Response

from localaws.core.aws import LocalAws
from localaws.errors import NotEmulated
from localaws.http_api.store import bad_request
from localaws.shapes import Json

MEMBERS = ("AccessLogSettings.DestinationArn", "AccessLogSettings.Format")
LOG_DELIVERY = "delivery.logs.amazonaws.com"
VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]+)")
KNOWN = {
    *("requestId", "apiId", "stage", "accountId", "routeKey", "httpMethod", "path", "protocol"),
    *("status", "responseLength", "requestTime", "requestTimeEpoch", "identity.sourceIp"),
    *("identity.userAgent", "domainName", "integrationErrorMessage", "error.message"),
}
GROUP = re.compile(r"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:([^:]+)(:\*)?")


def check(operation: str, settings: Json) -> None:
    """Raises BadRequestException for what API Gateway refuses, NotEmulated for what we lack."""
    if GROUP.fullmatch(settings.get("DestinationArn", "")) is None:
        raise bad_request("Invalid ARN specified in the request: AccessLogSettings.DestinationArn")
    names = set(VARIABLE.findall(settings.get("Format", "")))
    if not names & {"requestId", "extendedRequestId"}:
        raise bad_request(
            "Access Log format must contain at least either requestId or extendedRequestId"
        )
    if unknown := sorted(names - KNOWN):
        raise NotEmulated(
            "apigatewayv2", operation, f"AccessLogSettings.Format $context.{unknown[0]}"
        )


def write(
    aws: LocalAws, stage: Json, request: Request, response: Response, about: dict[str, str]
) -> None:
    """Sends the line; `about`: apiId, requestId, routeKey, path. Nothing waits for it."""
    settings = stage.get("AccessLogSettings")
    found = GROUP.fullmatch(settings["DestinationArn"]) if settings else None
    if settings is None or found is None:
        return
    now = aws.clock.now()
    values = {
        **about,
        "stage": stage["StageName"],
        "accountId": aws.account,
        "httpMethod": request.method,
        "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        "status": str(response.status_code),
        "responseLength": str(response.content_length or 0),
        "requestTime": clf_time(now),
        "requestTimeEpoch": str(int(now.timestamp() * 1000)),
        "identity.sourceIp": request.remote_addr or "-",
        "identity.userAgent": request.headers.get("User-Agent", "-"),
        "domainName": request.host,
    }
    line = VARIABLE.sub(lambda name: values.get(name[1], "-"), settings["Format"])
    caller = aws.acting_as_service(LOG_DELIVERY).caller
    stream = f"{about['apiId']}_{stage['StageName'].replace('$', '')}"
    aws.logs.send(caller, found[1], stream, [line])


def clf_time(moment: datetime) -> str:
    """As web servers write it: 29/Nov/2026:21:50:00 +0000."""
    return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
