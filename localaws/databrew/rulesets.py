"""Data quality rulesets: checks of one dataset, which its profile jobs run."""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import (
    arn,
    conflict,
    created,
    existing,
    invalid,
    modified,
    named,
    not_found,
    page,
)
from localaws.databrew.profile.expressions import RuleError, compile_check
from localaws.shapes import Json

KIND = "databrew-ruleset"
MAXIMUM_RULES = 100
_EXPRESSION = re.compile(r"[<>0-9A-Za-z_.,:)(!= ]{4,1024}")


class Rulesets:
    def __init__(self, aws: LocalAws, datasets: Datasets) -> None:
        self._aws = aws
        self._datasets = datasets

    def register(self, service: Service) -> None:
        service.operation("CreateRuleset", "Name", "Description", "TargetArn", "Rules", "Tags")(
            self.create
        )
        service.operation("UpdateRuleset", "Name", "Description", "Rules")(self.update)
        service.operation("DescribeRuleset", "Name")(lambda call: self.get(call.params["Name"]))
        service.operation("DeleteRuleset", "Name")(self.delete)
        service.operation("ListRulesets", "TargetArn", "MaxResults", "NextToken")(self.list)

    def get(self, name: str) -> Json:
        """The ruleset. Raises ResourceNotFoundException."""
        return existing(self._aws, "Ruleset", name)

    def of_arn(self, given: str, dataset_arn: str) -> Json:
        """The ruleset of a profile job. Raises ValidationException for another dataset's."""
        found = self.get(given.rpartition("/")[2])
        if found["TargetArn"] != dataset_arn:
            raise invalid(f"Ruleset {found['Name']} is of {found['TargetArn']}, not {dataset_arn}.")
        return found

    def create(self, call: Call) -> Json:
        name, given = named("ruleset", call), call.params
        self._datasets.get(given["TargetArn"].rpartition("/")[2])
        document = {
            "Name": name,
            "Description": given.get("Description", ""),
            "TargetArn": given["TargetArn"],
            "Rules": _checked(given["Rules"]),
            "Tags": given.get("Tags", {}),
            "ResourceArn": arn(self._aws, "ruleset", name),
            **created(self._aws, call.caller),
        }
        if not self._aws.documents.insert(KIND, name, document):
            raise conflict(f"Ruleset {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Replaces all rules; the dataset stays."""
        name, given = call.params["Name"], call.params
        with self._aws.documents.changing(KIND, name, not_found("Ruleset", name)) as document:
            document["Rules"] = _checked(given["Rules"])
            document["Description"] = given.get("Description", document["Description"])
            document |= modified(self._aws, call.caller)
        return {"Name": name}

    def delete(self, call: Call) -> Json:
        """Raises ConflictException while a profile job uses it."""
        name = call.params["Name"]
        own = self.get(name)["ResourceArn"]
        for job_name, job in self._aws.documents.items("databrew-job"):
            if any(each["RulesetArn"] == own for each in job.get("ValidationConfigurations", [])):
                raise conflict(f"Ruleset {name} is used by job {job_name}.")
        self._aws.documents.delete(KIND, name)
        return {"Name": name}

    def list(self, call: Call) -> Json:
        wanted = call.params.get("TargetArn")
        found, token = page(
            (
                (name, {"AccountId": self._aws.account, **_listed(ruleset)})
                for name, ruleset in self._aws.documents.items(KIND)
                if wanted in (None, ruleset["TargetArn"])
            ),
            call.params,
        )
        return {"Rulesets": found, **token}


def _listed(ruleset: Json) -> Json:
    shown = {member: value for member, value in ruleset.items() if member != "Rules"}
    return {**shown, "RuleCount": len(ruleset["Rules"])}


def _checked(rules: list[Json]) -> list[Json]:
    """Raises ValidationException naming the rule that cannot be read."""
    if not 1 <= len(rules) <= MAXIMUM_RULES:
        raise invalid(f"A ruleset has 1 to {MAXIMUM_RULES} rules, not {len(rules)}.")
    names = [rule["Name"] for rule in rules]
    if len(set(names)) < len(names):
        raise invalid("Two rules of the ruleset have the same name.")
    for rule in rules:
        expression = rule["CheckExpression"]
        if not _EXPRESSION.fullmatch(expression):
            raise invalid(
                f"Rule {rule['Name']}: CheckExpression has 4 to 1024 of letters, digits and"
                " <>_.,:)(!= and blanks; columns and values stand in the SubstitutionMap."
            )
        selected = "column" if rule.get("ColumnSelectors") else None
        try:
            check = compile_check(
                expression, rule.get("SubstitutionMap", {}), "sample", None, selected
            )
        except RuleError as error:
            raise invalid(f"Rule {rule['Name']}: {error}") from error
        if check.aggregate and "Threshold" in rule:
            raise invalid(f"Rule {rule['Name']}: only checks of rows have a Threshold.")
    return rules
