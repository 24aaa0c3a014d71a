"""The operations that make, change and delete stacks."""

from __future__ import annotations

from dataclasses import asdict

from localaws.cloudformation.change_sets import check_updatable, same_target
from localaws.cloudformation.engine import StackEngine
from localaws.cloudformation.plan import plan
from localaws.cloudformation.principals import doing, forward
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.requests import check_name, target_of
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.template import invalid
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.shapes import Json

_TEMPLATE = ("StackName", "TemplateBody", "TemplateURL", "Parameters", "Capabilities", "Tags")


class StackWrites:
    def __init__(
        self, aws: LocalAws, stacks: Stacks, engine: StackEngine, registry: Registry
    ) -> None:
        self._aws = aws
        self._stacks = stacks
        self._engine = engine
        self._registry = registry

    def register(self, service: Service) -> None:
        service.operation(
            *("CreateStack", *_TEMPLATE, "DisableRollback", "OnFailure", "ClientRequestToken"),
            *("RoleARN", "EnableTerminationProtection", "DeploymentConfig.Mode"),
        )(self.create_stack)
        service.operation(
            *("UpdateStack", *_TEMPLATE, "UsePreviousTemplate", "DisableRollback", "RoleARN"),
            *("ClientRequestToken", "DeploymentConfig.Mode"),
        )(self.update_stack)
        service.operation(
            *("DeleteStack", "StackName", "RetainResources", "RoleARN", "ClientRequestToken"),
            "DeploymentConfig.Mode",
        )(self.delete_stack)
        service.operation("ContinueUpdateRollback", "StackName", "RoleARN", "ResourcesToSkip")(
            self.continue_update_rollback
        )
        service.operation(
            "UpdateTerminationProtection", "StackName", "EnableTerminationProtection"
        )(self.update_termination_protection)

    def create_stack(self, call: Call) -> Json:
        params = call.params
        check_name(params["StackName"])
        if "OnFailure" in params and "DisableRollback" in params:
            raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
        target = target_of(forward(self._aws, call), self._registry, "CreateStack", params, None)
        stack = self._stacks.new(
            params["StackName"],
            "CREATE_IN_PROGRESS",
            **target.members,
            on_failure="DO_NOTHING" if params.get("DisableRollback") else params.get("OnFailure"),
            protected=params.get("EnableTerminationProtection", False),
            role=params.get("RoleARN"),
            caller=asdict(call.caller),
        )
        self._stacks.event(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._engine.run(self._engine.create, stack)
        return {"StackId": stack["id"]}

    def update_stack(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        check_updatable(stack)
        target = target_of(
            forward(self._aws, call), self._registry, "UpdateStack", call.params, stack
        )
        changes = plan(stack, target.members, target.template, self._aws, self._registry)
        if not changes and same_target(stack, target.members):
            raise invalid("No updates are to be performed.")
        self._stacks.begin(
            stack,
            "UPDATE_IN_PROGRESS",
            next=target.members,
            updated=self._stacks.now(),
            on_failure="DO_NOTHING" if call.params.get("DisableRollback") else None,
            **doing(stack, call),
        )
        self._engine.run(self._engine.update, stack)
        return {"StackId": stack["id"]}

    def delete_stack(self, call: Call) -> Json:
        stack = self._stacks.find(call.params["StackName"])
        if stack is None or stack["status"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        if stack.get("protected"):
            raise invalid(
                f"Stack [{stack['name']}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack["status"].endswith("_IN_PROGRESS") and stack["status"] != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack['name']}] is {stack['status']}; wait until it is done.")
        if call.params.get("RetainResources") and stack["status"] != "DELETE_FAILED":
            raise invalid("RetainResources can only be given for a stack that is DELETE_FAILED.")
        retain = call.params.get("RetainResources", [])
        self._stacks.begin(stack, "DELETE_IN_PROGRESS", retain=retain, **doing(stack, call))
        for found in self._stacks.change_sets(stack):
            self._stacks.delete_change_set(found)
        self._engine.run(self._engine.delete, stack)
        return {}

    def continue_update_rollback(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        if stack["status"] != "UPDATE_ROLLBACK_FAILED":
            raise invalid(
                f"Stack:{stack['id']} is in {stack['status']} state and can not continue rollback."
            )
        skip = call.params.get("ResourcesToSkip", [])
        failed = {record["logical_id"] for _, record in stack.get("unrolled", [])}
        if unknown := sorted(set(skip) - failed):
            raise invalid(f"Resources {unknown} to skip are not in UPDATE_FAILED state.")
        doing_as = doing(stack, call)
        self._stacks.begin(stack, "UPDATE_ROLLBACK_IN_PROGRESS", skip=skip, **doing_as)
        self._engine.run(self._engine.continue_roll_back, stack)
        return {}

    def update_termination_protection(self, call: Call) -> Json:
        params = call.params
        stack = self._stacks.protect(params["StackName"], params["EnableTerminationProtection"])
        return {"StackId": stack["id"]}
