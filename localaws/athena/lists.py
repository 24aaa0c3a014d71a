"""Lists in pages, and of what is asked for by ids, as Athena's API gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from localaws.core.pages import Pages
from localaws.errors import AwsError
from localaws.shapes import Json


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


page = Pages(50, _invalid).page


def found_and_missing(
    ids: Iterable[str], get: Callable[[str], Json], id_member: str
) -> tuple[list[Json], list[Json]]:
    """What `get` gives, and for each id that it refuses its error."""
    found, missing = [], []
    for one in ids:
        try:
            found.append(get(one))
        except AwsError as error:
            told = {"ErrorCode": error.code, "ErrorMessage": error.message}
            missing.append({id_member: one, **told})
    return found, missing
