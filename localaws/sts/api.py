"""STS: GetCallerIdentity, AssumeRole, GetSessionToken."""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.identity import caller as callers
from localaws.identity import managed
from localaws.identity.authorization import Authorizer, Mode
from localaws.identity.credentials import Credential
from localaws.identity.policy.conditions import PolicyError
from localaws.identity.policy.document import compile_policy
from localaws.identity.store import POLICY, ROLE_KIND, IdentityStore
from localaws.shapes import Json

SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
SHORTEST_SECONDS = 900
CHAINED_SECONDS = 3_600  # the most that a role's session may ask for another role's
TOKEN_SECONDS, LONGEST_TOKEN_SECONDS = 43_200, 129_600


def service(aws: LocalAws) -> Service:
    """STS over the home's identity store."""
    sts = Service("sts")
    tokens = Tokens(aws.identity, aws.authorize)
    sts.operation("GetCallerIdentity")(tokens.caller_identity)
    sts.operation(
        *("AssumeRole", "RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "PolicyArns"),
    )(tokens.assume_role)
    sts.operation("GetSessionToken", "DurationSeconds")(tokens.session_token)
    sts.operation("GetAccessKeyInfo", "AccessKeyId")(tokens.key_info)
    return sts


class Tokens:
    def __init__(self, store: IdentityStore, authorize: Authorizer) -> None:
        self._store = store
        self._authorize = authorize

    def caller_identity(self, call: Call) -> Json:
        return {
            "UserId": self._store.user_id(call.caller),
            "Account": call.caller.account,
            "Arn": call.caller.arn,
        }

    def assume_role(self, call: Call) -> Json:
        """A session of the role, if its trust policy allows it."""
        arn, name = call.params["RoleArn"], call.params["RoleSessionName"]
        if not SESSION_NAME.fullmatch(name):
            raise _invalid(
                "roleSessionName", name, "satisfy regular expression pattern: [\\w+=,.@-]*"
            )
        role = self._store.documents.get(ROLE_KIND, arn.rpartition("/")[2])
        known = role is not None and role["shape"]["Arn"] == arn
        enforced = self._authorize.mode is Mode.ENFORCE
        if (
            role is None
            or not known
            or (enforced and not self._authorize.may_assume(call.caller, arn).allowed)
        ):
            # AWS tells nobody which roles there are.
            raise AwsError(
                "AccessDenied",
                f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource:"
                f" {arn}",
                403,
            )
        longest = role["shape"]["MaxSessionDuration"]
        seconds = call.params.get("DurationSeconds", 3_600)
        _check_seconds(seconds, 43_200)
        if seconds > longest:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        if call.caller.session_name is not None and seconds > CHAINED_SECONDS:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed"
                " by role chaining",
            )
        session = callers.role_session(arn, name, policies=self._session_policies(call.params))
        return {
            "Credentials": shape(self._store.open_session(session, seconds)),
            "AssumedRoleUser": {"AssumedRoleId": self._store.user_id(session), "Arn": session.arn},
        }

    def _session_policies(self, params: Json) -> tuple[str, ...] | None:
        """The documents that narrow the session; None without any. MalformedPolicyDocument."""
        if "Policy" not in params and not params.get("PolicyArns"):
            return None
        texts = [params["Policy"]] if "Policy" in params else []
        for one in params.get("PolicyArns", []):
            text = managed.document(self._store.documents, POLICY, one["arn"])
            if text is None:
                raise AwsError(
                    "MalformedPolicyDocument", f"The policy {one['arn']} cannot be found."
                )
            texts.append(text)
        for text in texts:
            try:
                compile_policy("session", text)
            except PolicyError as error:
                raise AwsError("MalformedPolicyDocument", str(error)) from error
        return tuple(texts)

    def session_token(self, call: Call) -> Json:
        """Temporary keys of the caller. AccessDenied for one that has temporary keys already."""
        if call.caller.session_name is not None:
            raise AwsError(
                "AccessDenied", "Cannot call GetSessionToken with session credentials", 403
            )
        seconds = call.params.get("DurationSeconds", TOKEN_SECONDS)
        _check_seconds(seconds, LONGEST_TOKEN_SECONDS)
        return {"Credentials": shape(self._store.open_session(call.caller, seconds))}

    def key_info(self, call: Call) -> Json:
        return {"Account": call.account}


def shape(credential: Credential) -> Json:
    """`Credentials` as STS sends them."""
    return {
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "SessionToken": credential.session_token,
        "Expiration": credential.expires,
    }


def _check_seconds(seconds: int, longest: int) -> None:
    if seconds < SHORTEST_SECONDS:
        raise _invalid(
            "durationSeconds", seconds, f"have value greater than or equal to {SHORTEST_SECONDS}"
        )
    if seconds > longest:
        raise _invalid("durationSeconds", seconds, f"have value less than or equal to {longest}")


def _invalid(member: str, value: object, constraint: str) -> AwsError:
    return AwsError(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint:"
        f" Member must {constraint}",
    )
