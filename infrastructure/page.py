"""The page's files, with the address of the API that it asks."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path
from typing import Any

from infrastructure.stack import Say

SITE = Path(__file__).resolve().parent.parent / "site"


def publish(s3: Any, outputs: dict[str, str], say: Say) -> None:
    """Uploads the page, and config.json with the API's address, which the page reads."""
    if "SiteBucket" not in outputs:
        return
    say("upload the site")
    files = {
        file.relative_to(SITE).as_posix(): file.read_bytes()
        for file in sorted(SITE.rglob("*"))
        if file.is_file()
    }
    files["config.json"] = json.dumps({"apiUrl": outputs["ApiUrl"]}).encode()
    for name, body in files.items():
        s3.put_object(
            Bucket=outputs["SiteBucket"],
            Key=name,
            Body=body,
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl="no-cache",
        )
