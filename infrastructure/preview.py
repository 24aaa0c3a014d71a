"""What a deployment will change, from a change set: looked at, then executed or thrown away."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from configuration.errors import DeploymentError
from infrastructure import resolved, widening
from infrastructure.stack import Say, find_stack, newest_event, poll_seconds, wait
from infrastructure.words import Json

SIGNS = {"Add": "+", "Import": "^", "Remove": "-"}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """One resource of a change set. `sign`: + added, ~ changed in place, ! replaced, ? perhaps
    replaced, - removed, ^ adopted as it is."""

    sign: str
    logical_id: str
    type: str
    properties: tuple[str, ...] = ()

    def __str__(self) -> str:
        changed = f"  ({', '.join(self.properties)})" if self.properties else ""
        return f"{self.sign} {self.logical_id:<30} {self.type}{changed}"


@dataclass(frozen=True)
class Preview:
    """A change set that waits for its execution. `widenings`: what will be allowed that was not."""

    arn: str
    stack_id: str
    new: bool  # there was no stack
    changes: tuple[Change, ...]
    widenings: tuple[str, ...]

    def lines(self, whole: bool = False) -> Iterator[str]:
        """For people; of a new stack the sums, unless the `whole` is asked for."""
        counts = Counter(change.sign for change in self.changes)
        words = {"+": "added", "~": "changed", "!": "replaced", "?": "perhaps replaced",
                 "-": "removed", "^": "adopted"}  # fmt: skip
        sums = [f"{counts[sign]} {word}" for sign, word in words.items() if counts[sign]]
        yield f"resources: {', '.join(sums) or 'none changed'}"
        if whole or not self.new:
            yield from (f"  {change}" for change in self.changes)
        if self.new and self.widenings and not whole:
            yield f"permissions: {len(self.widenings)}, all new; --preview shows each"
        elif self.widenings:
            yield f"permissions: {len(self.widenings)} MORE THAN BEFORE"
            yield from (f"  * {line}" for line in self.widenings)


def prepare(cloudformation: Any, kind: str, request: Json) -> Preview | None:
    """Makes a change set of the type CREATE, UPDATE or IMPORT and looks at it; None when it would
    change nothing. Raises DeploymentError with what CloudFormation says is wrong."""
    name = f"rebuy-{uuid.uuid4().hex[:12]}"
    made = cloudformation.create_change_set(ChangeSetName=name, ChangeSetType=kind, **request)
    arn, stack_id = made["Id"], made["StackId"]
    while (found := cloudformation.describe_change_set(ChangeSetName=arn))["Status"] in (
        *("CREATE_PENDING", "CREATE_IN_PROGRESS"),
    ):
        time.sleep(poll_seconds(cloudformation))
    if found["Status"] != "CREATE_COMPLETE":
        reason = found.get("StatusReason", "")
        discard(cloudformation, arn, stack_id)
        if any(words in reason for words in NO_CHANGES):
            return None
        raise DeploymentError(f"The change set could not be made: {reason}")
    changes = [_change(one["ResourceChange"]) for one in _pages(cloudformation, arn, found)]
    before = after = {}
    if kind != "IMPORT":
        after = _resources(cloudformation, found, {"ChangeSetName": arn})
    if kind == "UPDATE":
        stack = find_stack(cloudformation, stack_id) or {}
        before = _resources(cloudformation, stack, {"StackName": stack_id})
    lines = widening.widenings(before, after)
    new = {one["Type"] for one in before.values()} <= {"AWS::S3::Bucket"}  # as if: it was adopted
    return Preview(arn, stack_id, new, tuple(changes), tuple(lines))


def execute(cloudformation: Any, preview: Preview, say: Say) -> None:
    """Does what was previewed and waits for it. Raises DeploymentError, as `wait`."""
    seen = newest_event(cloudformation, preview.stack_id)
    cloudformation.execute_change_set(ChangeSetName=preview.arn)
    wait(cloudformation, preview.stack_id, seen, say)


def discard(cloudformation: Any, arn: str, stack_id: str) -> None:
    """Leaves nothing of a change set: neither itself nor the empty stack that was made for it."""
    cloudformation.delete_change_set(ChangeSetName=arn)
    stack = find_stack(cloudformation, stack_id)
    if stack is not None and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        cloudformation.delete_stack(StackName=stack_id)


def _pages(cloudformation: Any, arn: str, first: Json) -> Iterator[Json]:
    page = first
    yield from page["Changes"]
    while token := page.get("NextToken"):
        page = cloudformation.describe_change_set(ChangeSetName=arn, NextToken=token)
        yield from page["Changes"]


def _change(given: Json) -> Change:
    sign = SIGNS.get(given["Action"])
    if sign is None:
        sign = {"True": "!", "Conditional": "?"}.get(given.get("Replacement", ""), "~")
    names = {
        detail["Target"].get("Name") or detail["Target"]["Attribute"]
        for detail in given.get("Details", [])
    }
    return Change(sign, given["LogicalResourceId"], given["ResourceType"], tuple(sorted(names)))


def _resources(cloudformation: Any, about: Json, which: Json) -> dict[str, Json]:
    """The resources of a deployed or proposed template, with its parameters filled in."""
    body = cloudformation.get_template(TemplateStage="Original", **which)["TemplateBody"]
    template = json_of(body)
    values = {p["ParameterKey"]: p["ParameterValue"] for p in about.get("Parameters", [])}
    _, partition, _, region, account, *_ = about["StackId"].split(":")
    pseudo = {"StackName": about["StackName"], "Partition": partition, "Region": region}
    pseudo |= {"AccountId": account, "StackId": about["StackId"]}
    return resolved.resources(template, values | {f"AWS::{k}": v for k, v in pseudo.items()})


def json_of(body: Any) -> Json:
    """A template as botocore gives it: JSON comes parsed."""
    return dict(body) if isinstance(body, dict) else dict(json.loads(body))
