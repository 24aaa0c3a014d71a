"""Who sent a request: its signature and age are verified against the keys that this home issued."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.utils import get_service_model

from localaws.core import refusals, wire
from localaws.core.streams import Pieces
from localaws.errors import AwsError
from localaws.identity import signature as signatures
from localaws.identity import signature_v2
from localaws.identity.caller import Caller, anonymous, root
from localaws.identity.credentials import Credential
from localaws.identity.signature import EMPTY_SHA256, UNSIGNED, Refused, Sent, Signature
from localaws.identity.store import IdentityStore

STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_TRAILER = f"{STREAMING}-TRAILER"
LONGEST_LINE = 16_384
SMALL_BYTES = 1 << 20
# One home answers for every region of AWS; what cannot be one's name is none.
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-\d")


class Authentication:
    """`accept_any`: a key that is not this home's is the account's root, unverified, and so is who
    signs nothing; keys of this home are verified all the same."""

    def __init__(
        self,
        identity: IdentityStore,
        now: Callable[[], datetime],
        region: str,
        *,
        accept_any: bool,
    ) -> None:
        self._identity = identity
        self._region = region
        self._now = now
        self.accept_any = accept_any

    def caller(self, service: str, request: Request, *, of_page: bool = False) -> Caller:
        """Raises AwsError with the service's code. `of_page`: a page sent it, which is nobody
        unless it has signed, where any key is accepted too."""
        try:
            return self._caller(service, request, self.accept_any and not of_page)
        except Refused as refused:
            raise refusals.error(refused, service, _protocol(service)) from None

    def form(self, fields: Mapping[str, str], *, of_page: bool) -> Caller:
        """Who signed the policy of an S3 form; field names in small letters. Raises AwsError.

        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
        """
        try:
            return self._form(fields, self.accept_any and not of_page)
        except Refused as refused:
            raise refusals.error(refused, "s3", "rest-xml") from None

    def _form(self, fields: Mapping[str, str], accept_any: bool) -> Caller:
        policy = fields.get("policy", "").encode()
        scope = fields.get("x-amz-credential", "").split("/")
        if "awsaccesskeyid" not in fields and "x-amz-credential" in fields:
            self._check_form_scope(scope, fields)
        key = fields.get("awsaccesskeyid") or scope[0]
        credential = self._identity.credential(key)
        if credential is None:
            if accept_any:
                return root(self._identity.account)
            raise Refused("unknown-key" if key else "missing")
        token = fields.get("x-amz-security-token", "")
        if credential.session_token is not None:
            if not hmac.compare_digest(token, credential.session_token):
                raise Refused("bad-token")
            if credential.expires is not None and credential.expires <= self._now():
                raise Refused("expired-token")
        if "awsaccesskeyid" in fields:
            secret = credential.secret_access_key.encode()
            expected = base64.b64encode(hmac.digest(secret, policy, "sha1")).decode()
            given = fields.get("signature", "")
        else:
            signing = _signing_key(credential.secret_access_key, scope[1:])
            expected = hmac.new(signing, policy, "sha256").hexdigest()
            given = fields.get("x-amz-signature", "")
        if not hmac.compare_digest(expected, given):
            raise Refused("wrong-signature")
        return credential.caller

    def _check_form_scope(self, scope: list[str], fields: Mapping[str, str]) -> None:
        """The policy's credential: <key>/<day>/<region>/s3/aws4_request."""
        if fields.get("x-amz-algorithm") != "AWS4-HMAC-SHA256" or len(scope) != 5:
            raise Refused("malformed", "The form's X-Amz-Algorithm or X-Amz-Credential is wrong.")
        _, day, region, service, end = scope
        self._check_region(region, of_url=True)
        if (service, end) != ("s3", "aws4_request"):
            raise Refused("malformed", f"The credential is for {service!r}; expecting 's3'.")
        if day != fields.get("x-amz-date", "")[:8]:
            raise Refused("wrong-signature")

    def _caller(self, service: str, request: Request, accept_any: bool) -> Caller:
        sent = _sent(request)
        account = self._identity.account
        try:
            known = self._known(service, sent)
        except Refused:
            if accept_any:
                return root(account)
            raise
        if known is None:
            return root(account) if accept_any else anonymous(account)
        signature, credential = known
        if isinstance(signature, Signature):
            self._check_scope(signature, service, request)
            self._check_signature(signature, credential, service, request, sent)
        else:
            signature_v2.check(signature, credential, sent, self._now())
        return credential.caller

    def _known(
        self, service: str, sent: Sent
    ) -> tuple[Signature | signature_v2.OldUrl, Credential] | None:
        """How a request is signed, and the credential that it names; None for an unsigned one of
        S3. Raises Refused."""
        signature = signatures.read(sent) or (signature_v2.read(sent) if service == "s3" else None)
        if signature is None:
            if service == "s3":
                return None
            raise Refused("missing")
        credential = self._identity.credential(signature.access_key_id)
        if credential is None:
            raise Refused("unknown-key")
        return signature, credential

    def _check_signature(
        self, signature: Signature, credential: Credential, service: str, request: Request,
        sent: Sent,
    ) -> None:  # fmt: skip
        said = request.headers.get("X-Amz-Content-SHA256")
        if service == "s3":
            hashed = UNSIGNED if signature.presigned else EMPTY_SHA256
            signatures.check(signature, credential, sent, hashed, self._now())
            if said is not None and not signature.presigned:
                _verify_body(request, said, signature, credential)
        else:
            hashed = hashlib.sha256(request.get_data()).hexdigest()
            signatures.check(signature, credential, sent, hashed, self._now())
            if said not in (None, UNSIGNED, hashed):
                raise Refused("wrong-signature")

    def _check_scope(self, signature: Signature, service: str, request: Request) -> None:
        """A signature is for a region of AWS and for the service that is called.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
        """
        self._check_region(signature.region, of_url=signature.presigned)
        named = wire.named_service(request)
        if service != "s3" and named not in (None, service):
            raise Refused("wrong-service", wire.SIGNING_NAMES.get(str(named), str(named)))

    def _check_region(self, region: str, *, of_url: bool) -> None:
        if not REGION.fullmatch(region):
            wrong = f"the region {region!r} is wrong; expecting {self._region!r}"
            raise Refused("wrong-region-of-url" if of_url else "wrong-region", wrong)


def _sent(request: Request) -> Sent:
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if not raw:
        raise Refused("malformed", "The request has no address.")
    if "://" in raw.partition("?")[0]:
        raw = "/" + raw.split("://", 1)[1].partition("/")[2]
    path, _, query = raw.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Sent(request.method, path, query, headers)


def _protocol(service: str) -> str:
    try:
        return str(get_service_model(service).protocol)
    except UnknownServiceError:
        return "query"


def _verify_body(request: Request, said: str, signature: Signature, credential: Credential) -> None:
    """Holds the body to what is signed of it, while it is read."""
    source = request.environ["wsgi.input"]
    length = int(request.environ.get("CONTENT_LENGTH") or 0)
    if said in (STREAMING, STREAMING_TRAILER):
        request.environ["wsgi.input"] = _Chunks(source, _ChunkKey(signature, credential))
    elif len(said) == 64 and length <= SMALL_BYTES:  # larger ones S3 checks as it stores them
        request.environ["wsgi.input"] = _Hashed(source, said.lower(), length)
        if length == 0 and said.lower() != EMPTY_SHA256:
            raise Refused("body")


class _Hashed(io.RawIOBase):
    """A body whose hash must be the signed one once it has been read."""

    def __init__(self, source: Any, expected: str, length: int) -> None:
        self._source, self._expected, self._left = source, expected, length
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(min(len(buffer), self._left)) if self._left else b""
        buffer[: len(data)] = data
        self._hash.update(data)
        self._left -= len(data)
        if data and self._left == 0 and self._hash.hexdigest() != self._expected:
            raise refusals.error(Refused("body"), "s3", "rest-xml")
        return len(data)


def _signing_key(secret: str, scope: Sequence[str]) -> bytes:
    """`scope`: day, region, service and "aws4_request"."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class _ChunkKey:
    """Signs chunk after chunk, each with the signature before it."""

    def __init__(self, signature: Signature, credential: Credential) -> None:
        self._key = _signing_key(credential.secret_access_key, signature.scope.split("/"))
        self._head = f"{signature.time}\n{signature.scope}"
        self._before = signature.value

    def chunk(self, digest: str) -> str:
        return self._next("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY_SHA256}\n{digest}")

    def trailer(self, digest: str) -> str:
        return self._next("AWS4-HMAC-SHA256-TRAILER", digest)

    def _next(self, algorithm: str, rest: str) -> str:
        text = f"{algorithm}\n{self._head}\n{self._before}\n{rest}"
        self._before = hmac.new(self._key, text.encode(), "sha256").hexdigest()
        return self._before


class _Chunks(Pieces):
    """An aws-chunked body, passed on as it is, each chunk's signature verified at its end."""

    def __init__(self, source: Any, key: _ChunkKey) -> None:
        super().__init__(self._lines())
        self._source, self._key = source, key

    def _lines(self) -> Any:
        while True:
            line = self._source.readline(LONGEST_LINE)
            if not line:
                raise _mismatch()
            size_text, _, sign = line.strip().partition(b";chunk-signature=")
            try:
                size = int(size_text, 16)
            except ValueError:
                raise _mismatch() from None
            digest = hashlib.sha256()
            yield line
            left = size
            while left:
                data = self._source.read(min(left, 1 << 20))
                if not data:
                    raise AwsError("IncompleteBody", "The body ends inside a chunk.")
                digest.update(data)
                left -= len(data)
                yield data
            if not hmac.compare_digest(self._key.chunk(digest.hexdigest()), sign.decode("latin-1")):
                raise _mismatch()
            if size == 0:
                break
            yield self._source.read(2)
        yield from self._trailers()

    def _trailers(self) -> Any:
        signed = b""
        while line := self._source.readline(LONGEST_LINE):
            yield line
            text = line.strip()
            if not text:
                return
            name, _, value = text.partition(b":")
            if name == b"x-amz-trailer-signature":
                expected = self._key.trailer(hashlib.sha256(signed).hexdigest())
                if not hmac.compare_digest(expected, value.decode("latin-1")):
                    raise _mismatch()
            else:
                signed += name + b":" + value + b"\n"


def _mismatch() -> AwsError:
    return refusals.error(Refused("wrong-signature"), "s3", "rest-xml")
