"""Schedule groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import Key, page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

GROUPS = "scheduler-group"
SCHEDULES = "scheduler-schedule"  # "group/name"
DEFAULT = "default"


class Groups:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents
        self._documents.insert(GROUPS, DEFAULT, self._new(DEFAULT))

    def register(self, service: Service) -> None:
        service.operation("CreateScheduleGroup", "Name", "ClientToken")(self.create)
        service.operation("GetScheduleGroup", "Name")(self.show)
        service.operation("ListScheduleGroups", "NamePrefix", "NextToken", "MaxResults")(self.list)
        service.operation("DeleteScheduleGroup", "Name", "ClientToken")(self.delete)

    def _new(self, name: str) -> Json:
        arn = f"arn:aws:scheduler:{self._aws.region}:{self._aws.account}:schedule-group/{name}"
        now = self._aws.clock.now()
        return {
            **{"Name": name, "Arn": arn, "State": "ACTIVE"},
            **{"CreationDate": now, "LastModificationDate": now},
        }

    def get(self, name: str) -> Json:
        """Raises ResourceNotFoundException."""
        group = self._documents.get(GROUPS, name)
        if group is None:
            raise missing(f"Schedule group {name} does not exist.")
        return group

    def create(self, call: Call) -> Json:
        group = self._new(call.params["Name"])
        if not self._documents.insert(GROUPS, group["Name"], group):
            raise conflict(f"Schedule group {group['Name']} already exists.")
        return {"ScheduleGroupArn": group["Arn"]}

    def show(self, call: Call) -> Json:
        return self.get(call.params["Name"])

    def list(self, call: Call) -> Json:
        prefix = call.params.get("NamePrefix", "")
        groups = [pair for pair in self._documents.items(GROUPS) if pair[0].startswith(prefix)]
        return listed(call, "ScheduleGroups", groups)

    def delete(self, call: Call) -> Json:
        """The group with its schedules."""
        name = call.params["Name"]
        if name == DEFAULT:
            raise invalid("The default schedule group cannot be deleted.")
        with self._documents.transaction():
            self.get(name)
            for key, schedule in self._documents.items(SCHEDULES):
                if schedule["GroupName"] == name:
                    self._documents.delete(SCHEDULES, key)
            self._documents.delete(GROUPS, name)
        return {}


def missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, 409)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def listed(call: Call, member: str, items: Iterable[tuple[Key, Any]]) -> Json:
    """One page of a list, by `MaxResults` and `NextToken`."""
    most = int(call.params.get("MaxResults", 100))
    found = page(items, call.params.get("NextToken"), most, invalid=invalid)
    return {member: found.items, **found.next()}
