"""What a resource type's provider is, and the one way it calls the AWS API."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.errors import AwsError
from localaws.shapes import Json

if TYPE_CHECKING:
    from localaws.core.aws import LocalAws


@dataclass(frozen=True)
class Made:
    """A resource as it is: its physical id, what Ref gives, and its attributes."""

    physical_id: str
    attributes: Json = field(default_factory=dict)
    ref: str | None = None  # where it is not the physical id


@dataclass
class ResourceRequest:
    """What a provider is asked to do with one resource."""

    aws: LocalAws
    stack_name: str
    stack_id: str
    logical_id: str
    properties: Json
    stack_tags: dict[str, str]
    physical_id: str = ""
    previous: Json = field(default_factory=dict)  # the properties before an update
    attributes: Json = field(default_factory=dict)  # as they were before this request
    cancelled: Callable[[], bool] = lambda: False

    @classmethod
    def of(cls, aws: LocalAws, stack: Json, logical_id: str, properties: Json) -> ResourceRequest:
        """About a resource of the stack document."""
        return cls(aws, stack["name"], stack["id"], logical_id, properties, stack["tags"])

    def call(self, service: str, operation: str, **params: Any) -> Json:
        """One API call; members that are None are left out, texts become the model's types."""
        client = self.aws.client(service)
        method = client.meta.method_to_api_mapping[operation]
        shape = client.meta.service_model.operation_model(method).input_shape
        given = {name: value for name, value in params.items() if value is not None}
        result: Json = getattr(client, operation)(**coerce(shape, given))
        return result

    def name(self, longest: int = 64, *, lower: bool = False, joint: str = "-") -> str:
        """A name as CloudFormation makes it: stack, logical id, random end."""
        end = uuid.uuid4().hex[:12] if lower else uuid.uuid4().hex[:12].upper()
        room = longest - len(end) - 2
        logical = self.logical_id[: max(8, room - len(self.stack_name))]
        made = f"{self.stack_name[: room - len(logical)]}-{logical}-{end}".replace("-", joint)
        return made.lower() if lower else made

    def tags(self) -> dict[str, str]:
        """The resource's tags: the stack's and its own."""
        own = self.properties.get("Tags") or []
        pairs = own if isinstance(own, dict) else {tag["Key"]: tag["Value"] for tag in own}
        return self.stack_tags | {str(name): str(value) for name, value in pairs.items()}

    def tag_list(self, key: str = "Key", value: str = "Value") -> list[Json] | None:
        return [{key: name, value: text} for name, text in self.tags().items()] or None

    def wait(self, until: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Waits until something holds. Raises NotStabilized."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise AwsError("NotStabilized", f"{what} after {seconds:.0f} s.")
            time.sleep(0.05)

    def sub_arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.aws.region}:{self.aws.account}:{resource}"


class Provider:
    """One resource type: the properties it takes and what it does with the AWS API."""

    type: str
    properties: tuple[str, ...] = ()  # accepted ones; a dot goes into a member
    replaced_by: tuple[str, ...] = ()  # properties whose change makes a new resource
    name_property: str | None = None  # the property that gives the physical name
    attributes: tuple[str, ...] = ()  # what Fn::GetAtt can read
    changing: tuple[str, ...] = ()  # attributes that an update in place can change
    # The property that names one that exists, to import it; None: it cannot be imported here.
    identifier: str | None = None
    named_iam = False  # whether a custom name needs CAPABILITY_NAMED_IAM
    drifting: tuple[str, ...] = ()  # properties that can be compared with what there is

    def create(self, request: ResourceRequest) -> Made:
        raise NotImplementedError

    def update(self, request: ResourceRequest) -> Made:
        raise NotImplementedError(f"{self.type} cannot be updated in place.")

    def delete(self, request: ResourceRequest) -> None:
        raise NotImplementedError

    def adopt(self, request: ResourceRequest) -> Made:
        """The resource `request.physical_id`, which exists, as it is."""
        raise NotImplementedError(f"{self.type} cannot be imported.")

    def as_it_is(self, request: ResourceRequest) -> Json | None:
        """The `drifting` properties of what there is now; None when it is gone."""
        raise NotImplementedError

    def must_replace(self, new: Json, old: Json) -> list[str]:
        """The changed properties that need a new resource."""
        return [name for name in self.replaced_by if new.get(name) != old.get(name)]


def missing(error: ClientError) -> bool:
    """Whether the error says that the thing is not there (any more)."""
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"].get("HTTPStatusCode")
    return (
        status == 404
        or "NotFound" in code
        or code.startswith("NoSuch")
        or code in ("ResourceNotFoundException", "EntityNotFoundException")
        or "DoesNotExist" in code
        or "NonExistent" in code
    )


class ignoring_missing:  # noqa: N801 - reads as a statement
    """Deleting what is gone is done already."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, ClientError) and missing(error)


def coerce(shape: Any, value: Any) -> Any:
    """The value in the types of a botocore shape: templates write "true" and "5" as texts."""
    if shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return value
        return {
            name: coerce(shape.members.get(name), member)
            for name, member in value.items()
            if member is not None
        }
    if kind == "list" and isinstance(value, list):
        return [coerce(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {str(name): coerce(shape.value, member) for name, member in value.items()}
    return SCALARS[kind](value) if kind in SCALARS else value


def _number(to: type[int] | type[float], value: Any) -> Any:
    if not isinstance(value, str | float):
        return value
    try:
        return to(value)
    except ValueError:
        return value  # the API call says what is wrong


def _boolean(value: Any) -> Any:
    return value.lower() == "true" if value in ("true", "false", "True", "False") else value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return document(value) if isinstance(value, dict | list) else value


SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": partial(_number, int),
    "long": partial(_number, int),
    "float": partial(_number, float),
    "double": partial(_number, float),
    "boolean": _boolean,
    "string": _text,
}


def document(value: Any) -> str:
    """A JSON document as text; a text is left as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def picked(properties: Json, names: Iterable[str]) -> Json:
    """The named properties that are given."""
    return {name: properties[name] for name in names if name in properties}
