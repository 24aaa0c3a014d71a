"""What checkov would have otherwise, and why it is as it is: beside each resource, as its Metadata.

`python -m tools.checkov_findings` holds these reasons against what checkov (3.3.30) finds in the
template as it is, as deployed without settings, and with every setting that protects.
"""

from __future__ import annotations

from infrastructure.words import Json

_KEY = "under the key that kms_key names; without one under the service's own"
_GLUE = "results lie under the bucket's key; logs in groups that the whole account shares"
# Resource type to (check, why); a name in brackets is one resource.
REASONS: dict[str, dict[str, str]] = {
    "AWS::S3::Bucket": {
        "CKV_AWS_18": "who wrote is in the audit record; data events of CloudTrail say who read",
    },
    "[Site]": {
        "CKV_AWS_53": "closed always; checkov reads no Fn::If",
        "CKV_AWS_55": "closed always; checkov reads no Fn::If",
        "CKV_AWS_54": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_56": "closed unless the page is a website, which everybody may read",
        "CKV_AWS_21": "its files are in the repository and are put again by every deployment",
    },
    "AWS::CloudFront::Distribution": {
        "CKV_AWS_68": "it serves static files; a firewall costs more than they do",
        "CKV_AWS_86": "static files, no account and no cookie: nothing to find out from a log",
        "CKV_AWS_174": "CloudFront's own certificate sets its own minimum; another needs a domain",
    },
    "AWS::Glue::Crawler": {"CKV_AWS_195": _GLUE},
    "AWS::Glue::Job": {"CKV_AWS_195": _GLUE},
    "AWS::Athena::WorkGroup": {
        "CKV_AWS_82": "enforcing would forbid the statements' own locations; the buckets encrypt",
    },
    "AWS::Logs::LogGroup": {"CKV_AWS_158": _KEY},
    "AWS::Lambda::Function": {
        "CKV_AWS_116": "states, rules and schedules that call it have their own; the API answers",
        "CKV_AWS_117": "in the subnets that vpc_subnets names; without, it calls AWS alone, by TLS",
        "CKV_AWS_115": "one run at a time calls it; reserving takes from the account's other work",
        "CKV_AWS_173": "names of resources, no secrets",
    },
    "AWS::SQS::Queue": {"CKV_AWS_27": f"{_KEY} (SSE-SQS)"},
    "AWS::SNS::Topic": {
        "CKV_AWS_26": "under the key that kms_key names; alarms cannot publish to AWS's own"
    },
    "AWS::DynamoDB::Table": {
        "CKV_AWS_119": "names and times of files that wait, no data: under the service's own key",
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
