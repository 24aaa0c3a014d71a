"""The template with its functions worked out, for a stack, an account and a region that stand for
any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

Json = dict[str, Any]
NAME, ACCOUNT, REGION = "rebuy", "000000000000", "us-east-1"
PSEUDO = {
    "AWS::StackName": NAME,
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/1",
    "AWS::NoValue": "",
}
PLACEHOLDER = re.compile(r"\$\{([^!][^}]*)\}")
# Type of resource to its ARN; of others nobody asks.
ARNS = {
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
}
NAMES = (
    *("Name", "BucketName", "FunctionName", "TableName", "QueueName", "TopicName", "RoleName"),
    *("LogGroupName", "StateMachineName", "DatabaseInput"),
)
ARN_IS_REF = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")


class Stack:
    """`parameters` in place of the template's defaults."""

    def __init__(self, template: Json, parameters: Mapping[str, str] | None = None) -> None:
        self.template = template
        self.resources: dict[str, Json] = template["Resources"]
        self._given = dict(parameters or {})
        self._typed: dict[str, dict[str, Json]] = {}

    @cached_property
    def parameters(self) -> dict[str, str]:
        made = {
            name: str(body.get("Default") or f"{name.lower()}")
            for name, body in self.template.get("Parameters", {}).items()
        }
        return {**made, "CodeBucket": f"{NAME}-code-{ACCOUNT}-{REGION}", **self._given}

    def of_type(self, kind: str) -> dict[str, Json]:
        """Logical name to properties, worked out."""
        if kind not in self._typed:
            self._typed[kind] = {
                logical: self.resolve(body.get("Properties", {}))
                for logical, body in self.resources.items()
                if body["Type"] == kind
            }
        return self._typed[kind]

    def machine(self) -> tuple[str, Json]:
        """Logical name and properties of the state machine."""
        ((logical, properties),) = self.of_type("AWS::StepFunctions::StateMachine").items()
        return logical, properties

    def substitutions(self) -> dict[str, str]:
        found: dict[str, str] = self.machine()[1].get("DefinitionSubstitutions", {})
        return {name: str(value) for name, value in found.items()}

    def role_of(self, value: str) -> str | None:
        """The logical name of the role with this ARN."""
        wanted = value.rpartition("/")[2]
        roles = (n for n, body in self.resources.items() if body["Type"] == "AWS::IAM::Role")
        return next((name for name in roles if self.name(name) == wanted), None)

    def function_at(self, arn: str) -> tuple[str, Json] | None:
        """(logical name, properties) of the function with this ARN (a version's, too) or name."""
        wanted = arn.partition(":function:")[2].partition(":")[0] or arn
        for logical, properties in self.of_type("AWS::Lambda::Function").items():
            if properties.get("FunctionName") == wanted:
                return logical, properties
        return None

    def name(self, logical: str) -> str:
        """The physical name: as given, or one that stands for what AWS would make."""
        properties = self.resources[logical].get("Properties", {})
        for member in NAMES:
            if member in properties:
                found = self.resolve(properties[member])
                return str(found["Name"] if isinstance(found, dict) else found)
        return f"{NAME}-{logical}"

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, given),) = value.items()
            rule = FUNCTIONS.get(key)
            if rule is not None:
                return rule(self, given)
        return {key: self.resolve(item) for key, item in value.items()}

    def ref(self, name: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        if name not in self.resources:
            return name
        kind = self.resources[name]["Type"]
        return self.attribute([name, "Arn"]) if kind in ARN_IS_REF else self.name(name)

    def attribute(self, given: Any) -> str:
        logical, member = given if isinstance(given, list) else given.split(".", 1)
        body = self.resources.get(logical, {})
        if body.get("Type") == "Custom::PublishedFunctions":  # an alias of each function
            return f"{self.attribute([member, 'Arn'])}:release"
        if member == "Arn" and body.get("Type") in ARNS:
            return ARNS[body["Type"]].format(self.name(logical))
        return "1.0" if member == "Version" else f"{logical}{member}"

    def sub(self, given: Any) -> str:
        text, names = given if isinstance(given, list) else (given, {})
        values = {name: str(self.resolve(value)) for name, value in names.items()}

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            if name in values:
                return values[name]
            return self.attribute(name) if "." in name else self.ref(name)

        return PLACEHOLDER.sub(filled, text)

    def mapped(self, given: list[Any]) -> Any:
        name, first, second = (self.resolve(part) for part in given)
        return self.template["Mappings"][name][first][second]

    def either(self, given: list[Any]) -> Any:
        """The value when the condition holds: what is deployed at most."""
        return self.resolve(given[1])


FUNCTIONS: dict[str, Any] = {
    "Ref": Stack.ref,
    "Fn::GetAtt": Stack.attribute,
    "Fn::Sub": Stack.sub,
    "Fn::FindInMap": Stack.mapped,
    "Fn::If": Stack.either,
    "Fn::Join": lambda stack, given: given[0].join(map(str, stack.resolve(given[1]))),
}
