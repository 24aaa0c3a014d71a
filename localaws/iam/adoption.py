"""Roles and policies of a home that was made when moto kept them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.core import moto_state
from localaws.identity.store import POLICY, ROLE_KIND, IdentityStore
from localaws.shapes import Json

ADOPTED = ".adopted"


def adopt(file: Path, store: IdentityStore) -> None:
    """Takes them over, once: the file is put aside under another name, not deleted.

    Raises UnreadableState; nothing is changed then.
    """
    if not file.exists():
        return
    states = moto_state.load("iam", file.read_bytes())
    with store.documents.transaction():
        for state in states.values():
            for role in state["roles"].values():
                store.documents.insert(ROLE_KIND, role.name, _role(role, store.account))
            for policy in state["managed_policies"].values():
                arn = f"arn:aws:iam::{store.account}:policy{policy.path}{policy.name}"
                store.documents.insert(POLICY, arn, _policy(policy, arn))
    file.rename(file.with_suffix(ADOPTED))


def _role(role: Any, account: str) -> Json:
    shape = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": f"arn:aws:iam::{account}:role{role.path}{role.name}",
        "CreateDate": _time(role.create_date),
        "AssumeRolePolicyDocument": role.assume_role_policy_document,
        "MaxSessionDuration": int(role.max_session_duration or 3_600),
        "Tags": list(role.tags),
    }
    if role.description:
        shape["Description"] = role.description
    return {
        "shape": shape,
        "inline": dict(role.policies),
        "attached": list(role.managed_policies),
    }


def _policy(policy: Any, arn: str) -> Json:
    shape = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": _time(policy.create_date),
        "UpdateDate": _time(policy.update_date),
        "Tags": list(policy.tags.values()),
    }
    if policy.description:
        shape["Description"] = policy.description
    versions = [
        {
            "VersionId": version.version_id,
            "Document": version.document,
            "CreateDate": _time(version.create_date),
        }
        for version in policy.versions
    ]
    return {"shape": shape, "versions": versions, "next": policy.next_version_num}


def _time(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)
