"""What checkov finds in the template, held against what is explained beside each resource.

`python -m venv /tmp/checkov`, there `pip install checkov==3.3.30` (its pins are not ours), then
`python -m tools.checkov_findings /tmp/checkov/bin/checkov [--write]`. checkov reads no Fn::If, so
the template is shown to it as it is, with the choices of no setting, and with those of every
setting that protects. Ends with 1 where a finding has no reason or a reason no finding. `--write`
records the findings where the tests read them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from configuration.settings import Settings
from infrastructure import packages, resolved, template
from infrastructure.requests import stack_parameters
from infrastructure.template.explained import REASONS

RECORDED = Path("tests/infrastructure/checkov_findings.json")
PROTECTED = Settings(
    site="cloudfront",
    api_authorizer="jwt",
    jwt_issuer="https://issuer.example/",
    jwt_audience="rebuy",
    api_concurrency=5,
    keep_runs_days=30,
    permissions_boundary="arn:aws:iam::111122223333:policy/boundary",
    kms_key="arn:aws:kms:us-east-1:111122223333:key/1",
    vpc_subnets=("subnet-1", "subnet-2"),
    vpc_security_groups=("sg-1",),
    vpc_availability_zone="us-east-1a",
    notification_email="operator@example.org",
    endpoint_instances_min=2,
    endpoint_instances_max=3,
    endpoint_canary_percent=10,
    capture_percent=10,
)
SETTINGS = {"as it is": None, "without settings": Settings(), "protected": PROTECTED}
Json = dict[str, Any]


def shown(settings: Settings | None) -> Json:
    """The template without reasons and, for settings, with its choices made; references stay."""
    whole = template.template()
    if settings is None:
        return whole | {
            "Resources": {name: one | {"Metadata": {}} for name, one in whole["Resources"].items()}
        }
    values = stack_parameters(settings, "code", packages.build())
    conditions = whole["Conditions"]
    nothing = {"Ref": "AWS::NoValue"}

    def made(value: Any) -> Any:
        if isinstance(value, list):
            return [one for one in map(made, value) if one != nothing]
        if not isinstance(value, dict) or value == nothing:
            return value
        if "Fn::If" in value:
            condition, then, otherwise = value["Fn::If"]
            return made(then if holds(condition) else otherwise)
        members = {key: made(one) for key, one in value.items()}
        return {key: one for key, one in members.items() if one != nothing}

    def holds(condition: str) -> bool:
        return resolved.holds({"Condition": condition}, values, conditions)

    resources = {
        name: made({key: v for key, v in one.items() if key not in ("Condition", "Metadata")})
        for name, one in whole["Resources"].items()
        if "Condition" not in one or holds(one["Condition"])
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def findings(checkov: str, settings: Settings | None) -> dict[str, list[str]]:
    """Check to the resources, `Type.Name`, that fail it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "template.json")
        file.write_text(json.dumps(shown(settings)))
        command = [checkov, "-f", str(file), "--framework", "cloudformation", "-o", "json"]
        done = subprocess.run([*command, "--quiet", "--soft-fail"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    found: dict[str, list[str]] = {}
    for one in report["results"]["failed_checks"]:
        found.setdefault(one["check_id"], []).append(one["resource"])
    return {check: sorted(names) for check, names in sorted(found.items())}


def unexplained(found: dict[str, list[str]]) -> set[tuple[str, str]]:
    """(check, resource) of the findings without a reason."""
    return {
        (check, resource)
        for check, resources in found.items()
        for resource in resources
        for kind, name in [resource.split(".")]
        if check not in REASONS.get(kind, {}) | REASONS.get(f"[{name}]", {})
    }


def unfounded(found: list[dict[str, list[str]]]) -> set[tuple[str, str]]:
    """(check, type or `[name]`) of the reasons that answer no finding."""
    answered = {
        (check, where)
        for one in found
        for check, resources in one.items()
        for resource in resources
        for kind, name in [resource.split(".")]
        for where in (kind, f"[{name}]")
    }
    return {(check, where) for where, checks in REASONS.items() for check in checks} - answered


def main(checkov: str, *more: str) -> int:
    found = {name: findings(checkov, settings) for name, settings in SETTINGS.items()}
    if "--write" in more:
        types = sorted({one["Type"] for one in template.template()["Resources"].values()})
        RECORDED.write_text(json.dumps({"types": types, "findings": found}, indent=1) + "\n")
    wrong = [f"{name}: {one} is not explained" for name, one in told(found)]
    wrong += [f"{one} answers no finding" for one in sorted(unfounded(list(found.values())))]
    print("\n".join(wrong) or "Every finding is explained.")
    return 1 if wrong else 0


def told(found: dict[str, dict[str, list[str]]]) -> list[tuple[str, tuple[str, str]]]:
    return [(name, one) for name, checks in found.items() for one in sorted(unexplained(checks))]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
