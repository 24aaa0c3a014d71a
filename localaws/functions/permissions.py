"""Resource policies of functions: who may invoke them."""

from __future__ import annotations

import json
import re

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.functions.functions import LATEST, Functions, split_name
from localaws.identity.caller import Caller
from localaws.shapes import Json
from localaws.wildcards import like

POLICY = "lambda-policy"  # documents: "name" or "name:qualifier" -> {"statements": [...]}
ACCOUNT = re.compile(r"\d{12}")


class Permissions:
    """Statements per function, or per version or alias."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._documents = functions.aws.documents

    def register(self, service: Service) -> None:
        service.operation(
            *("AddPermission", "FunctionName", "StatementId", "Action", "Principal", "SourceArn"),
            *("SourceAccount", "Qualifier"),
        )(self.add)
        service.operation("RemovePermission", "FunctionName", "StatementId", "Qualifier")(
            self.remove
        )
        service.operation("GetPolicy", "FunctionName", "Qualifier")(self.show)

    def _key(self, call: Call) -> tuple[str, str]:
        """(document key, ARN) of the function, version or alias that the call names."""
        name, inner = split_name(call.params["FunctionName"])
        qualifier = call.params.get("Qualifier") or inner
        self._functions.resolve(name, qualifier)
        key = f"{name}:{qualifier}" if qualifier else name
        return key, self._functions.arn(name, qualifier)

    def add(self, call: Call) -> Json:
        """The new statement. ResourceConflictException for an id already there."""
        key, arn = self._key(call)
        params = call.params
        identifier = params["StatementId"]
        statement: Json = {
            "Sid": identifier,
            "Effect": "Allow",
            "Principal": principal_of(params["Principal"]),
            "Action": params["Action"],
            "Resource": arn,
        }
        conditions: Json = {}
        if "SourceArn" in params:
            conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
        if "SourceAccount" in params:
            conditions["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
        if conditions:
            statement["Condition"] = conditions
        with self._documents.transaction():
            statements = self._statements(key)
            if any(other["Sid"] == identifier for other in statements):
                raise AwsError(
                    "ResourceConflictException",
                    f"The statement id ({identifier}) provided already exists. Please provide a"
                    " new statement id, or remove the existing statement.",
                    409,
                )
            self._documents.put(POLICY, key, {"statements": [*statements, statement]})
        return {"Statement": json.dumps(statement)}

    def remove(self, call: Call) -> Json:
        """ResourceNotFoundException for an unknown id."""
        key, _ = self._key(call)
        identifier = call.params["StatementId"]
        with self._documents.transaction():
            statements = self._statements(key)
            kept = [statement for statement in statements if statement["Sid"] != identifier]
            if len(kept) == len(statements):
                raise AwsError(
                    "ResourceNotFoundException",
                    f"Statement {identifier} is not found in resource policy.",
                    404,
                )
            self._documents.put(POLICY, key, {"statements": kept})
        return {}

    def show(self, call: Call) -> Json:
        return {"Policy": self.policy(self._key(call)[0])}

    def policy(self, key: str) -> str:
        """The policy document as JSON text."""
        statements = self._statements(key)
        if not statements:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404
            )
        return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})

    def policy_of(self, arn: str) -> str | None:
        """The policy of the function, version or alias of this ARN; None if there is none."""
        statements = self._statements(arn.split(":", 6)[6]) if arn.count(":") >= 6 else []
        return (
            json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None
        )

    def forget(self, key: str) -> None:
        """Drops the policy."""
        self._documents.delete(POLICY, key)

    def check_invoker(self, caller: Caller, given: str, qualifier: str | None) -> None:
        """Raises AccessDeniedException for a service that the function's policy does not let in.

        A service that calls as itself has no policy of its own, so the function's must allow it:
        https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
        """
        if not caller.is_service:
            return
        name, inner = split_name(given)
        called = qualifier or inner
        key = f"{name}:{called}" if called and called != LATEST else name
        if not self.allows(key, caller.arn, caller.source_arn or "", caller.account):
            raise AwsError(
                "AccessDeniedException",
                f"{caller.arn} is not authorized to perform: lambda:InvokeFunction on resource:"
                f" {self._functions.arn(name, called)} because no resource-based policy allows the"
                " lambda:InvokeFunction action",
                403,
            )

    def allows(self, key: str, service: str, source_arn: str, account: str) -> bool:
        """Whether the AWS service may invoke the function on behalf of `source_arn`."""
        return any(
            statement_allows(statement, service, source_arn, account)
            for statement in self._statements(key)
        )

    def _statements(self, key: str) -> list[Json]:
        document = self._documents.get(POLICY, key)
        return document["statements"] if document else []


def principal_of(given: str) -> str | Json:
    """A Principal element: a service, an account or role, or anyone."""
    if given == "*":
        return "*"
    if ACCOUNT.fullmatch(given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    return {"AWS": given} if given.startswith("arn:") else {"Service": given}


def statement_allows(statement: Json, service: str, source_arn: str, account: str) -> bool:
    """One statement of a policy, for lambda:InvokeFunction."""
    if statement["Action"] not in ("lambda:InvokeFunction", "lambda:*", "*"):
        return False
    if statement["Principal"] not in ("*", {"Service": service}):
        return False
    condition = statement.get("Condition", {})
    pattern = condition.get("ArnLike", {}).get("AWS:SourceArn")
    owner = condition.get("StringEquals", {}).get("AWS:SourceAccount")
    return (pattern is None or arn_like(source_arn, pattern)) and owner in (None, account)


def arn_like(arn: str, pattern: str) -> bool:
    """IAM's ArnLike: `*` and `?` match within each of the six colon-separated parts."""
    have, want = arn.split(":", 5), pattern.split(":", 5)
    return len(have) == len(want) and all(like(h, w) for h, w in zip(have, want, strict=True))
