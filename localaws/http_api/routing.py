"""Which route a request takes.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match
first, then the greedy variable, then $default; a named method before ANY.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.http_api.store import bad_request
from localaws.shapes import Json

DEFAULT = "$default"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
KEY = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*)")
VARIABLE = re.compile(r"\{([a-zA-Z0-9._:-]+)(\+?)\}")


@dataclass(frozen=True)
class Match:
    """A route and the values of its path variables."""

    route: Json
    path_parameters: dict[str, str]


def check_route_key(key: str) -> None:
    """BadRequestException unless `$default` or `METHOD /path`, with `{name+}` only at the end."""
    if key == DEFAULT:
        return
    match = KEY.fullmatch(key)
    if match is None or match["method"] not in METHODS:
        raise bad_request(
            f"The provided route key {key!r} is not formatted properly for HTTP protocol. Format "
            'should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    segments = match["path"].split("/")[1:]
    for place, segment in enumerate(segments, start=1):
        variable = VARIABLE.fullmatch(segment)
        if ("{" in segment or "}" in segment) and variable is None:
            raise bad_request(f"Route key {key!r}: {segment!r} is not a path variable.")
        if variable and variable[2] and place < len(segments):
            raise bad_request(f"Route key {key!r}: {segment!r} is possible only at the end.")


def match_path(pattern: str, path: str) -> tuple[tuple[int, int], dict[str, str]] | None:
    """(how specific, values of the variables), or None when the path does not fit."""
    wanted, have = pattern.split("/")[1:], path.split("/")[1:]
    values: dict[str, str] = {}
    static = 0
    for place, segment in enumerate(wanted):
        variable = VARIABLE.fullmatch(segment)
        if variable and variable[2]:
            rest = "/".join(have[place:])
            if not rest:
                return None
            return (0, static), values | {variable[1]: rest}
        if place >= len(have):
            return None
        if variable:
            if not have[place]:
                return None
            values[variable[1]] = have[place]
        elif segment != have[place]:
            return None
        else:
            static += 1
    return ((1, static), values) if len(wanted) == len(have) else None


def find_route(routes: list[Json], method: str, path: str) -> Match | None:
    """The most specific route that takes the request."""
    best: tuple[tuple[int, int, int], Match] | None = None
    for route in routes:
        if route["RouteKey"] == DEFAULT:
            continue
        takes, pattern = route["RouteKey"].split(" ", 1)
        if takes not in (method, "ANY"):
            continue
        found = match_path(pattern, path)
        if found is None:
            continue
        rank = (*found[0], int(takes != "ANY"))
        if best is None or rank > best[0]:
            best = rank, Match(route, found[1])
    if best is not None:
        return best[1]
    default = [route for route in routes if route["RouteKey"] == DEFAULT]
    return Match(default[0], {}) if default else None


def source_arn(region: str, account: str, api_id: str, stage: str, route_key: str) -> str:
    """The `AWS:SourceArn` under which API Gateway calls a function for this route."""
    tail = DEFAULT
    if route_key != DEFAULT:
        method, path = route_key.split(" ", 1)
        tail = ("*" if method == "ANY" else method) + path
    return f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{tail}"
