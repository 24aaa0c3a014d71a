"""Names, ARNs and page tokens of the Step Functions API."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

from localaws.core import pages
from localaws.core.pages import Key
from localaws.errors import AwsError

Item = TypeVar("Item")

FORBIDDEN = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
MACHINE = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:stateMachine:[^:/]+(?::[^:/]+)?")
ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:activity:[^:/]+")
EXECUTION = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:execution:[^:/]+(?:/[^:]+)?:[^:]+")


def check_name(name: str, what: str = "Invalid Name") -> None:
    """1 to 80 characters, without white space, brackets, wildcards and the like."""
    if not 1 <= len(name) <= 80 or FORBIDDEN.search(name):
        raise AwsError("InvalidName", f"{what}: '{name}'")


def check_machine_arn(arn: str) -> None:
    _check_arn(arn, "stateMachine", MACHINE)


def check_execution_arn(arn: str) -> None:
    _check_arn(arn, "execution", EXECUTION)


def check_activity_arn(arn: str) -> None:
    _check_arn(arn, "activity", ACTIVITY)


def _check_arn(arn: str, type_: str, accepted: re.Pattern[str]) -> None:
    """Raises InvalidArn for a text that is no ARN, or the ARN of something else."""
    parts = arn.split(":")
    if accepted.fullmatch(arn):
        return
    if parts[0] != "arn" or len(parts) < 7:
        problem = f"Invalid ARN prefix: {arn}"
    elif parts[5] != type_:
        problem = f"Resource type not valid in this context: {parts[5]}"
    else:
        problem = arn
    raise AwsError("InvalidArn", f"Invalid Arn: '{problem}'")


def base_arn(arn: str) -> str:
    """The machine's ARN, without a version's number or an alias's name."""
    return ":".join(arn.split(":")[:7])


def qualifier(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 else None


def page_token(**position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_page_token(token: str | None) -> dict[str, Any]:
    """The position a token holds; {} for the first page. Raises InvalidToken."""
    if not token:
        return {}
    try:
        position: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
        if not all(isinstance(value, int) for value in position.values()):
            raise ValueError
    except (ValueError, AttributeError) as error:
        raise invalid_token() from error
    return position


def invalid_token(_: str = "") -> AwsError:
    return AwsError("InvalidToken", "Invalid Token: 'Invalid token'")


def paged(
    items: Iterable[tuple[Key, Item]], params: dict[str, Any], newest_first: bool = False
) -> tuple[list[Item], str | None]:
    """(one page of (key, item) by key, the next token or None), by maxResults and nextToken."""
    found = pages.page(
        items,
        params.get("nextToken"),
        params.get("maxResults") or 100,
        invalid=invalid_token,
        newest_first=newest_first,
    )
    return found.items, found.token
