"""Pre-signed URLs of Signature Version 2, which boto3 still makes for S3 where nobody asks for
another version.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1Auth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from localaws.identity.credentials import Credential
from localaws.identity.signature import Refused, Sent

_SIGNED = ("content-md5", "content-type")
_OWN = ("AWSAccessKeyId", "Signature", "Expires")


@dataclass(frozen=True)
class OldUrl:
    """What such a URL says; `expires` are seconds since 1970."""

    access_key_id: str
    value: str
    expires: int
    token: str | None


def read(sent: Sent) -> OldUrl | None:
    """None for a request that is none. Raises Refused."""
    query = dict(parse_qsl(sent.query, keep_blank_values=True))
    if not all(name in query for name in _OWN):
        return None
    if not query["Expires"].isdecimal():
        raise Refused(
            "malformed", f"Invalid date (should be seconds since epoch): {query['Expires']}"
        )
    return OldUrl(
        query["AWSAccessKeyId"],
        query["Signature"],
        int(query["Expires"]),
        query.get("x-amz-security-token"),
    )


class _Verifier(HmacV1Auth):
    """botocore's signer, held to the expiry that the URL says."""

    expires = 0

    def _get_date(self) -> str:
        return str(self.expires)


def check(url: OldUrl, credential: Credential, sent: Sent, now: datetime) -> None:
    """Raises Refused unless the credential has signed this URL, and it is good still."""
    if credential.session_token is not None:
        if not hmac.compare_digest(url.token or "", credential.session_token):
            raise Refused("bad-token")
        if credential.expires is not None and credential.expires <= now:
            raise Refused("expired-token")
    if now.timestamp() > url.expires:
        raise Refused("expired-url")
    headers = HTTPHeaders()
    query = parse_qsl(sent.query, keep_blank_values=True)
    for name, value in (*sent.headers.items(), *query):
        if name.startswith("x-amz-") or name in _SIGNED:
            headers[name] = value
    keys = Credentials(credential.access_key_id, credential.secret_access_key)
    signer = _Verifier(keys)
    signer.expires = url.expires
    split = urlsplit(f"http://local{sent.path}" + (f"?{sent.query}" if sent.query else ""))
    text = signer.canonical_string(sent.method, split, headers)
    if not hmac.compare_digest(signer.sign_string(text), url.value):
        raise Refused("wrong-signature")
