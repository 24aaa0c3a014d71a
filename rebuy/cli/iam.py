"""`rebuy iam report`: what each role of the local AWS used, may and never used, and was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from configuration.connection import Connection
from configuration.errors import InputError
from configuration.settings import Settings
from localaws.core.home import is_home
from localaws.identity.least_privilege import RoleUse, role_use
from localaws.identity.policy.document import Policy, compile_policy
from localaws.identity.uses import FILE, counts
from rebuy.cli import local


def report(home: Path, only: str | None = None) -> list[RoleUse]:
    """Of every role, or of those whose names have `only` in them.

    Raises InputError where no local AWS runs, or nothing was recorded.
    """
    server = local.find(home)
    file = home / FILE
    if not is_home(home) or server is None:
        raise InputError(f"No local AWS runs on {home}: `rebuy local up` first.")
    if not file.exists():
        raise InputError(
            f"Nothing was asked of policies in {home} yet, or they are off: see"
            " `rebuy local up --policies`."
        )
    uses = counts(file)
    iam = Connection(Settings.model_validate({"endpoint_url": server.url})).client("iam")
    return [
        role_use(arn, policies, uses)
        for arn, policies in _roles(iam)
        if only is None or only in arn.rpartition("/")[2]
    ]


def lines(roles: list[RoleUse]) -> Iterator[str]:
    """The report for people."""
    for role in roles:
        yield role.role.rpartition("/")[2]
        yield f"  used        {_counted(role.used) or 'nothing'}"
        for one in role.unused:
            what = "whole statement" if one.whole else "in statement"
            yield f"  never used  {what} {one.statement} of {one.policy}: {', '.join(one.actions)}"
        for words, count in role.refused.items():
            yield f"  REFUSED     {words}" + (f" ({count} times)" if count > 1 else "")


def as_json(roles: list[RoleUse]) -> str:
    return json.dumps([asdict(role) for role in roles], indent=2)


def _counted(used: Any) -> str:
    return ", ".join(
        action if count == 1 else f"{action} {count}" for action, count in used.items()
    )


def _roles(iam: Any) -> Iterator[tuple[str, list[Policy]]]:
    """ARN and policies of each role, by name."""
    pages = iam.get_paginator("list_roles").paginate()
    for role in (role for page in pages for role in page["Roles"]):
        name = role["RoleName"]
        inline = [
            (policy, iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
            for policy in page["PolicyNames"]
        ]
        attached = [
            (policy["PolicyArn"], _document(iam, policy["PolicyArn"]))
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for policy in page["AttachedPolicies"]
        ]
        yield (
            role["Arn"],
            [compile_policy(title, json.dumps(text)) for title, text in [*inline, *attached]],
        )


def _document(iam: Any, arn: str) -> Any:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    shown = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return shown["PolicyVersion"]["Document"]
