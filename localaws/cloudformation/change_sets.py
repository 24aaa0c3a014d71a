"""Change sets: what an update would do, kept until it is executed."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from localaws.cloudformation.engine import StackEngine
from localaws.cloudformation.imports import imported, imports_of
from localaws.cloudformation.lists import page
from localaws.cloudformation.plan import Planned, plan
from localaws.cloudformation.principals import forward
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.requests import check_name, target_of
from localaws.cloudformation.shapes import shown_parameters, shown_tags
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.template import invalid, read
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a"
    " change set."
)
UPDATABLE = (
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"),
    *("CREATE_FAILED", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
)
_ACTIONS = {"create": "Add", "remove": "Remove"}
_REPLACEMENT = {"update": "False", "replace": "True", "maybe-replace": "Conditional"}


def check_updatable(stack: Json) -> None:
    if stack["status"] not in UPDATABLE:
        raise invalid(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")


def change(planned: Planned) -> Json:
    """A planned change as DescribeChangeSet shows it."""
    shown: Json = {
        "Action": _ACTIONS.get(planned.action, "Modify"),
        "LogicalResourceId": planned.logical_id,
        "ResourceType": planned.type,
        "Scope": [],
        "Details": [],
    }
    if planned.physical_id:
        shown["PhysicalResourceId"] = planned.physical_id
    if planned.action in _REPLACEMENT:
        shown["Replacement"] = _REPLACEMENT[planned.action]
        shown["Scope"] = ["Tags"] if planned.changed == ("Tags",) else ["Properties"]
        recreation = {"update": "Never", "replace": "Always"}.get(planned.action, "Conditionally")
        shown["Details"] = [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": name,
                    "RequiresRecreation": recreation,
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name in planned.changed
        ]
    return {"Type": "Resource", "ResourceChange": shown}


class ChangeSets:
    def __init__(
        self, aws: LocalAws, stacks: Stacks, engine: StackEngine, registry: Registry
    ) -> None:
        self._aws = aws
        self._stacks = stacks
        self._engine = engine
        self._registry = registry

    def register(self, service: Service) -> None:
        service.operation(
            *("CreateChangeSet", "StackName", "ChangeSetName", "ChangeSetType", "TemplateBody"),
            *("TemplateURL", "UsePreviousTemplate", "Parameters", "Capabilities", "Tags"),
            *("Description", "ClientToken", "RoleARN", "IncludeNestedStacks", "OnStackFailure"),
            *("ImportExistingResources", "DeploymentConfig.Mode"),
            *("ResourcesToImport.ResourceType", "ResourcesToImport.LogicalResourceId"),
            "ResourcesToImport.ResourceIdentifier",
        )(self.create_change_set)
        service.operation(
            "DescribeChangeSet", "ChangeSetName", "StackName", "NextToken", "IncludePropertyValues"
        )(self.describe_change_set)
        service.operation("ListChangeSets", "StackName", "NextToken")(self.list_change_sets)
        service.operation("DeleteChangeSet", "ChangeSetName", "StackName")(self.delete_change_set)
        service.operation(
            *("ExecuteChangeSet", "ChangeSetName", "StackName", "ClientRequestToken"),
            "DisableRollback",
        )(self.execute_change_set)

    def create_change_set(self, call: Call) -> Json:
        params = call.params
        kind = params.get("ChangeSetType", "UPDATE")
        stack = self._stacks.find(params["StackName"])
        if kind == "CREATE":
            check_name(params["StackName"])
            if stack is not None and stack["status"] != "REVIEW_IN_PROGRESS":
                raise invalid(
                    f"Stack [{params['StackName']}] already exists and cannot be created again"
                    " with the changeSet."
                )
        elif kind == "UPDATE" or (stack is not None and stack["status"] != "REVIEW_IN_PROGRESS"):
            stack = self._stacks.get(params["StackName"])
            check_updatable(stack)
        else:
            check_name(params["StackName"])
        if ("ResourcesToImport" in params) != (kind == "IMPORT"):
            raise invalid("ResourcesToImport goes with ChangeSetType IMPORT, and only with it.")
        target = target_of(
            forward(self._aws, call), self._registry, "CreateChangeSet", params, stack
        )
        imports = {}
        if kind == "IMPORT":
            given = params["ResourcesToImport"]
            imports = imports_of(self._stacks, self._registry, stack, target, given)
        if stack is None:
            stack = self._stacks.new(params["StackName"], "REVIEW_IN_PROGRESS")
            self._stacks.event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        if any(
            found["name"] == params["ChangeSetName"] for found in self._stacks.change_sets(stack)
        ):
            raise AwsError(
                "AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists"
            )
        if imports:
            shown = imported(target.template, imports)
        else:
            changes = plan(stack, target.members, target.template, self._aws, self._registry)
            shown = [change(item) for item in changes]
        changed = bool(shown) or not same_target(stack, target.members)
        arn = f"arn:aws:cloudformation:{self._aws.region}:{self._aws.account}:changeSet"
        change_set = {
            "id": f"{arn}/{params['ChangeSetName']}/{uuid.uuid4()}",
            "name": params["ChangeSetName"],
            "stack_id": stack["id"],
            "stack_name": stack["name"],
            "type": kind,
            "created": self._stacks.now(),
            "description": params.get("Description"),
            "target": target.members,
            "on_failure": params.get("OnStackFailure"),
            "role": params.get("RoleARN"),
            "imports": imports,
            "changes": shown,
            "status": "CREATE_COMPLETE" if changed else "FAILED",
            "execution": "AVAILABLE" if changed else "UNAVAILABLE",
            "reason": None if changed else NO_CHANGES,
        }
        self._stacks.put_change_set(change_set)
        return {"Id": change_set["id"], "StackId": stack["id"]}

    def describe_change_set(self, call: Call) -> Json:
        found = self._stacks.change_set(call.params["ChangeSetName"], call.params.get("StackName"))
        template = read(found["target"]["template"])
        changes = page(enumerate(found["changes"]), call)
        shown = _listed(found) | {
            "Parameters": shown_parameters(template, found["target"]),
            "Tags": shown_tags(found["target"]["tags"]),
            "Capabilities": found["target"]["capabilities"],
            "Changes": changes.items,
            **changes.next(),
            "NotificationARNs": [],
            "RollbackConfiguration": {},
        }
        shown.pop("ChangeSetType", None)
        return shown

    def list_change_sets(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        change_sets = self._stacks.change_sets(stack)
        found = page((((one["created"], one["id"]), one) for one in change_sets), call)
        return {"Summaries": [_listed(one) for one in found.items], **found.next()}

    def delete_change_set(self, call: Call) -> Json:
        try:
            found = self._stacks.change_set(
                call.params["ChangeSetName"], call.params.get("StackName")
            )
        except AwsError:
            return {}
        self._stacks.delete_change_set(found)
        return {}

    def execute_change_set(self, call: Call) -> Json:
        found = self._stacks.change_set(call.params["ChangeSetName"], call.params.get("StackName"))
        stack = self._stacks.get(found["stack_id"])
        if found["execution"] != "AVAILABLE":
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{found['id']}] cannot be executed in its current status of"
                f" [{found['status']}]",
            )
        importing = found["type"] == "IMPORT"
        creating = stack["status"] == "REVIEW_IN_PROGRESS" and not importing
        if stack["status"] != "REVIEW_IN_PROGRESS":
            check_updatable(stack)
        members = {
            "change_set": found["id"],
            "role": found.get("role") or stack.get("role"),
            "caller": asdict(call.caller),
            "on_failure": (
                "DO_NOTHING" if call.params.get("DisableRollback") else found["on_failure"]
            ),
        }
        if creating:
            self._stacks.begin(stack, "CREATE_IN_PROGRESS", **members, **found["target"])
        else:
            members |= {"next": found["target"], "updated": self._stacks.now()}
            if importing:
                members["imports"] = found["imports"]
            word = "IMPORT" if importing else "UPDATE"
            self._stacks.begin(stack, f"{word}_IN_PROGRESS", **members)
        for other in self._stacks.change_sets(stack):
            self._stacks.delete_change_set(other)  # an executed change set makes the others stale
        engine = self._engine
        work = engine.create if creating else engine.adopt if importing else engine.update
        engine.run(work, stack)
        return {}


def same_target(stack: Json, target: Json) -> bool:
    """Whether an update has nothing to do besides resources: same outputs, parameters, tags."""
    if not stack.get("template"):
        return False
    return (
        read(stack["template"]).outputs == read(target["template"]).outputs
        and stack["parameters"] == target["parameters"]
        and stack.get("resolved", {}) == target["resolved"]
        and stack["tags"] == target["tags"]
    )


def _listed(found: Json) -> Json:
    shown = {
        "ChangeSetName": found["name"],
        "ChangeSetId": found["id"],
        "StackId": found["stack_id"],
        "StackName": found["stack_name"],
        "CreationTime": found["created"],
        "Status": found["status"],
        "ExecutionStatus": found["execution"],
    }
    for member, name in (("reason", "StatusReason"), ("description", "Description")):
        if found.get(member):
            shown[name] = found[member]
    return shown
