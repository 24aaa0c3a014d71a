"""IAM: who there is and what policies say. Policies are kept, not enforced yet."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.iam import adoption
from localaws.iam.entities import Entities
from localaws.iam.policies import Policies
from localaws.iam.roles import Roles
from localaws.iam.rules import page
from localaws.iam.users import Users
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
    iam.operation("ListAccountAliases", "Marker", "MaxItems")(_aliases)
    iam.on_start(lambda: adoption.adopt(aws.home.root / "moto" / "iam.pickle", aws.identity))
    return iam


def _aliases(call: Call) -> Json:
    """The account of a home has no alias."""
    return page("AccountAliases", [], call.params)
