"""What whole runs asked of the product's policies: rebuy/validation/recorded_calls.json.

    python -m tests.infrastructure.recorded HOME [HOME ...]

makes it anew from homes of local AWSs in which the product was deployed, run, updated and
destroyed (docs/iam.md says how): for each role each action once for every kind of resource.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from localaws.identity.policy.document import Policy
from localaws.identity.uses import FILE, Use, read
from rebuy.validation import permissions, recorded_calls
from rebuy.validation.product import Product
from rebuy.validation.stack import ACCOUNT
from rebuy.validation.stack import NAME as STACK

CASES = recorded_calls.FILE
ROLE = re.compile(rf"arn:aws:iam::{ACCOUNT}:role/{STACK}-([A-Za-z]+)-[0-9A-F]{{12}}")
SETTINGS = ("kms:", "ec2:", "glue:GetConnection", "secretsmanager:", "application-autoscaling:")
OF_A_DATABASE = (
    ("ReceiveTriggerRole", "glue:StartJobRun"),
    ("ReceiveTriggerRole", "glue:GetJobRuns"),
)
SAME = (  # what differs from one run to the next
    (re.compile(r"demo[-_]\d{8}[-_]\d{6}[-_]\d+"), "one"),
    (re.compile(r"test[-_]\d{10}"), "one"),
    (re.compile(r"/[0-9a-f]{16}/"), "/H/"),
    (re.compile(r"(:release-)[0-9a-f]{16}"), r"\1H"),
    (re.compile(r"(model-package/[^/]+/)\d+"), r"\1N"),
    (re.compile(r"(rebuy--fork-)[0-9-]+"), r"\1N"),
    (re.compile(r"object=o[^\"]*"), "object=O"),
    (re.compile(r'("s3:x-amz-copy-source": )"[^"]*"'), r"\1C"),
    (re.compile(r"-(history|\d{4}-\d\d-\d\d)[^./]*"), "-D"),  # files of days
    (re.compile(r"(/audit/)[^\"]*"), r"\1R"),
    (re.compile(r'("s3:versionid": )"[^"]*"'), r"\1V"),
    (re.compile(r"run=[^/]+"), "run=R"),
    (re.compile(r"(rebuy--(?:[a-z-]+-)?)[a-z0-9-]+-[0-9a-f]{8}(?:-\d)?\b"), r"\1R"),
    (re.compile(r"(rebuy--)[0-9a-f]{8}(?:-\d)?\b"), r"\1R"),
    (re.compile(r"(/athena-results/).*"), r"\1R"),
    (re.compile(r"(log-stream:).*"), r"\1S"),
    (re.compile(r"[^/]*\.parquet\b.*"), "F"),
    (re.compile(r"part-\d[^/]*"), "F"),
    (
        re.compile(
            r"((?:orders|products|prior|history|features|baskets)_)[a-z0-9_]+_[0-9a-f]{8}\b"
        ),
        r"\1R",
    ),
    (re.compile(r"(execution:[^:]+:).*"), r"\1E"),
    (re.compile(r"(user_bucket=)\d+.*"), r"\1B"),
)


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{name}"


def uses() -> dict[str, list[Use]]:
    """Logical name of a role to what was recorded of it."""
    return recorded_calls.read(role_arn)


def policies() -> dict[str, Policy]:
    """Logical name of each role to its policy, as the template has it, with names filled in: of
    the work, not of a key or a network that settings may name."""
    return {name: found[0] for name, found in permissions.policies(Product.load()).items()}


def record(homes: list[Path], recorded: list[list[Any]]) -> None:
    """`recorded`: lines that stay."""
    lines = [json.dumps(one) for one in recorded]
    seen = {_same(line) for line in lines}
    for use, _ in (one for home in homes for one in read(home / FILE)):
        role = ROLE.fullmatch(use.principal)
        if role is None or use.refusal is not None or "test-from-" in use.resource:
            continue  # nobody's, or of a machine that tests have made
        if use.action.startswith(SETTINGS) or (role[1], use.action) in OF_A_DATABASE:
            continue  # of a key, a network, a database or a scaling that settings ask for
        kept = {k: v for k, v in use.keys if k == "aws:calledvia" or not k.startswith("aws:")}
        resource = ROLE.sub(lambda found: role_arn(found[1]), use.resource)
        line = json.dumps([role[1], use.action, resource, kept])
        if (same := _same(line)) not in seen:
            seen.add(same)
            lines.append(line)
    CASES.write_text("[\n" + ",\n".join(f"  {line}" for line in sorted(lines)) + "\n]\n")


def _same(line: str) -> str:
    """The line without what differs from one run to the next."""
    for pattern, to in SAME:
        line = pattern.sub(to, line)
    return line


if __name__ == "__main__":
    add = sys.argv[1:2] == ["--add"]
    record(
        [Path(home) for home in sys.argv[1 + add :]],
        json.loads(CASES.read_text()) if add else [],
    )
