"""What pages of other origins may do with a bucket: its owner's CORS rules.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from localaws.errors import AwsError
from localaws.s3.answers import error_page
from localaws.s3.buckets import Buckets
from localaws.shapes import Json
from localaws.wildcards import in_order

NONE = "CORSResponse: CORS is not enabled for this bucket."
METHODS = {"GET", "PUT", "POST", "DELETE", "HEAD"}
MOST_RULES = 100
ASKED_METHOD, ASKED_HEADERS = "Access-Control-Request-Method", "Access-Control-Request-Headers"
VARY = f"Origin, {ASKED_HEADERS}, {ASKED_METHOD}"
REFUSED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of"
    " Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are"
    " not whitelisted by the resource's CORS spec."
)


def check_cors(_: Buckets, __: str, document: Json) -> None:
    """Raises InvalidRequest or MalformedXML for what S3 does not take as rules."""
    if len(document["CORSRules"]) > MOST_RULES:
        raise AwsError("MalformedXML", f"There are more than {MOST_RULES} CORS rules.")
    for rule in document["CORSRules"]:
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                raise AwsError(
                    "InvalidRequest",
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
                )
        for member in ("AllowedOrigin", "AllowedHeader"):
            for value in rule.get(f"{member}s", []):
                if value.count("*") > 1:
                    raise AwsError(
                        "InvalidRequest", f'{member} "{value}" can not have more than one wildcard.'
                    )


class Cors:
    """Answers what a page's browser asks for, where a rule of the bucket allows it."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def __call__(self, request: Request, answer: Callable[[], Response]) -> Response | None:
        """None where no rule lets the page in (a preflight is answered in any case); `answer` does
        what was asked."""
        return self.of(unquote(request.path).lstrip("/").partition("/")[0], request, answer)

    def of(self, bucket: str, request: Request, answer: Callable[[], Response]) -> Response | None:
        """The same, for a bucket that the path does not begin with."""
        preflight = request.method == "OPTIONS"
        rules = self._rules(bucket)
        rule = _matching(rules or [], request)
        if rule is None:
            why = NONE if rules is None else REFUSED
            return error_page("AccessForbidden", why, 403) if preflight else None
        response = Response(status=200) if preflight else answer()
        _say(rule, request, response, preflight=preflight)
        return response

    def _rules(self, bucket: str) -> list[Json] | None:
        try:
            found = self._buckets.configuration(bucket, "cors")
        except AwsError:  # no such bucket
            return None
        return None if found is None else list(found["CORSRules"])


def _matching(rules: Iterable[Json], request: Request) -> Json | None:
    """The first rule that allows origin, method and headers. What sends no Origin (an image, a
    link) may come from anywhere: a rule for every origin allows it."""
    origin = request.headers.get("Origin")
    method, headers = request.method, list[str]()
    if method == "OPTIONS":
        method = request.headers.get(ASKED_METHOD, "")
        headers = _names(request.headers.get(ASKED_HEADERS, ""))
    for rule in rules:
        allowed = rule["AllowedOrigins"]
        if (
            ("*" in allowed or (origin is not None and _any(origin, allowed)))
            and method in rule["AllowedMethods"]
            and all(_any(name, map(str.lower, rule.get("AllowedHeaders", []))) for name in headers)
        ):
            return rule
    return None


def _say(rule: Json, request: Request, response: Response, *, preflight: bool) -> None:
    everyone = "*" in rule["AllowedOrigins"]
    said = response.headers
    origin = request.headers.get("Origin")
    if origin is not None:
        said["Access-Control-Allow-Origin"] = "*" if everyone else origin
        said["Access-Control-Allow-Methods"] = ", ".join(rule["AllowedMethods"])
        if not everyone:
            said["Access-Control-Allow-Credentials"] = "true"
        if rule.get("ExposeHeaders"):
            said["Access-Control-Expose-Headers"] = ", ".join(rule["ExposeHeaders"])
        if "MaxAgeSeconds" in rule:
            said["Access-Control-Max-Age"] = str(rule["MaxAgeSeconds"])
    if preflight and (names := _names(request.headers.get(ASKED_HEADERS, ""))):
        said["Access-Control-Allow-Headers"] = ", ".join(names)
    said["Vary"] = VARY


def _names(header: str) -> list[str]:
    return [name.strip().lower() for name in header.split(",") if name.strip()]


def _any(text: str, patterns: Iterable[str]) -> bool:
    """`*` stands for any characters, once."""
    return any(in_order(text, pattern.split("*")) for pattern in patterns)
