"""What AWS answers to a request that it cannot tell who sent.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from localaws.errors import AwsError
from localaws.identity.signature import Refused

DOES_NOT_MATCH = "The request signature we calculated does not match the signature you provided."
CHECK = (
    f"{DOES_NOT_MATCH} Check your AWS Secret Access Key and signing method. Consult the service"
    " documentation for details."
)
INVALID_TOKEN = "The security token included in the request is invalid."
PARAMETERS = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential,"
    " X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)

# kind -> (S3's code, status, text), (code of query services, of JSON services, text)
S3: dict[str, tuple[str, int, str]] = {
    "missing": ("AccessDenied", 403, "Access Denied"),
    "unknown-key": (
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "wrong-signature": (
        "SignatureDoesNotMatch",
        403,
        f"{DOES_NOT_MATCH} Check your key and signing method.",
    ),
    "too-late": (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
    "too-early": (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
    "expired-url": ("AccessDenied", 403, "Request has expired"),
    "incomplete-query": ("AuthorizationQueryParametersError", 400, PARAMETERS),
    "not-signed": (
        "AccessDenied",
        403,
        "There were headers present in the request which were not signed",
    ),
    "malformed": ("AuthorizationHeaderMalformed", 400, ""),
    "wrong-region": (
        "AuthorizationHeaderMalformed",
        400,
        "The authorization header is malformed; {}",
    ),
    "wrong-region-of-url": (
        "AuthorizationQueryParametersError",
        400,
        "Error parsing the X-Amz-Credential parameter; {}",
    ),
    "expired-token": ("ExpiredToken", 400, "The provided token has expired."),
    "bad-token": (
        "InvalidToken",
        400,
        "The provided token is malformed or otherwise invalid.",
    ),
    "body": (
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}
OTHERS: dict[str, tuple[str, str, str]] = {
    "missing": (
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    ),
    "unknown-key": ("InvalidClientTokenId", "UnrecognizedClientException", INVALID_TOKEN),
    "bad-token": ("InvalidClientTokenId", "UnrecognizedClientException", INVALID_TOKEN),
    "wrong-signature": ("SignatureDoesNotMatch", "InvalidSignatureException", CHECK),
    "not-signed": ("SignatureDoesNotMatch", "InvalidSignatureException", CHECK),
    "body": ("SignatureDoesNotMatch", "InvalidSignatureException", CHECK),
    "too-late": ("SignatureDoesNotMatch", "InvalidSignatureException", ""),
    "too-early": ("SignatureDoesNotMatch", "InvalidSignatureException", ""),
    "expired-url": ("SignatureDoesNotMatch", "InvalidSignatureException", "Signature expired."),
    "incomplete-query": ("IncompleteSignature", "IncompleteSignatureException", PARAMETERS),
    "malformed": ("IncompleteSignature", "IncompleteSignatureException", ""),
    "wrong-region": (
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "Credential should be scoped to a valid region. ",
    ),
    "wrong-region-of-url": (
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "Credential should be scoped to a valid region. ",
    ),
    "wrong-service": (
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "Credential should be scoped to correct service: '{}'. ",
    ),
    "expired-token": (
        "ExpiredToken",
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
}


def error(refused: Refused, service: str, protocol: str) -> AwsError:
    """The refusal as the service words it. `protocol` is the botocore model's."""
    if service == "s3":
        code, status, text = S3[refused.kind]
        return AwsError(code, text.replace("{}", refused.text) or refused.text, status)
    query, json, text = OTHERS[refused.kind]
    text = text.replace("{}", refused.text) or refused.text
    if protocol == "query":
        status = 400 if refused.kind in ("malformed", "incomplete-query") else 403
        return AwsError(query, text, status)
    return AwsError(json, text, 403 if protocol == "rest-json" else 400)
