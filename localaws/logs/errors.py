"""What CloudWatch Logs refuses, in its words; limits are those of botocore's model of it.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re

from localaws.errors import AwsError
from localaws.shapes import Json

GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
STREAM_NAME = re.compile(r"[^:*]{1,512}")
# Of a number's member: the most that it may be.
MOST_OF_A_PAGE = 50
MOST_EVENTS = 10_000
NAMES = {"logGroupName": GROUP_NAME, "logStreamName": STREAM_NAME}


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def no_group() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log group does not exist.")


def no_stream() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log stream does not exist.")


def unmet(value: object, member: str, must: str) -> AwsError:
    return invalid(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint:"
        f" Member must {must}"
    )


def check_name(params: Json, member: str) -> str:
    """The name of a new group or stream. Raises InvalidParameterException."""
    name: str = params[member]
    if not NAMES[member].fullmatch(name):
        raise unmet(name, member, f"satisfy regular expression pattern: {NAMES[member].pattern}")
    return name


def limit(params: Json, most: int) -> int:
    """The `limit` of a request, `most` where there is none."""
    given = int(params.get("limit", most))
    if given > most:
        raise unmet(given, "limit", f"have value less than or equal to {most}")
    return given
