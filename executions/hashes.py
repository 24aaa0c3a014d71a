"""SHA-256 in hex, of what a run reads, runs and writes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

CHUNK_BYTES = 8 * 1024 * 1024


def of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def of_document(document: Any) -> str:
    """The hash of JSON without regard to spacing and order of keys."""
    return of_text(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def of_body(body: Any, copy_to: Any = None) -> str:
    """The hash of a streamed S3 body; also writes it to the file `copy_to`."""
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(CHUNK_BYTES):
        digest.update(chunk)
        if copy_to is not None:
            copy_to.write(chunk)
    return digest.hexdigest()
