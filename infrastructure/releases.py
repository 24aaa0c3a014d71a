"""The release of a deployment: its name, and the packages that lie under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from configuration.connection import Connection
from executions import hashes
from executions.releases import FOLDER, Release, amendments
from infrastructure.packages import Package

# Files that a version of the workflow reads when a state begins. Not the endpoint's code: models
# that are live name it, and outlive the version that made them.
FILES = {"script": "join_features.py", "training": "training.tar.gz"}


def named(connection: Connection, bucket: str, content: Any) -> Release:
    """The release of this content (parameters, template). One that was amended is no longer what
    its content says, so the same content is another release then."""
    release = Release(bucket, hashes.of_document(content)[:16])
    while amendments(connection.client("s3"), release):
        release = Release(bucket, hashes.of_text(release.id)[:16])
    return release


def placed(built: Sequence[Package], release: Release) -> list[Package]:
    """The packages, those of FILES below the release."""
    folder = f"{FOLDER}{release.id}"
    return [
        replace(package, folder=folder) if package.name in FILES.values() else package
        for package in built
    ]
