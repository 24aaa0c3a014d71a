"""Job definitions: kept, and given back as Glue does."""

from __future__ import annotations

from datetime import datetime

from localaws.catalog.lists import page_of_jobs
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.glue_jobs.settings import SETTINGS, checked
from localaws.shapes import Json

KIND = "glue-job"


def not_found(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Job {name} not found.")


class Jobs:
    """The jobs of this account."""

    def __init__(self, aws: LocalAws, bookmarks: Bookmarks) -> None:
        self._aws, self._bookmarks = aws, bookmarks

    def register(self, service: Service) -> None:
        service.operation("CreateJob", "Name", "Tags", *SETTINGS)(self.create)
        changes = (f"JobUpdate.{name}" for name in SETTINGS)
        service.operation("UpdateJob", "JobName", *changes)(self.update)
        service.operation("GetJob", "JobName")(self.describe)
        service.operation("GetJobs", "NextToken", "MaxResults")(self.describe_all)
        service.operation("BatchGetJobs", "JobNames")(self.describe_some)
        service.operation("ListJobs", "NextToken", "MaxResults")(self.list)
        service.operation("DeleteJob", "JobName")(self.delete)

    def find(self, name: str) -> Json | None:
        return self._aws.documents.get(KIND, name)

    def get(self, name: str) -> Json:
        """The job. Raises EntityNotFoundException."""
        found = self.find(name)
        if found is None:
            raise not_found(name)
        return found

    def create(self, call: Call) -> Json:
        now = self._aws.clock.now()
        name = call.params["Name"]
        job = self._document(name, checked(call.operation, call.params), now, now)
        if not self._aws.documents.insert(KIND, name, job):
            raise AwsError("AlreadyExistsException", f"Job {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Replaces the whole definition, as UpdateJob does."""
        name = call.params["JobName"]
        with self._aws.documents.changing(KIND, name, not_found(name)) as job:
            settings = checked(call.operation, call.params["JobUpdate"])
            created = job["CreatedOn"]
            job.clear()
            job |= self._document(name, settings, created, self._aws.clock.now())
        return {"JobName": name}

    @staticmethod
    def _document(name: str, settings: Json, created: datetime, modified: datetime) -> Json:
        return {"Name": name, "CreatedOn": created, "LastModifiedOn": modified, **settings}

    def describe(self, call: Call) -> Json:
        return {"Job": self.get(call.params["JobName"])}

    def describe_all(self, call: Call) -> Json:
        jobs, token = page_of_jobs(self._aws.documents.items(KIND), call.params)
        return {"Jobs": jobs, **token}

    def describe_some(self, call: Call) -> Json:
        """The named jobs, in the order of the names; a name without a job is no error."""
        known = dict(self._aws.documents.items(KIND))
        names = call.params["JobNames"]
        return {
            "Jobs": [known[name] for name in names if name in known],
            "JobsNotFound": [name for name in names if name not in known],
        }

    def list(self, call: Call) -> Json:
        names, token = page_of_jobs(
            ((name, name) for name, _ in self._aws.documents.items(KIND)), call.params
        )
        return {"JobNames": names, **token}

    def delete(self, call: Call) -> Json:
        """A job that is not there is deleted already, as on AWS; its runs stay readable."""
        self._aws.documents.delete(KIND, call.params["JobName"])
        self._bookmarks.forget(call.params["JobName"])
        return {"JobName": call.params["JobName"]}
