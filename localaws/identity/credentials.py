"""Keys: what a caller signs with, made by this home and known to it alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from localaws.identity.caller import Caller

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: kinds of unique ids.
USER, ROLE, POLICY = "AIDA", "AROA", "ANPA"
LONG_TERM, TEMPORARY = "AKIA", "ASIA"


@dataclass(frozen=True)
class Credential:
    """An access key and whose it is. `token` and `expires` only of temporary ones."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    caller: Caller
    session_token: str | None = field(default=None, repr=False)
    expires: datetime | None = None


def unique_id(prefix: str) -> str:
    """A new id such as `AROA` and 17 letters (entities), 16 (access keys)."""
    length = 16 if prefix in (LONG_TERM, TEMPORARY) else 17
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_secret() -> str:
    """40 letters, as AWS's secret keys have."""
    return secrets.token_urlsafe(30).replace("-", "+").replace("_", "/")


def new_token() -> str:
    return secrets.token_urlsafe(96)
