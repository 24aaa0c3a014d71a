"""Signature Version 4, as a server checks it: who signed, with what, when, and whether it is true.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
botocore's own signer computes the signature anew, over the request as it came in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.identity.credentials import Credential

SKEW = timedelta(minutes=15)
LONGEST_SECONDS = 604_800
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
TIME = "%Y%m%dT%H%M%SZ"
_SCOPE = re.compile(
    r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request"
)
_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date")
_QUERY_ALL = (*_QUERY, "X-Amz-SignedHeaders", "X-Amz-Expires")


class Refused(Exception):
    """`kind` is one of the rows of `localaws.core.refusals`; the text says more where AWS does."""

    def __init__(self, kind: str, text: str = "") -> None:
        super().__init__(text or kind)
        self.kind = kind
        self.text = text


@dataclass(frozen=True)
class Sent:
    """A request as it came in: path and query as they were sent, encoded; headers by their names
    in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signature:
    """What a request says of its signature. `expires_seconds` only of a pre-signed URL."""

    access_key_id: str
    region: str
    service: str
    day: str
    time: str
    names: tuple[str, ...]  # of the signed headers
    value: str
    token: str | None
    expires_seconds: int | None = None

    @property
    def presigned(self) -> bool:
        return self.expires_seconds is not None

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def read(sent: Sent) -> Signature | None:
    """The request's signature; None for an unsigned request. Raises Refused "malformed"."""
    query = dict(parse_qsl(sent.query, keep_blank_values=True))
    if any(name in query for name in _QUERY):
        if not all(name in query for name in _QUERY_ALL):
            raise Refused("incomplete-query")
        return _signature(
            query["X-Amz-Credential"],
            query["X-Amz-SignedHeaders"],
            query["X-Amz-Signature"],
            query["X-Amz-Date"],
            query.get("X-Amz-Security-Token"),
            query["X-Amz-Expires"],
        )
    authorization = sent.headers.get("authorization")
    if authorization is None:
        return None
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != "AWS4-HMAC-SHA256" or not {"Credential", "SignedHeaders", "Signature"} <= set(
        parts
    ):
        raise Refused("malformed", "Authorization header requires AWS4-HMAC-SHA256 with Credential,"
                      " SignedHeaders and Signature.")  # fmt: skip
    time = sent.headers.get("x-amz-date", "")
    token = sent.headers.get("x-amz-security-token")
    return _signature(parts["Credential"], parts["SignedHeaders"], parts["Signature"], time, token)


def _signature(
    credential: str, names: str, value: str, time: str, token: str | None, expires: str = ""
) -> Signature:
    scope = _SCOPE.fullmatch(credential)
    if scope is None:
        raise Refused("malformed", f"The credential {credential!r} is malformed.")
    try:
        datetime.strptime(time, TIME)
        seconds = int(expires) if expires else None
    except ValueError:
        raise Refused(
            "malformed", f"Date must be in ISO-8601 'basic format'. Got '{time}'."
        ) from None
    if seconds is not None and not 1 <= seconds <= LONGEST_SECONDS:
        raise Refused("malformed", f"X-Amz-Expires must be from 1 to {LONGEST_SECONDS} seconds.")
    return Signature(
        access_key_id=scope["key"],
        region=scope["region"],
        service=scope["service"].lower(),
        day=scope["day"],
        time=time,
        names=tuple(names.split(";")),
        value=value,
        token=token,
        expires_seconds=seconds,
    )


def check(
    signature: Signature, credential: Credential, sent: Sent, payload_hash: str, now: datetime
) -> None:
    """Raises Refused unless the credential has signed this request, in time.

    `payload_hash`: the hash of the body, where no X-Amz-Content-SHA256 says it.
    """
    if credential.session_token is not None:
        if signature.token is None:
            raise Refused("unknown-key")
        if not hmac.compare_digest(signature.token, credential.session_token):
            raise Refused("bad-token")
        if credential.expires is not None and credential.expires <= now:
            raise Refused("expired-token")
    _check_time(signature, now)
    if "host" not in signature.names:
        raise Refused("wrong-signature")
    if signature.service == "s3":
        _check_all_signed(signature, sent)
    computed = _Verifier.of(signature, credential, payload_hash, sent.headers).value(
        signature, sent
    )
    if not hmac.compare_digest(computed, signature.value):
        raise Refused("wrong-signature")


def _check_time(signature: Signature, now: datetime) -> None:
    made = datetime.strptime(signature.time, TIME).replace(tzinfo=UTC)
    if signature.day != signature.time[:8]:
        raise Refused("wrong-signature")
    if made - now > SKEW:
        raise Refused("too-early", _early(made, now))
    if signature.expires_seconds is not None:
        if now > made + timedelta(seconds=signature.expires_seconds):
            raise Refused("expired-url")
    elif now - made > SKEW:
        raise Refused("too-late", _late(made, now))


def _late(made: datetime, now: datetime) -> str:
    return (
        f"Signature expired: {made:{TIME}} is now earlier than {now - SKEW:{TIME}}"
        f" ({now:{TIME}} - 15 min.)"
    )


def _early(made: datetime, now: datetime) -> str:
    return (
        f"Signature not yet current: {made:{TIME}} is still later than {now + SKEW:{TIME}}"
        f" ({now:{TIME}} + 15 min.)"
    )


def _check_all_signed(signature: Signature, sent: Sent) -> None:
    """S3 wants every x-amz- header that is sent to be signed."""
    loose = [
        name for name in sent.headers if name.startswith("x-amz-") and name not in signature.names
    ]
    if loose:
        raise Refused("not-signed", ", ".join(loose))


class _Verifier(SigV4Auth):
    """botocore's signer, held to the headers that the client signed."""

    names: tuple[str, ...] = ()
    payload_hash = EMPTY_SHA256
    raw: Mapping[str, str]

    @staticmethod
    def of(
        signature: Signature, credential: Credential, payload_hash: str, raw: Mapping[str, str]
    ) -> _Verifier:
        kind = _S3Verifier if signature.service == "s3" else _Verifier
        keys = Credentials(credential.access_key_id, credential.secret_access_key)
        verifier = kind(keys, signature.service, signature.region)
        verifier.names, verifier.payload_hash, verifier.raw = signature.names, payload_hash, raw
        return verifier

    def value(self, signature: Signature, sent: Sent) -> str:
        """The signature that the request should have."""
        query = "&".join(
            pair
            for pair in sent.query.split("&")
            if pair and pair.partition("=")[0] != "X-Amz-Signature"
        )
        url = f"http://local{sent.path}" + (f"?{query}" if query else "")
        request = AWSRequest(method=sent.method, url=url, headers=dict(sent.headers))
        request.context["timestamp"] = signature.time
        text = self.string_to_sign(request, self.canonical_request(request))
        return str(self.signature(text, request))

    def headers_to_sign(self, request: Any) -> HTTPMessage:
        signed = HTTPMessage()
        for name in self.names:
            signed[name] = self.raw.get(name, "")
        return signed

    def payload(self, request: Any) -> str:
        return self.payload_hash


class _S3Verifier(_Verifier, S3SigV4Auth):
    """The path as it was sent, not normalised."""
