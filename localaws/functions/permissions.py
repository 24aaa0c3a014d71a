"""Resource policies of functions: who may invoke them."""

from __future__ import annotations

import json
import re

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.service import Json

POLICY = "lambda-policy"  # documents: "name" or "name:qualifier" -> {"statements": [...]}
ACCOUNT = re.compile(r"\d{12}")


class Permissions:
    """Statements per function, or per version or alias."""

    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents

    def add(self, key: str, arn: str, params: Json) -> Json:
        """The new statement. ResourceConflictException for an id already there."""
        statements = self._statements(key)
        identifier = params["StatementId"]
        if any(statement["Sid"] == identifier for statement in statements):
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({identifier}) provided already exists. Please provide a new "
                "statement id, or remove the existing statement.",
                409,
            )
        principal = params["Principal"]
        statement: Json = {
            "Sid": identifier,
            "Effect": "Allow",
            "Principal": principal_of(principal),
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
        self._documents.put(POLICY, key, {"statements": [*statements, statement]})
        return statement

    def remove(self, key: str, identifier: str) -> None:
        """ResourceNotFoundException for an unknown id."""
        statements = self._statements(key)
        kept = [statement for statement in statements if statement["Sid"] != identifier]
        if len(kept) == len(statements):
            raise AwsError(
                "ResourceNotFoundException",
                f"Statement {identifier} is not found in resource policy.",
                404,
            )
        self._documents.put(POLICY, key, {"statements": kept})

    def policy(self, key: str) -> str:
        """The policy document as JSON text."""
        statements = self._statements(key)
        if not statements:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404
            )
        return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})

    def forget(self, key: str) -> None:
        """Drops the policy."""
        self._documents.delete(POLICY, key)

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
    return len(have) == len(want) and all(
        re.fullmatch(re.escape(w).replace(r"\*", ".*").replace(r"\?", "."), h)
        for h, w in zip(have, want, strict=True)
    )
