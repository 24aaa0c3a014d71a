"""The policies that AWS manages: moto's package carries their documents."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache

from localaws.documents import Documents
from localaws.shapes import Json

PREFIX = "arn:aws:iam::aws:policy"


@cache
def policies() -> dict[str, Json]:
    """ARN to {"shape", "versions"}, as policies of one's own are kept. Read at first use: the
    data is 1,500 documents."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return dict(_policy(name, data) for name, data in json.loads(aws_managed_policies_data).items())


def document(documents: Documents, kind: str, arn: str) -> str | None:
    """The default version's text of a managed policy, of AWS or of our own (kept in `documents`
    under `kind`); None if there is none."""
    kept = policies().get(arn) if arn.startswith(PREFIX) else documents.get(kind, arn)
    if kept is None:
        return None
    default = kept["shape"]["DefaultVersionId"]
    texts = (v["Document"] for v in kept["versions"] if v["VersionId"] == default)
    return next(texts, None)


def _policy(name: str, data: Json) -> tuple[str, Json]:
    arn = f"{PREFIX}{data['Path']}{name}"
    version, updated = data["DefaultVersionId"], datetime.fromisoformat(data["UpdateDate"])
    shape = {
        "PolicyName": name,
        "PolicyId": "ANPA" + "".join(c for c in name.upper() if c.isalpha())[:17].ljust(17, "A"),
        "Arn": arn,
        "Path": data["Path"],
        "DefaultVersionId": version,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": datetime.fromisoformat(data["CreateDate"]),
        "UpdateDate": updated,
        "Tags": [],
    }
    text = json.dumps(data["Document"])
    return arn, {
        "shape": shape,
        "versions": [{"VersionId": version, "Document": text, "CreateDate": updated}],
    }
