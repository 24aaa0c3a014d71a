"""The schedules of crawlers and triggers: cron expressions in UTC.

https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html
"""

from __future__ import annotations

from localaws.errors import AwsError
from localaws.events.expressions import Cron, parse_expression


def cron(text: str) -> Cron:
    """Raises InvalidInputException for what is no cron expression."""
    try:
        expression = parse_expression(text)
    except AwsError as error:
        raise AwsError("InvalidInputException", error.message) from None
    if not isinstance(expression, Cron):
        raise AwsError(
            "InvalidInputException",
            f"Schedule is {text!r}; it is cron(...), as cron(15 12 * * ? *).",
        )
    return expression
