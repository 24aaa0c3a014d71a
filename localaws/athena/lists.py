"""Lists in pages, as Athena's API gives them."""

from __future__ import annotations

from localaws.core.errors import AwsError
from localaws.core.pages import Pages


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


page = Pages(50, _invalid).page
