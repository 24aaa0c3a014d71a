"""Roles that a service may take on, for pages that ask for one."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from executions.paging import everything


def roles(iam: Any, service: str) -> list[str]:
    """ARNs of the roles that `service` (`glue`) may take on; none where IAM may not be asked."""
    try:
        found = everything(iam, "list_roles", "Roles", MaxItems=1000)
    except ClientError:
        return []
    principal = f'"{service}.amazonaws.com"'
    return [
        role["Arn"]
        for role in found
        if principal in json.dumps(role.get("AssumeRolePolicyDocument", ""))
    ]
