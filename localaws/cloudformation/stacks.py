"""Stacks as they are kept: one document a stack, one a change set, and the events."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from localaws.core.clock import Clock
from localaws.documents import Documents
from localaws.errors import AwsError
from localaws.shapes import Json

STACKS = "cloudformation-stack"
# What a stack's operations do not change at every step, as they do its own document, beside it.
LASTING = "cloudformation-stack-lasting"
TEXTS = ("template", "original")  # half a megabyte where the template is large
CHANGE_SETS = "cloudformation-change-set"
GONE = "DELETE_COMPLETE"


class Stacks:
    """Every stack and its events. A document is written before an answer or a next step."""

    def __init__(self, documents: Documents, clock: Clock, account: str, region: str) -> None:
        self.now = clock.now
        self._documents = documents
        self._account = account
        self._region = region
        self._lasting: dict[str, Json] = {}  # as kept, by stack id

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._documents.transaction():
                yield
        except BaseException:
            self._lasting.clear()  # what it holds may not have been kept
            raise

    def new(self, name: str, status: str, **members: Any) -> Json:
        """A new stack document. Raises AlreadyExistsException."""
        with self._transaction():
            if self.find(name) is not None:
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            arn = f"arn:aws:cloudformation:{self._region}:{self._account}"
            stack: Json = {
                "id": f"{arn}:stack/{name}/{uuid.uuid4()}",
                "name": name,
                "status": status,
                "reason": None,
                "created": self.now(),
                "resources": {},
                "outputs": [],
                "parameters": {},
                "tags": {},
                **members,
            }
            self.put(stack)
        return stack

    def put(self, stack: Json) -> None:
        """Writes the stack, but for its termination protection: that is as `protect` left it,
        also while an operation that began before has the stack in its hands."""
        with self._transaction():
            before = self._lasting_of(stack["id"])
            stack["protected"] = (before or stack).get("protected", False)
            self._keep(stack, before)

    def _keep(self, stack: Json, before: Json | None) -> None:
        lasting = {name: stack[name] for name in (*TEXTS, "protected") if name in stack}
        if lasting != before:
            self._documents.put(LASTING, stack["id"], lasting)
            self._lasting[stack["id"]] = lasting
        short = {name: value for name, value in stack.items() if name not in lasting}
        self._documents.put(STACKS, stack["id"], short)

    def _lasting_of(self, stack_id: str) -> Json | None:
        if stack_id not in self._lasting:
            kept = self._documents.get(LASTING, stack_id)
            if kept is None:  # of before it had a document of its own, or of no stack yet
                return None
            self._lasting[stack_id] = kept
        return self._lasting[stack_id]

    def _whole(self, short: Json) -> Json:
        return short | (self._lasting_of(short["id"]) or {})

    def protect(self, name_or_id: str, protected: bool) -> Json:
        """Sets termination protection, whatever else goes on.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
        """
        with self._transaction():
            stack = self.get(name_or_id)
            if stack["status"] in (GONE, "DELETE_IN_PROGRESS"):
                raise AwsError(
                    "ValidationError",
                    f"Stack [{stack['name']}] is {stack['status']}: its termination protection"
                    " cannot be changed",
                )
            stack["protected"] = protected
            self._keep(stack, self._lasting_of(stack["id"]))
        return stack

    def begin(self, stack: Json, status: str, **members: Any) -> None:
        """Puts the stack as it was looked at to work, and says so in its events.

        Of two operations on it at once one begins; for the other it raises ValidationError.
        """
        with self._transaction():
            now = self.find(stack["id"])
            if now != stack:
                found = now["status"] if now else GONE
                raise AwsError(
                    "ValidationError",
                    f"Stack:{stack['id']} is in {found} state and can not be updated: another"
                    " operation on it was quicker.",
                )
            stack.update(status=status, reason="User Initiated", **members)
            self.put(stack)
            self.event(stack, status, "User Initiated")

    def find(self, name_or_id: str) -> Json | None:
        """A stack by id, or the one by name that has not been deleted."""
        with self._transaction():
            if name_or_id.startswith("arn:"):
                short = self._documents.get(STACKS, name_or_id)
                return None if short is None else self._whole(short)
            for _, short in self._documents.items(STACKS):
                if short["name"] == name_or_id and short["status"] != GONE:
                    return self._whole(short)
        return None

    def get(self, name_or_id: str) -> Json:
        """Raises ValidationError, as AWS does for a stack that is not there."""
        found = self.find(name_or_id)
        if found is None:
            raise AwsError("ValidationError", f"Stack with id {name_or_id} does not exist")
        return found

    def all(self) -> list[Json]:
        """Newest first."""
        with self._transaction():
            return [self._whole(short) for _, short in reversed(self._documents.items(STACKS))]

    def event(
        self, stack: Json, status: str, reason: str | None = None, resource: Json | None = None
    ) -> None:
        """Adds an event of a resource, or of the stack itself."""
        about = resource or {
            "logical_id": stack["name"],
            "physical_id": stack["id"],
            "type": "AWS::CloudFormation::Stack",
        }
        event = {
            "StackId": stack["id"],
            "EventId": str(uuid.uuid4()),
            "StackName": stack["name"],
            "LogicalResourceId": about["logical_id"],
            "PhysicalResourceId": about["physical_id"],
            "ResourceType": about["type"],
            "Timestamp": self.now(),
            "ResourceStatus": status,
        }
        if reason:
            event["ResourceStatusReason"] = reason
        self._documents.put(f"cloudformation-events {stack['id']}", event["EventId"], event)

    def events(self, stack: Json) -> list[Json]:
        """Newest first."""
        kept = self._documents.items(f"cloudformation-events {stack['id']}")
        return [event for _, event in reversed(kept)]

    def change_sets(self, stack: Json) -> list[Json]:
        return [
            change_set
            for _, change_set in self._documents.items(CHANGE_SETS)
            if change_set["stack_id"] == stack["id"]
        ]

    def put_change_set(self, change_set: Json) -> None:
        self._documents.put(CHANGE_SETS, change_set["id"], change_set)

    def delete_change_set(self, change_set: Json) -> None:
        self._documents.delete(CHANGE_SETS, change_set["id"])

    def with_stack(self, operation: str, params: Json) -> Json:
        """The parameters with the stack that a change set's ARN, alone, is of: policies are about
        stacks."""
        name = str(params.get("ChangeSetName", ""))
        if "StackName" in params or not name.startswith("arn:"):
            return params
        try:
            return {**params, "StackName": self.change_set(name, None)["stack_id"]}
        except AwsError:
            return params  # which the operation itself refuses

    def change_set(self, name_or_id: str, stack_name: str | None) -> Json:
        """Raises ChangeSetNotFound."""
        for _, found in self._documents.items(CHANGE_SETS):
            same_stack = stack_name in (None, found["stack_id"], found["stack_name"])
            if name_or_id == found["id"] or (name_or_id == found["name"] and same_stack):
                return found
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name_or_id}] does not exist", 404)
