"""A release: the code of a deployment, by names that are its version of the workflow's alone.

Functions have the alias `release-<id>`, scripts lie at `releases/<id>/<file>` in the bucket of the
packages, and the version's definition names both. What was amended there since is in
`releases/<id>/amendments.json`: {"amendments": [{at, execution, from_release, changes: [{what,
before, after}]}]}, oldest first; `before` and `after` are the SHA-256 of a file, or of a function's
package.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

FOLDER = "releases/"
_NAMED = re.compile(rf"(?:{FOLDER}|:release-)([0-9a-f]{{16}})\b")
_AMENDMENTS = "amendments.json"


@dataclass(frozen=True)
class Release:
    """Where a release's scripts lie: the bucket, and the 16 hex digits that are its name."""

    bucket: str
    id: str

    @property
    def alias(self) -> str:
        """The alias that each of its functions has."""
        return f"release-{self.id}"

    @property
    def amendments_key(self) -> str:
        return self.key(_AMENDMENTS)

    def key(self, name: str) -> str:
        """Of one of its files."""
        return f"{FOLDER}{self.id}/{name}"


def of_definition(text: str, bucket: str) -> Release | None:
    """The release that a deployed definition names; None: a workflow that has none. `bucket` is
    that of the packages."""
    found = next(_NAMED.finditer(text), None)
    return Release(bucket, found[1]) if found else None


def amendments(s3: Any, release: Release) -> list[Json]:
    """What was amended of a release, oldest first; mostly nothing. The bucket may be missing.

    Listed first: whoever may not list is told of a missing object that it is forbidden.
    """
    place = {"Bucket": release.bucket, "Prefix": release.amendments_key}
    try:
        if not s3.list_objects_v2(**place).get("Contents"):
            return []
    except s3.exceptions.NoSuchBucket:
        return []
    answer = s3.get_object(Bucket=release.bucket, Key=release.amendments_key)
    found: list[Json] = json.loads(answer["Body"].read())["amendments"]
    return found
