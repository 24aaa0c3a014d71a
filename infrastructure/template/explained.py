"""What checkov would have otherwise, and why it is as it is: beside each resource, as its Metadata.

`python -m infrastructure.template > template.json`, then `checkov -f template.json` (3.3.30; from
an environment of its own) finds nothing that is not explained here.
"""

from __future__ import annotations

from infrastructure.words import Json

_KEY = "encrypted by the service's own key; a customer's key costs a month and a call"
# Resource type to (check, why); a name in brackets is one resource.
REASONS: dict[str, dict[str, str]] = {
    "AWS::S3::Bucket": {
        "CKV_AWS_18": "who wrote is in the audit record; data events of CloudTrail say who read",
    },
    "[Site]": {
        "CKV_AWS_53": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_54": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_55": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_56": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_21": "its files are in the repository and are put again by every deployment",
    },
    "AWS::CloudFront::Distribution": {
        "CKV_AWS_68": "it serves static files; a firewall costs more than they do",
        "CKV_AWS_86": "static files, no account and no cookie: nothing to find out from a log",
        "CKV_AWS_174": "CloudFront's own certificate sets its own minimum; another needs a domain",
    },
    "AWS::Glue::Crawler": {"CKV_AWS_195": f"logs and results are {_KEY}"},
    "AWS::Glue::Job": {"CKV_AWS_195": f"logs and results are {_KEY}"},
    "AWS::Athena::WorkGroup": {
        "CKV_AWS_82": "enforcing would forbid the statements' own locations; the buckets encrypt",
    },
    "AWS::Logs::LogGroup": {"CKV_AWS_158": _KEY},
    "AWS::Lambda::Function": {
        "CKV_AWS_116": "states, rules and schedules that call it have their own; the API answers",
        "CKV_AWS_117": "it calls AWS alone, by TLS and its role; a VPC adds endpoints, not safety",
        "CKV_AWS_115": "one run at a time calls it; reserving takes from the account's other work",
        "CKV_AWS_173": "names of resources, no secrets",
    },
    "AWS::SQS::Queue": {"CKV_AWS_27": f"{_KEY}, which EventBridge could not use"},
    "AWS::SNS::Topic": {"CKV_AWS_26": "no data in it; alarms could not publish to AWS's own key"},
    "AWS::DynamoDB::Table": {
        "CKV_AWS_119": _KEY,
        "CKV_AWS_28": "one item about a pending upload; a new table begins as a new stack does",
    },
}


def explained(resources: Json) -> Json:
    """The resources, each with the reasons for what it is not."""
    return {
        name: one | ({"Metadata": {"checkov": {"skip": skips}}} if skips else {})
        for name, one in resources.items()
        for skips in [_skips(name, one["Type"])]
    }


def _skips(name: str, kind: str) -> list[Json]:
    reasons = REASONS.get(kind, {}) | REASONS.get(f"[{name}]", {})
    return [{"id": check, "comment": why} for check, why in reasons.items()]
