"""Lists in pages, as Glue's API gives them."""

from __future__ import annotations

from localaws.core.pages import Pages
from localaws.errors import AwsError


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


page = Pages(100, _invalid).page
page_of_partitions = Pages(1000, _invalid).page
page_of_jobs = Pages(200, _invalid).page
