"""IAM: who there is and what policies say; localaws.identity decides by it."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.iam import adoption
from localaws.iam.entities import Entities
from localaws.iam.policies import Policies
from localaws.iam.roles import Roles
from localaws.iam.rules import page
from localaws.iam.simulation import Simulations
from localaws.iam.users import Users
from localaws.identity.store import ROLE_KIND, USER, IdentityStore
from localaws.shapes import Json


def service(aws: LocalAws) -> Service:
    """IAM over the home's identity store."""
    iam = Service("iam")
    policies = Policies(aws.identity)
    users, roles = (Entities(kind, aws.identity, policies) for kind in ("User", "Role"))
    policies.register(iam)
    users.register(iam)
    roles.register(iam)
    Users(users).register(iam)
    Roles(roles).register(iam)
    Simulations(aws).register(iam)
    iam.operation("ListAccountAliases", "Marker", "MaxItems")(_aliases)
    aws.authorize.lookups["iam"] = lambda operation, params: with_paths(aws.identity, params)
    iam.on_start(lambda: adoption.adopt(aws.home.root / "moto" / "iam.pickle", aws.identity))
    return iam


def with_paths(store: IdentityStore, params: Json) -> Json:
    """The parameters with names as ARNs have them: behind their paths."""
    named = {}
    for member, kind in (("RoleName", ROLE_KIND), ("UserName", USER)):
        if member in params:
            entity = store.documents.get(kind, params[member])
            path = entity["shape"]["Path"] if entity else params.get("Path", "/")
            named[member] = f"{path}{params[member]}".lstrip("/")
    if "PolicyName" in params and "Path" in params:
        named["PolicyName"] = f"{params['Path']}{params['PolicyName']}".lstrip("/")
    return {**params, **named}


def _aliases(call: Call) -> Json:
    """The account of a home has no alias."""
    return page("AccountAliases", [], call.params)
