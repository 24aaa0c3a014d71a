"""Making, changing and deleting the resources of a stack, in the order of their dependencies."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.cloudformation.plan import plan_resource, scope_of
from localaws.cloudformation.principals import acting
from localaws.cloudformation.provider import Made, ResourceRequest
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.template import Template, check_order, read
from localaws.cloudformation.values import NO_VALUE, TemplateScope
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.shapes import Json

logger = logging.getLogger(__name__)


class ResourceFailed(Exception):
    """A resource could not be made or changed; the reason is in its event."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


class StackEngine:
    """Runs stack operations, each on a thread of its own."""

    def __init__(self, aws: LocalAws, stacks: Stacks, registry: Registry) -> None:
        self._aws = aws
        self._stacks = stacks
        self._registry = registry

    def run(self, operation: Callable[[Json], None], stack: Json) -> None:
        """Starts an operation (`create`, `update`, `delete`) on a thread."""

        def guarded() -> None:
            try:
                operation(stack)
            except Exception as error:  # a fault of ours must show in the stack, not hang it
                if self._aws.stopping.is_set():
                    return
                logger.exception("The operation on stack %s failed", stack["name"])
                failed = stack["status"].split("_")[0] + "_FAILED"
                self._set(stack, failed, f"localaws failed: {error!r}")

        threading.Thread(target=guarded, name=f"stack {stack['name']}", daemon=True).start()

    def recover(self) -> None:
        """After a stop in the middle of an operation: says so, and leaves the stack deletable."""
        for stack in self._stacks.all():
            if stack["status"].endswith("_IN_PROGRESS") and stack["status"] != "REVIEW_IN_PROGRESS":
                failed = stack["status"].split("_")[0] + "_FAILED"
                self._set(
                    stack, failed, f"The server stopped while the stack was {stack['status']}."
                )

    # Create

    def create(self, stack: Json) -> None:
        template = read(stack["template"])
        scope = scope_of(stack, template, self._aws)
        try:
            for logical_id in check_order(template):
                if scope.included(logical_id):
                    self._make(stack, template, scope, logical_id)
            stack["outputs"] = outputs(template, scope)
        except ResourceFailed as failure:
            self._roll_back_creation(stack, failure.logical_id)
            return
        except AwsError as error:
            self._roll_back_creation(stack, None, error.message)
            return
        self._set(stack, "CREATE_COMPLETE")

    def _roll_back_creation(self, stack: Json, logical_id: str | None, why: str = "") -> None:
        failed = (
            f"The following resource(s) failed to create: [{logical_id}]." if logical_id else why
        )
        if stack.get("on_failure") == "DO_NOTHING":
            self._set(stack, "CREATE_FAILED", failed)
            return
        if stack.get("on_failure") == "DELETE":
            self._set(stack, "DELETE_IN_PROGRESS", f"{failed} Delete requested by user.")
            self._delete_all(stack, "DELETE", rollback=True)
            return
        self._set(stack, "ROLLBACK_IN_PROGRESS", f"{failed} Rollback requested by user.")
        self._delete_all(stack, "ROLLBACK", rollback=True)

    # Delete

    def delete(self, stack: Json) -> None:
        self._delete_all(stack, "DELETE")

    def _delete_all(self, stack: Json, word: str, *, rollback: bool = False) -> None:
        failed = []
        for record in reversed(_in_order(stack["resources"])):
            if not self._discard(stack, record, rollback=rollback):
                failed.append(record["logical_id"])
        if failed:
            reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]."
            self._set(stack, f"{word}_FAILED", reason)
            return
        if word == "DELETE":
            stack["deleted"] = self._stacks.now()
        self._set(stack, f"{word}_COMPLETE")

    def _discard(self, stack: Json, record: Json, *, rollback: bool = False) -> bool:
        """Deletes one resource of the stack, or keeps it if its policy says so."""
        policy = record.get("deletion_policy", "Delete")
        if record["logical_id"] in stack.get("retain", ()):
            policy = "Retain"
        if not record["physical_id"]:
            self._status(stack, record, "DELETE_COMPLETE")
        elif policy == "Retain" or (policy == "RetainExceptOnCreate" and not rollback):
            self._status(stack, record, "DELETE_SKIPPED")
        elif not self._remove(stack, record):
            return False
        stack["resources"].pop(record["logical_id"], None)
        stack.setdefault("gone", {})[record["logical_id"]] = record
        self._stacks.put(stack)
        return True

    def _remove(self, stack: Json, record: Json) -> bool:
        """Deletes the physical resource of a record; False when that failed."""
        self._status(stack, record, "DELETE_IN_PROGRESS")
        provider = self._registry.provider(record["type"])
        request = self._request(stack, record["logical_id"], record["properties"])
        request.physical_id, request.attributes = record["physical_id"], record["attributes"]
        try:
            provider.delete(request)
        except (AwsError, ClientError, BotoCoreError) as error:
            self._status(stack, record, "DELETE_FAILED", reason_of(error))
            return False
        self._status(stack, record, "DELETE_COMPLETE")
        return True

    # Update

    def update(self, stack: Json) -> None:
        """Brings the stack to `stack["next"]`; what was before comes back if that fails."""
        before = {name: stack[name] for name in stack["next"] if name in stack}
        before["outputs"] = stack["outputs"]
        stack.update(stack.pop("next"))
        template = read(stack["template"])
        scope = scope_of(stack, template, self._aws)
        old_records = dict(stack["resources"])
        undo: list[tuple[Json | None, Json]] = []
        superseded: list[Json] = []
        try:
            for logical_id in check_order(template):
                if scope.included(logical_id):
                    self._change(stack, template, scope, logical_id, undo, superseded)
            stack["outputs"] = outputs(template, scope)
        except (ResourceFailed, AwsError) as failure:
            named = failure.logical_id if isinstance(failure, ResourceFailed) else ""
            why = (
                f"The following resource(s) failed to update: [{named}]."
                if named
                else str(getattr(failure, "message", failure))
            )
            self._roll_back_update(stack, before, old_records, undo, why)
            return
        self._set(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        removed = [
            record
            for logical_id, record in old_records.items()
            if logical_id not in template.resources or not scope.included(logical_id)
        ]
        self._clean_up(stack, [*superseded, *removed], removed)
        self._set(stack, "UPDATE_COMPLETE")

    def _clean_up(self, stack: Json, records: list[Json], removed: list[Json]) -> None:
        by_key = {f"{index} {record['logical_id']}": record for index, record in enumerate(records)}
        for record in reversed(_in_order(by_key)):
            is_removed = record in removed
            policy = record.get("deletion_policy" if is_removed else "replace_policy", "Delete")
            if policy != "Delete":
                self._status(stack, record, "DELETE_SKIPPED", keep=False)
            else:
                self._remove(stack, record | {"old": True})
            if is_removed:
                stack["resources"].pop(record["logical_id"], None)
        self._stacks.put(stack)

    def _change(
        self,
        stack: Json,
        template: Template,
        scope: TemplateScope,
        logical_id: str,
        undo: list[tuple[Json | None, Json]],
        superseded: list[Json],
    ) -> None:
        """Creates, updates, replaces or leaves one resource. `undo` gets (before, after)."""
        old = stack["resources"].get(logical_id)
        if old is None:
            try:
                self._make(stack, template, scope, logical_id)
            finally:
                if logical_id in stack["resources"]:
                    undo.append((None, stack["resources"][logical_id]))
            return
        planned = plan_resource(stack, template, scope, self._registry, logical_id, old)
        if planned.action == "none":
            stack["resources"][logical_id] = old | _policies(template, logical_id)
            return
        if planned.action == "replace":
            superseded.append(old)
            record = _record(template, logical_id)
            stack["resources"][logical_id] = record
            undo.append((old, record))
            self._check_new_name(stack, old, planned, record)
            why = (
                "Requested update requires the creation of a new physical resource; hence"
                " creating one."
            )
            self._perform(stack, record, planned.properties, "create", "UPDATE", why)
            return
        record = old | _policies(template, logical_id)
        stack["resources"][logical_id] = record
        undo.append((old, record))
        self._perform(stack, record, planned.properties, "update", "UPDATE")
        if record["physical_id"] != old["physical_id"]:
            superseded.append(old)

    def _check_new_name(self, stack: Json, old: Json, planned: Any, record: Json) -> None:
        """A replacement lives beside the old resource for a while, so it needs another name."""
        provider = self._registry.provider(record["type"])
        name = provider.name_property
        if (
            name is not None
            and old["type"] == record["type"]
            and name in planned.properties
            and planned.properties[name] == old["properties"].get(name)
        ):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires"
                f" replacing. Rename {planned.properties[name]} and update the stack again."
            )
            self._status(stack, record, "UPDATE_FAILED", reason)
            raise ResourceFailed(record["logical_id"])

    def _roll_back_update(
        self,
        stack: Json,
        before: Json,
        old_records: Json,
        undo: list[tuple[Json | None, Json]],
        why: str,
    ) -> None:
        if stack.get("on_failure") == "DO_NOTHING":
            self._set(stack, "UPDATE_FAILED", why)
            return
        self._set(stack, "UPDATE_ROLLBACK_IN_PROGRESS", why)
        failed = []
        for old, record in reversed(undo):
            if old is not None and old["physical_id"] == record["physical_id"]:
                back = dict(record)
                try:
                    self._perform(stack, back, old["properties"], "update", "UPDATE")
                except ResourceFailed:
                    failed.append(record["logical_id"])
                    continue
                old.update(physical_id=back["physical_id"], attributes=back["attributes"])
            elif record["physical_id"] and not self._remove(stack, record | {"old": True}):
                failed.append(record["logical_id"])
        stack.update(before)
        stack["resources"] = old_records
        if failed:
            named = ", ".join(failed)
            self._set(stack, "UPDATE_ROLLBACK_FAILED", f"Could not be rolled back: [{named}].")
            return
        self._set(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._set(stack, "UPDATE_ROLLBACK_COMPLETE")

    # One resource

    def _make(self, stack: Json, template: Template, scope: TemplateScope, logical_id: str) -> None:
        record = _record(template, logical_id)
        stack["resources"][logical_id] = record
        try:
            properties = scope.value(template.resources[logical_id].get("Properties", {}))
        except AwsError as error:
            self._status(stack, record, "CREATE_FAILED", error.message)
            raise ResourceFailed(logical_id) from error
        self._perform(stack, record, properties, "create", "CREATE")

    def _perform(
        self,
        stack: Json,
        record: Json,
        properties: Json,
        action: str,
        word: str,
        why: str | None = None,
    ) -> None:
        """Creates or updates; the record then says what is there, whatever happened."""
        provider = self._registry.provider(record["type"])
        request = self._request(stack, record["logical_id"], properties)
        if action == "update":
            request.physical_id = record["physical_id"]
            request.previous = record["properties"]
            request.attributes = record["attributes"]
        self._status(stack, record, f"{word}_IN_PROGRESS", why)
        record["properties"] = properties
        record["tags"] = stack["tags"]
        try:
            made: Made = getattr(provider, action)(request)
        except Exception as error:
            if not isinstance(error, AwsError | ClientError | BotoCoreError | KeyError):
                logger.exception("%s of %s failed", action, record["logical_id"])
            record["physical_id"] = request.physical_id
            self._status(stack, record, f"{word}_FAILED", reason_of(error))
            raise ResourceFailed(record["logical_id"]) from error
        record["physical_id"] = made.physical_id
        record["ref"] = made.ref or made.physical_id
        record["attributes"] = made.attributes
        if action == "create":
            self._status(stack, record, f"{word}_IN_PROGRESS", "Resource creation Initiated")
        self._status(stack, record, f"{word}_COMPLETE")

    def _request(self, stack: Json, logical_id: str, properties: Json) -> ResourceRequest:
        return ResourceRequest(
            aws=acting(self._aws, stack),
            stack_name=stack["name"],
            stack_id=stack["id"],
            logical_id=logical_id,
            properties=properties,
            stack_tags=stack["tags"],
            cancelled=self._aws.stopping.is_set,
        )

    def _status(
        self,
        stack: Json,
        record: Json,
        status: str,
        reason: str | None = None,
        *,
        keep: bool = True,
    ) -> None:
        record.update(status=status, reason=reason, changed=self._stacks.now())
        self._stacks.event(stack, status, reason, record)
        if keep:
            self._stacks.put(stack)

    def _set(self, stack: Json, status: str, reason: str | None = None) -> None:
        stack.update(status=status, reason=reason)
        self._stacks.event(stack, status, reason)
        self._stacks.put(stack)


def outputs(template: Template, scope: TemplateScope) -> list[Json]:
    """The outputs whose condition holds, as DescribeStacks shows them."""
    found = []
    for name, output in template.outputs.items():
        if "Condition" in output and not scope.condition(output["Condition"]):
            continue
        value = scope.value(output["Value"])
        if value is NO_VALUE:
            continue
        shown = {"OutputKey": name, "OutputValue": str(value)}
        if "Description" in output:
            shown["Description"] = output["Description"]
        if "Export" in output:
            shown["ExportName"] = scope.value(output["Export"]["Name"])
        found.append(shown)
    return found


def reason_of(error: Exception) -> str:
    """What the resource's event says."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return f"{error.operation_name}: {message} ({code})"
    if isinstance(error, AwsError):
        return f"{error.message} ({error.code})"
    if isinstance(error, KeyError):
        return f"Properties validation failed: required key [{error.args[0]}] not found"
    return f"{type(error).__name__}: {error}"


def _record(template: Template, logical_id: str) -> Json:
    resource = template.resources[logical_id]
    return {
        "logical_id": logical_id,
        "physical_id": "",
        "type": resource["Type"],
        "properties": {},
        "attributes": {},
        "ref": "",
        **_policies(template, logical_id),
    }


def _policies(template: Template, logical_id: str) -> Json:
    resource = template.resources[logical_id]
    return {
        "depends": template.depends_on(logical_id),
        "deletion_policy": resource.get("DeletionPolicy", "Delete"),
        "replace_policy": resource.get("UpdateReplacePolicy", "Delete"),
    }


def _in_order(records: Json) -> list[Json]:
    """Records with each after those it depends on."""
    order: list[Json] = []

    def visit(record: Json) -> None:
        if any(record is done for done in order):
            return
        for other in records.values():
            if other is not record and other["logical_id"] in record["depends"]:
                visit(other)
        order.append(record)

    for record in records.values():
        visit(record)
    return order
