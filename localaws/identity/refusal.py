"""A denied call in the words of its service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html; what services say
otherwise was read from what they answered to others.
"""

from __future__ import annotations

from localaws.errors import AwsError
from localaws.identity.policy.evaluation import BOUNDARY, TRUST, Decision

FORBIDDEN = 403
# Codes and statuses; every other service answers AccessDeniedException 400.
CODES = {
    # GUESSED: the error's name and status of a denied call of sqs (JSON) and of REST-JSON services.
    "s3": ("AccessDenied", FORBIDDEN),
    "iam": ("AccessDenied", FORBIDDEN),
    "sts": ("AccessDenied", FORBIDDEN),
    "cloudformation": ("AccessDenied", FORBIDDEN),
    "cloudwatch": ("AccessDenied", FORBIDDEN),
    "sns": ("AuthorizationError", FORBIDDEN),
    "sqs": ("AccessDenied", FORBIDDEN),
    "lambda": ("AccessDeniedException", FORBIDDEN),
    "scheduler": ("AccessDeniedException", FORBIDDEN),
    "databrew": ("AccessDeniedException", FORBIDDEN),
    "apigatewayv2": ("AccessDeniedException", FORBIDDEN),
    "sagemaker-runtime": ("AccessDeniedException", FORBIDDEN),
}
ATHENA = (
    "You are not authorized to perform: {action} on the resource. After your AWS administrator or"
    " you have updated your permissions, please try again."
)


def refused(service: str, who: str, action: str, resource: str, decision: Decision) -> AwsError:
    """The error of the service (botocore's name). `who` is the caller's ARN, "" for nobody."""
    code, status = CODES.get(service, ("AccessDeniedException", 400))
    if service == "s3" and not who:
        return AwsError(code, "Access Denied", status)
    if service == "athena" and action.startswith("athena:"):
        return AwsError(code, ATHENA.format(action=action), status)
    return AwsError(code, words(service, who, action, resource, decision), status)


def words(service: str, who: str, action: str, resource: str, decision: Decision) -> str:
    """`User: ARN is not authorized to perform: ACTION on resource: ARN because ...`."""
    shown = f'"{resource}"' if service == "s3" else resource
    where = "" if resource == "*" else f" on resource: {shown}"
    subject = f"User: {who}" if who.startswith("arn:") else who or "User: anonymous"
    return f"{subject} is not authorized to perform: {action}{where} {reason(action, decision)}"


def reason(action: str, decision: Decision) -> str:
    if decision.explicit:
        kind = decision.kind if decision.kind == BOUNDARY else f"{decision.kind} policy"
        article = "the" if decision.kind == TRUST else "an" if kind[0] in "aeiou" else "a"
        return f"with an explicit deny in {article} {kind}"
    allows = "permissions boundary" if decision.kind == BOUNDARY else f"{decision.kind} policy"
    return f"because no {allows} allows the {action} action"
