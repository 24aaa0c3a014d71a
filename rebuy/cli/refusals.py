"""What IAM refused while an execution went on: told at its end, whatever became of it.

A refusal does not always fail a run, nor name itself: a log that may not be written stays empty,
and S3 answers HeadObject with `Forbidden` alone. The local AWS remembers every refusal; what a role
has lost since it was deployed CloudFormation tells, there as on AWS. A run here that other roles
made than those that deploy proves nothing, so here it is looked for each time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from configuration.connection import Connection
from executions.cause import message
from infrastructure.drift import lost_statements, roles
from localaws.identity.uses import FILE, TELL_SECONDS, refused_between
from rebuy.cli.background import get_json

LATE_SECONDS = 5.0  # a log is written a little after what it tells of
# What AWS's services say of a call that was not allowed.
DENIED = re.compile(r"AccessDenied|not authorized|Forbidden|Unauthorized|Access Denied|\b403\b")


def told(connection: Connection, execution: dict[str, Any]) -> list[str]:
    """Lines about an execution that has ended, as DescribeExecution has it; none where nothing was
    refused or lost. On AWS it is looked for where the cause of a failure speaks of a refusal."""
    home = _home(connection)
    cause = f"{execution.get('error', '')} {message(execution.get('cause'))}"
    if home is None and not DENIED.search(cause):
        return []
    own: dict[str, str] = {}
    try:
        own = roles(connection)
        lost = [one.words for one in lost_statements(connection, own.values())]
    except ClientError as error:
        lost = [f"what the roles have lost could not be looked at: {error}"]
    refused = [] if home is None else [*_refused(own, home / FILE, execution)]
    if refused and not lost:
        lost = ["the roles are as they were deployed: docs/iam.md says where to grant it"]
    return [*refused, *lost]


def _home(connection: Connection) -> Path | None:
    """Of the local AWS; None where it is another one."""
    if not connection.is_local:
        return None
    health = get_json(f"{connection.settings.endpoint_url}/_aws/health")
    return Path(health["home"]) if isinstance(health, dict) and "home" in health else None


def _refused(own: dict[str, str], file: Path, execution: dict[str, Any]) -> Iterator[str]:
    """What the stack's own roles were refused while the execution went on."""
    if not file.exists():
        return
    time.sleep(2 * TELL_SECONDS)  # until the file has the last one
    began = execution.get("redriveDate", execution["startDate"]).timestamp()
    ended = execution["stopDate"].timestamp() + LATE_SECONDS
    for use in refused_between(file, began, ended):
        if own.keys() & {_name(use.principal), _name(use.resource)}:
            who = own.get(_name(use.principal), use.principal)
            yield f"IAM refused {who}: {use.action} on {use.resource}"


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
