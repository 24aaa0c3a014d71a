"""One document for an API with everything below it, changed in one transaction."""

from __future__ import annotations

import contextlib
import secrets
import string
from collections.abc import Iterable, Iterator

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call
from localaws.errors import AwsError
from localaws.shapes import Json

API = "http-api"  # documents: api id -> {api, integrations, routes, stages, deployments}
ALPHABET = string.ascii_lowercase + string.digits
PREFIX = "/_aws/execute-api"


def new_id(length: int) -> str:
    """A random id as API Gateway makes them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def not_found(what: str, identifier: str) -> AwsError:
    """NotFoundException."""
    return AwsError("NotFoundException", f"Invalid {what} identifier specified {identifier}", 404)


def bad_request(message: str) -> AwsError:
    """BadRequestException."""
    return AwsError("BadRequestException", message, 400)


class Apis:
    """The APIs by id."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def find(self, api_id: str) -> Json:
        """An API's document; NotFoundException without one."""
        document = self.aws.documents.get(API, api_id)
        if document is None:
            raise not_found("API", api_id)
        return document

    def look(self, api_id: str) -> Json | None:
        """An API's document, if there is one."""
        return self.aws.documents.get(API, api_id)

    def all(self) -> list[Json]:
        """Every API's document, oldest first."""
        return [document for _, document in self.aws.documents.items(API)]

    @contextlib.contextmanager
    def changing(self, api_id: str) -> Iterator[Json]:
        """The document, written back when the block ends well."""
        with self.aws.documents.changing(API, api_id, not_found("API", api_id)) as document:
            yield document

    def add(self, api_id: str, document: Json) -> None:
        """A new API."""
        self.aws.documents.put(API, api_id, document)

    def remove(self, api_id: str) -> None:
        """Deletes an API with everything below it."""
        if not self.aws.documents.delete(API, api_id):
            raise not_found("API", api_id)


def part(document: Json, group: str, what: str, identifier: str) -> Json:
    """An integration, route, stage or deployment; NotFoundException without it."""
    found: Json | None = document[group].get(identifier)
    if found is None:
        raise not_found(what, identifier)
    return found


def given(call: Call, members: tuple[str, ...]) -> Json:
    """The members that the call has."""
    return {name: call.params[name] for name in members if name in call.params}


def listed(params: Json, items: Iterable[tuple[str, Json]]) -> Json:
    """Items by their identifiers, `MaxResults` at a time."""
    try:
        most = int(params.get("MaxResults", "500"))
    except ValueError as error:
        raise bad_request(f"MaxResults {params['MaxResults']!r} is no number.") from error
    found = page(items, params.get("NextToken"), most, invalid=bad_request)
    return {"Items": found.items, **found.next()}
