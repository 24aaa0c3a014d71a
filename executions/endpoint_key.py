"""The key that an endpoint on this machine takes."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path

# For a local endpoint that issues no keys; real ones are never sent to one.
ANY_KEYS = {"aws_access_key_id": "localaws", "aws_secret_access_key": "localaws"}


def local_keys(endpoint_url: str) -> dict[str, str]:
    """The key of the local AWS that answers there, from its home; any key for another server, and
    while nobody answers."""
    return known_keys(endpoint_url) or ANY_KEYS


def known_keys(endpoint_url: str) -> dict[str, str] | None:
    """The same; None while nobody answers, whose key it is then cannot be known."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{endpoint_url.rstrip('/')}/_aws/health", timeout=5) as answer:
            home = Path(json.load(answer)["home"])
        kept = json.loads((home / "credentials.json").read_text())
        return {
            "aws_access_key_id": kept["AccessKeyId"],
            "aws_secret_access_key": kept["SecretAccessKey"],
        }
    except urllib.error.HTTPError as refused:  # another server, or one that is starting
        return None if refused.code >= 500 else ANY_KEYS
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return None
    except (ValueError, KeyError, TypeError):
        return ANY_KEYS
