"""Resource policies of the account: which services may write to its log groups.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
"""

from __future__ import annotations

import json
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.logs.errors import MOST_OF_A_PAGE, invalid, limit
from localaws.shapes import Json

KIND = "logs-policy"  # documents: name -> {"document": text, "updated_ms": when}
MOST = 10
MOST_CHARACTERS = 5_120

# What EventBridge's and Step Functions' log delivery may do once a role has set it up: AWS writes
# this statement into the account's policy itself.
# docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
DELIVERY = {
    "Sid": "AWSLogDeliveryWrite20150319",
    "Effect": "Allow",
    "Principal": {"Service": "delivery.logs.amazonaws.com"},
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


class Policies:
    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents
        self._clock = aws.clock

    def register(self, service: Service) -> None:
        service.operation("PutResourcePolicy", "policyName", "policyDocument")(self.put)
        service.operation("DescribeResourcePolicies", "nextToken", "limit")(self.describe)
        service.operation("DeleteResourcePolicy", "policyName")(self.delete)

    def put(self, call: Call) -> Json:
        name, text = call.params.get("policyName"), call.params.get("policyDocument", "")
        if not name:
            raise invalid("A resource policy needs a policyName.")
        if len(text) > MOST_CHARACTERS:
            raise invalid(f"A policy document has at most {MOST_CHARACTERS} characters.")
        try:
            json.loads(text)
        except ValueError as error:
            raise invalid(f"The policy document is no JSON: {error}") from None
        kept = {"document": text, "updated_ms": int(self._clock.now().timestamp() * 1000)}
        with self._documents.transaction():
            names = dict(self._documents.items(KIND))
            if name not in names and len(names) >= MOST:
                raise AwsError("LimitExceededException", "Resource limit exceeded.")
            self._documents.put(KIND, name, kept)
        return {"resourcePolicy": _described(name, kept)}

    def describe(self, call: Call) -> Json:
        found = page(
            ((name, _described(name, kept)) for name, kept in self._documents.items(KIND)),
            call.params.get("nextToken"),
            limit(call.params, MOST_OF_A_PAGE),
            invalid=invalid,
        )
        return {"resourcePolicies": found.items, **found.next("nextToken")}

    def delete(self, call: Call) -> None:
        name = call.params.get("policyName")
        if not name or not self._documents.delete(KIND, name):
            raise AwsError("ResourceNotFoundException", f"Policy with name [{name}] does not exist")

    def in_force(self, arn: str) -> str:
        """All policies as one; they are the account's, of every log group."""
        statements: list[Any] = [DELIVERY]
        for _, kept in self._documents.items(KIND):
            given = json.loads(kept["document"]).get("Statement", [])
            statements += given if isinstance(given, list) else [given]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _described(name: str, kept: Json) -> Json:
    return {
        "policyName": name,
        "policyDocument": kept["document"],
        "lastUpdatedTime": kept["updated_ms"],
    }
