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
from localaws.cloudformation.records import in_order, outputs, policies, reason_of, record_of
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.template import Template, check_order, read
from localaws.cloudformation.values import TemplateScope
from localaws.core.aws import LocalAws
from localaws.errors import AwsError
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
                word = stack["status"].split("_")[0].replace("IMPORT", "IMPORT_ROLLBACK")
                failed = f"{word}_FAILED"
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

    # Import

    def adopt(self, stack: Json) -> None:
        """Takes the resources of `stack["imports"]` (logical to physical id) as they are into the
        stack, which becomes `stack["next"]`. If one cannot be taken, none is."""
        before = {name: stack[name] for name in stack["next"] if name in stack}
        stack.update(stack.pop("next"))
        template = read(stack["template"])
        scope = scope_of(stack, template, self._aws)
        imports = stack.pop("imports")
        try:
            for logical_id, physical_id in imports.items():
                self._import(stack, template, scope, logical_id, physical_id)
        except ResourceFailed as failure:
            why = f"The following resource(s) failed to import: [{failure.logical_id}]."
            self._set(stack, "IMPORT_ROLLBACK_IN_PROGRESS", why)
            for logical_id in imports:
                stack["resources"].pop(logical_id, None)
            stack.update(before)
            self._set(stack, "IMPORT_ROLLBACK_COMPLETE")
            return
        self._set(stack, "IMPORT_COMPLETE")

    def _import(
        self, stack: Json, template: Template, scope: TemplateScope, logical_id: str, physical: str
    ) -> None:
        record = record_of(template, logical_id)
        stack["resources"][logical_id] = record
        properties = scope.value(template.resources[logical_id].get("Properties", {}))
        request = self._request(stack, logical_id, properties)
        request.physical_id = physical
        self._status(stack, record, "IMPORT_IN_PROGRESS")
        try:
            made = self._registry.provider(record["type"]).adopt(request)
        except (AwsError, ClientError, BotoCoreError) as error:
            self._status(stack, record, "IMPORT_FAILED", reason_of(error))
            raise ResourceFailed(logical_id) from error
        record |= {
            "physical_id": made.physical_id,
            "ref": made.ref or made.physical_id,
            "attributes": made.attributes,
            "properties": properties,
            "tags": {},  # those of the stack come with its next update
        }
        self._status(stack, record, "IMPORT_COMPLETE")

    # Delete

    def delete(self, stack: Json) -> None:
        self._delete_all(stack, "DELETE")

    def _delete_all(self, stack: Json, word: str, *, rollback: bool = False) -> None:
        failed = []
        for record in reversed(in_order(stack["resources"])):
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
        for record in reversed(in_order(by_key)):
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
            stack["resources"][logical_id] = old | policies(template, logical_id)
            return
        if planned.action == "replace":
            superseded.append(old)
            record = record_of(template, logical_id)
            stack["resources"][logical_id] = record
            undo.append((old, record))
            self._check_new_name(stack, old, planned, record)
            why = (
                "Requested update requires the creation of a new physical resource; hence"
                " creating one."
            )
            self._perform(stack, record, planned.properties, "create", "UPDATE", why)
            return
        record = old | policies(template, logical_id)
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
        left = [pair for pair in reversed(undo) if not self._undo(stack, *pair)]
        stack.update(before)
        stack["resources"] = old_records
        self._end_roll_back(stack, left)

    def _undo(self, stack: Json, old: Json | None, record: Json) -> bool:
        """Brings one resource back to what it was; False when that failed."""
        if old is None or old["physical_id"] != record["physical_id"]:
            return not record["physical_id"] or self._remove(stack, record | {"old": True})
        back = dict(record)
        try:
            self._perform(stack, back, old["properties"], "update", "UPDATE")
        except ResourceFailed:
            return False
        old.update(physical_id=back["physical_id"], attributes=back["attributes"])
        return True

    def _end_roll_back(self, stack: Json, left: list[tuple[Json | None, Json]]) -> None:
        stack["unrolled"] = left
        if left:
            named = ", ".join(record["logical_id"] for _, record in left)
            self._set(stack, "UPDATE_ROLLBACK_FAILED", f"Could not be rolled back: [{named}].")
            return
        self._set(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._set(stack, "UPDATE_ROLLBACK_COMPLETE")

    def continue_roll_back(self, stack: Json) -> None:
        """Tries again what an update's rollback could not bring back, but for `stack["skip"]`."""
        left = []
        for kept, record in stack.get("unrolled", []):
            name = record["logical_id"]
            old = stack["resources"].get(name) if kept is not None else None
            if name not in stack["skip"] and not self._undo(stack, old, record):
                left.append((old, record))
        self._end_roll_back(stack, left)

    # One resource

    def _make(self, stack: Json, template: Template, scope: TemplateScope, logical_id: str) -> None:
        record = record_of(template, logical_id)
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
            begun = "Resource creation Initiated"
            self._status(stack, record, f"{word}_IN_PROGRESS", begun, keep=False)
        self._status(stack, record, f"{word}_COMPLETE")

    def _request(self, stack: Json, logical_id: str, properties: Json) -> ResourceRequest:
        request = ResourceRequest.of(acting(self._aws, stack), stack, logical_id, properties)
        request.cancelled = self._aws.stopping.is_set
        return request

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
