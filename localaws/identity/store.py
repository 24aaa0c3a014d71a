"""Users, roles, managed policies, access keys and sessions: documents of one home."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from localaws.documents import Documents
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.identity.credentials import (
    ROLE,
    TEMPORARY,
    Credential,
    new_secret,
    new_token,
    unique_id,
)
from localaws.shapes import Json

# Kinds of documents. Of users and roles: name to {"shape": as the API shows it, "inline": {policy
# name: text}, "attached": [policy ARNs]}; of policies: ARN to {"shape", "versions"}.
USER = "iam-user"
ROLE_KIND = "iam-role"
POLICY = "iam-policy"
ACCESS_KEY = "iam-access-key"  # key id -> {"user", "secret", "status", "created", ...}
SESSION = "sts-session"  # key id -> {"secret", "token", "expires", "caller"}


class IdentityStore:
    """What this home knows of who may call."""

    def __init__(
        self,
        documents: Documents,
        account: str,
        now: Callable[[], datetime],
        root_key: Credential,
    ) -> None:
        self.root_key = root_key
        self.documents = documents
        self.account = account
        self.now = now

    def get(self, kind: str, key: str, missing: AwsError) -> Json:
        document = self.documents.get(kind, key)
        if document is None:
            raise missing
        return document

    # -- keys ----------------------------------------------------------------------------------

    def credential(self, access_key_id: str) -> Credential | None:
        """The key of a user or a session, expired ones too; None for an unknown or inactive one."""
        if access_key_id == self.root_key.access_key_id:
            return self.root_key
        session = self.documents.get(SESSION, access_key_id)
        if session is not None:
            return Credential(
                access_key_id,
                session["secret"],
                Caller.read(session["caller"]),
                session["token"],
                session["expires"],
            )
        key = self.documents.get(ACCESS_KEY, access_key_id)
        if key is None or key["status"] != "Active":
            return None
        user = self.documents.get(USER, key["user"])
        if user is None:
            return None
        return Credential(access_key_id, key["secret"], Caller(user["shape"]["Arn"], self.account))

    def open_session(self, caller: Caller, seconds: int | None = None) -> Credential:
        """Temporary keys for the caller; without `seconds` they are good until they are closed,
        or the server starts anew."""
        expires = None
        if seconds is not None:
            expires = (self.now() + timedelta(seconds=seconds)).replace(microsecond=0)
        credential = Credential(unique_id(TEMPORARY), new_secret(), caller, new_token(), expires)
        self.documents.put(
            SESSION,
            credential.access_key_id,
            {
                "secret": credential.secret_access_key,
                "token": credential.session_token,
                "expires": expires,
                "caller": asdict(caller),
            },
        )
        return credential

    def close_session(self, access_key_id: str) -> None:
        """Ends the session: its keys are unknown from now on."""
        self.documents.delete(SESSION, access_key_id)

    def close_session_of(self, environment: Mapping[str, str]) -> None:
        """Ends the session that was opened for a process, whose keys are in its variables. Keys
        that somebody else gave it (a training job's `Environment` may hold some) are not its."""
        key = environment.get("AWS_ACCESS_KEY_ID", "")
        session = self.documents.get(SESSION, key)
        if session is not None and session["expires"] is None:
            self.close_session(key)

    def forget_sessions(self) -> None:
        """At the start of a server: drops the sessions of processes, which ended with the last
        one, and those that expired over a day ago (until then they are told to be expired)."""
        limit = self.now() - timedelta(days=1)
        for key, session in self.documents.items(SESSION):
            if session["expires"] is None or session["expires"] < limit:
                self.documents.delete(SESSION, key)

    # -- who is it -----------------------------------------------------------------------------

    def user_id(self, caller: Caller) -> str:
        """The unique id that GetCallerIdentity shows and policies know as `aws:userid`."""
        resource = caller.arn.split(":", 5)[5] if caller.arn.count(":") >= 5 else ""
        kind, _, rest = resource.partition("/")
        if kind == "user":
            user = self.documents.get(USER, rest.rpartition("/")[2])
            return str(user["shape"]["UserId"]) if user else caller.account
        if kind == "assumed-role":
            return f"{self.role_id(rest.partition('/')[0])}:{caller.session_name}"
        return caller.account

    def role_id(self, name: str) -> str:
        """The role's id. A role that was never made has one that is always the same."""
        role = self.documents.get(ROLE_KIND, name)
        if role is not None:
            return str(role["shape"]["RoleId"])
        return ROLE + b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17]
