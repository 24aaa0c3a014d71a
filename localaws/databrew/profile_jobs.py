"""Profile jobs: a dataset, what is asked about it, and where the answer goes."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import arn, conflict, created, invalid, modified, named
from localaws.databrew.jobs import KIND, RecipeJobs, limits
from localaws.databrew.profile.configuration import ConfigurationError, checked
from localaws.databrew.rulesets import Rulesets
from localaws.errors import NotEmulated
from localaws.shapes import Json

DEFAULT_SAMPLE = {"Mode": "CUSTOM_ROWS", "Size": 20_000}
SETTINGS = (
    *("RoleArn", "OutputLocation.Bucket", "OutputLocation.Key", "Configuration", "JobSample"),
    *("ValidationConfigurations", "LogSubscription", "MaxCapacity", "MaxRetries", "Timeout"),
)


class ProfileJobs:
    def __init__(
        self, aws: LocalAws, datasets: Datasets, jobs: RecipeJobs, rulesets: Rulesets
    ) -> None:
        self._aws = aws
        self._datasets = datasets
        self._jobs = jobs
        self._rulesets = rulesets

    def register(self, service: Service) -> None:
        service.operation("CreateProfileJob", "Name", "DatasetName", "Tags", *SETTINGS)(self.create)
        service.operation("UpdateProfileJob", "Name", *SETTINGS)(self.update)

    def create(self, call: Call) -> Json:
        name, given = named("job", call), call.params
        dataset = self._datasets.get(given["DatasetName"])
        document = {
            "Name": name,
            "Type": "PROFILE",
            "DatasetName": given["DatasetName"],
            "Tags": given.get("Tags", {}),
            "ResourceArn": arn(self._aws, "job", name),
            **created(self._aws, call.caller),
            **self._settings(call, dataset["ResourceArn"]),
        }
        if not self._aws.documents.insert(KIND, name, document):
            raise conflict(f"Job {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Replaces everything but the dataset."""
        name = call.params["Name"]
        job = self._jobs.get(name)
        if job["Type"] != "PROFILE":
            raise invalid(f"Job {name} is a recipe job; UpdateRecipeJob changes it.")
        dataset = self._datasets.get(job["DatasetName"])
        settings = self._settings(call, dataset["ResourceArn"]) | modified(self._aws, call.caller)
        with self._aws.documents.transaction():
            self._aws.documents.put(KIND, name, self._jobs.get(name) | settings)
        return {"Name": name}

    def _settings(self, call: Call, dataset_arn: str) -> Json:
        given = call.params
        sample = given.get("JobSample", DEFAULT_SAMPLE)
        if sample.get("Mode", "CUSTOM_ROWS") == "CUSTOM_ROWS":
            sample = {**DEFAULT_SAMPLE, **sample}
            if sample["Size"] < 1:
                raise invalid("JobSample.Size must be at least 1.")
        for each in given.get("ValidationConfigurations", []):
            self._rulesets.of_arn(each["RulesetArn"], dataset_arn)
        try:
            configuration = checked(given.get("Configuration", {}))
        except ConfigurationError as error:
            raise NotEmulated("databrew", call.operation, "Configuration", str(error)) from error
        return {
            "RoleArn": given["RoleArn"],
            "Outputs": [{"Location": given["OutputLocation"]}],
            "ProfileConfiguration": configuration,
            "JobSample": sample,
            "ValidationConfigurations": given.get("ValidationConfigurations", []),
            **limits(call),
        }
