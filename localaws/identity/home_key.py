"""The key of a home: made with it, and readable by its owner alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

from localaws.identity.caller import root
from localaws.identity.credentials import LONG_TERM, Credential, new_secret, unique_id

NAME = "credentials.json"


def of(file: Path, account: str) -> Credential:
    """The account's root key in `file`, made when it is missing. ValueError for a damaged file."""
    if not file.exists():
        fresh = {"AccessKeyId": unique_id(LONG_TERM), "SecretAccessKey": new_secret()}
        beside = file.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(fresh, out)
        beside.replace(file)
    try:
        kept = json.loads(file.read_text())
        return Credential(kept["AccessKeyId"], kept["SecretAccessKey"], root(account))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file} is damaged ({error!r}); move it away, and a new key is made at the next start."
        ) from error
