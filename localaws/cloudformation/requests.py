"""What a stack operation is asked to do, checked before anything runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from localaws.cloudformation.plan import scope_of
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.rules import check_rules
from localaws.cloudformation.template import Template, invalid, read
from localaws.cloudformation.transform import check_capability, processed
from localaws.cloudformation.values import parameter_values, stored_values
from localaws.core.aws import LocalAws
from localaws.core.service import Call
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

LONGEST_BODY = 51_200
LONGEST_STORED = 1_000_000
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


@dataclass(frozen=True)
class StackTarget:
    """What a stack shall become."""

    template: Template
    original: str  # the body as it was given
    parameters: Json
    resolved: Json  # of parameters in the parameter store: the values there
    tags: dict[str, str]
    capabilities: list[str]

    @property
    def members(self) -> Json:
        """As the stack document keeps it."""
        return {
            "template": self.template.body,
            "original": self.original,
            "parameters": self.parameters,
            "resolved": self.resolved,
            "tags": self.tags,
            "capabilities": self.capabilities,
        }


def check_options(call: Call) -> None:
    """Refuses a mode of deployment that is not done here."""
    mode = call.params.get("DeploymentConfig", {}).get("Mode", "STANDARD")
    if mode != "STANDARD":
        raise NotEmulated("cloudformation", call.operation, f"DeploymentConfig.Mode={mode}")


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy"
            " constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def template_body(aws: LocalAws, params: Json, previous: Json | None = None) -> str:
    """The template text from TemplateBody, TemplateURL or UsePreviousTemplate."""
    if params.get("UsePreviousTemplate"):
        if previous is None or not previous.get("template"):
            raise invalid("UsePreviousTemplate: there is no previous template.")
        return str(previous.get("original") or previous["template"])
    if ("TemplateBody" in params) == ("TemplateURL" in params):
        raise invalid("Either Template URL or Template Body must be specified, and not both.")
    if "TemplateBody" in params:
        body = str(params["TemplateBody"])
        if len(body.encode()) > LONGEST_BODY:
            raise invalid(
                f"1 validation error detected: 'templateBody' has {len(body.encode())} bytes;"
                f" at most {LONGEST_BODY} are taken. Use TemplateURL."
            )
        return body
    return _stored(aws, str(params["TemplateURL"]))


def _stored(aws: LocalAws, url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    host = parts.hostname or ""
    virtual = re.fullmatch(r"(.+?)\.s3[.-][a-z0-9.-]*amazonaws\.com", host)
    bucket, key = (virtual[1], path) if virtual else tuple(path.partition("/")[::2])
    if parts.scheme == "s3" or not bucket or not key:
        raise invalid(f"S3 error: TemplateURL must be the https address of an object, not {url}")
    version = parse_qs(parts.query).get("versionId", [None])[0]
    try:
        found = aws.objects.head(bucket, key, version)
    except AwsError as error:
        raise invalid(f"S3 error: {error.message}") from error
    if found.bytes > LONGEST_STORED:
        raise invalid(f"The template has {found.bytes} bytes; at most {LONGEST_STORED} are taken.")
    return found.path.read_text()


def target_of(
    aws: LocalAws, registry: Registry, operation: str, params: Json, stack: Json | None
) -> StackTarget:
    """Reads and checks everything that can be checked before the first resource.

    Raises ValidationError, InsufficientCapabilitiesException or NotEmulated.
    """
    body = template_body(aws, params, stack)
    previous, given = stack["parameters"] if stack else {}, params.get("Parameters", [])
    capabilities = list(params.get("Capabilities", []))
    template = read(processed(body, given, previous, aws.region))
    if operation != "CreateChangeSet":
        check_capability(body, capabilities)
    values = parameter_values(template, given, previous)
    tags = {tag["Key"]: tag["Value"] for tag in params["Tags"]} if "Tags" in params else None
    target = StackTarget(
        template,
        body,
        values,
        stored_values(template, values, lambda name: _parameter(aws, name)),
        tags if tags is not None else (stack["tags"] if stack else {}),
        capabilities,
    )
    about = stack or {"name": params["StackName"], "id": "", "resources": {}}
    scope = scope_of(about | target.members, template, aws)
    check_rules(template, scope)
    registry.check(operation, template, scope)
    registry.check_capabilities(template, target.capabilities)
    return target


def _parameter(aws: LocalAws, name: str) -> str:
    """The value in the parameter store. Raises ValidationError."""
    try:
        return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        raise invalid(
            f"Unable to fetch parameters [{name}] from parameter store for this account: {error}"
        ) from error
