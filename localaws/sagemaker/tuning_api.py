"""The operations on hyperparameter tuning jobs."""

from __future__ import annotations

import copy
import dataclasses
import secrets

from localaws.core import pages
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.sagemaker import listing, metrics, ranges, strategies, training_api
from localaws.sagemaker.layout import TUNING_OBJECTIVE
from localaws.sagemaker.names import TUNING_JOB, arn, check_name, find, validation
from localaws.sagemaker.training_api import refuse
from localaws.sagemaker.tuning import RESOURCES, STATUS, Child, Search, TuningRuns, training_request
from localaws.shapes import Json

LONGEST_NAME = 32
JOB = "HyperParameterTuningJob"
CONFIG = f"{JOB}Config"
DEFINITION = "TrainingJobDefinition"
OF_DEFINITION = (
    "StaticHyperParameters",
    "AlgorithmSpecification.TrainingImage",
    "AlgorithmSpecification.TrainingInputMode",
    "AlgorithmSpecification.MetricDefinitions",
    *(path for path in training_api.PARAMETERS if path.startswith(training_api.CHANNEL)),
    *(f"{config}.{member}" for config in RESOURCES for member in (
        "InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"
    )),
    *("RoleArn", "OutputDataConfig.S3OutputPath", "OutputDataConfig.CompressionType"),
    *("StoppingCondition.MaxRuntimeInSeconds", "CheckpointConfig.S3Uri"),
    *("CheckpointConfig.LocalPath", "Environment", "RetryStrategy", "EnableNetworkIsolation"),
    *("EnableInterContainerTrafficEncryption", "OutputDataConfig.KmsKeyId"),
    *("VpcConfig.Subnets", "VpcConfig.SecurityGroupIds"),
)  # fmt: skip
PARAMETERS = (
    f"{JOB}Name",
    f"{CONFIG}.Strategy",
    f"{CONFIG}.{JOB}Objective",
    f"{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs",
    f"{CONFIG}.ResourceLimits.MaxParallelTrainingJobs",
    *(f"{CONFIG}.ParameterRanges.{kind}" for kind in ranges.KINDS),
    f"{CONFIG}.TrainingJobEarlyStoppingType",
    f"{CONFIG}.RandomSeed",
    *(f"{DEFINITION}.{member}" for member in OF_DEFINITION),
    "Tags",
)
SUMMARY = (f"{JOB}Name", f"{JOB}Arn", STATUS, "CreationTime", f"{JOB}ingEndTime")
OF_TRAINING = (
    *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime"),
    *("TrainingEndTime", "TrainingJobStatus", "FailureReason"),
)


class TuningJobs:
    """The operations: create, describe, list, stop, and the list of a job's training jobs."""

    def __init__(self, aws: LocalAws, runs: TuningRuns) -> None:
        self._aws = aws
        self._runs = runs

    def register(self, service: Service) -> None:
        service.operation(f"Create{JOB}", *PARAMETERS)(self.create)
        service.operation(f"Describe{JOB}", f"{JOB}Name")(self.describe)
        service.operation(f"Stop{JOB}", f"{JOB}Name")(self.stop)
        service.operation(f"List{JOB}s", *listing.CHANGING)(self.list)
        service.operation(
            f"ListTrainingJobsFor{JOB}",
            *(f"{JOB}Name", "StatusEquals", "SortBy", "SortOrder", "MaxResults", "NextToken"),
        )(self.list_training_jobs)
        service.on_start(self._runs.recover)
        service.on_stop(self._runs.close)

    def create(self, call: Call) -> Json:
        request = copy.deepcopy(dict(call.params))
        name = request[f"{JOB}Name"]
        check_name(f"{JOB}Name", name, LONGEST_NAME)
        check_request(self._aws, call)
        tags = request.pop("Tags", [])
        config = request[CONFIG]
        config.setdefault("TrainingJobEarlyStoppingType", "Off")
        now = self._aws.clock.now()
        job_arn = arn(self._aws, TUNING_JOB, name)
        describe = {
            f"{JOB}Name": name,
            f"{JOB}Arn": job_arn,
            CONFIG: config,
            DEFINITION: described(request),
            STATUS: "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        seed = config.get("RandomSeed", secrets.randbelow(2**31))
        document = {"request": request, "describe": describe, "seed": seed, "trials": []}
        self._runs.start(name, document | {"tags": tags})
        return {f"{JOB}Arn": job_arn}

    def describe(self, call: Call) -> Json:
        document = find(self._aws, TUNING_JOB, call.params[f"{JOB}Name"])
        children = self._runs.children(document)
        search = Search.of(document)
        best = search.best(children)
        seconds = [(child.describe or {}).get("TrainingTimeInSeconds", 0) for child in children]
        return {
            **document["describe"],
            **counted(children, search),
            **({"BestTrainingJob": summary(best, document, search)} if best else {}),
            "ConsumedResources": {"RuntimeInSeconds": sum(seconds)},
        }

    def stop(self, call: Call) -> None:
        self._runs.stop(call.params[f"{JOB}Name"])

    def list(self, call: Call) -> Json:
        items = []
        for _, document in self._aws.documents.items(TUNING_JOB):
            describe, config = document["describe"], document["request"][CONFIG]
            items.append(
                {member: describe[member] for member in SUMMARY if member in describe}
                | {"LastModifiedTime": describe["LastModifiedTime"]}
                | counted(self._runs.children(document), Search.of(document))
                | {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
            )
        return listing.page(call, f"{JOB}Summaries", JOB, items, status=STATUS)

    def list_training_jobs(self, call: Call) -> Json:
        document = find(self._aws, TUNING_JOB, call.params[f"{JOB}Name"])
        search = Search.of(document)
        wanted = call.params.get("StatusEquals")
        found = [
            (child, summary(child, document, search))
            for child in self._runs.children(document)
            if child.describe and wanted in (None, child.describe["TrainingJobStatus"])
        ]
        by = call.params.get("SortBy", "Name")
        keys = {
            "Name": lambda child, told: child.name,
            "CreationTime": lambda child, told: told["CreationTime"],
            "Status": lambda child, told: told["TrainingJobStatus"],
            # Jobs without one come last, whatever the order.
            "FinalObjectiveMetricValue": lambda child, told: child.measured(search.metric),
        }
        keyed = [((keys[by](child, told), child.name), told) for child, told in found]
        page = pages.page(
            [one for one in keyed if one[0][0] is not None],
            call.params.get("NextToken"),
            min(call.params.get("MaxResults", 10), 100),
            invalid=validation,
            newest_first=call.params.get("SortOrder", "Ascending") == "Descending",
        )
        return {"TrainingJobSummaries": page.items, **page.next()}


def check_request(aws: LocalAws, call: Call) -> None:
    """Raises for what AWS refuses, and by name for what is not done here."""
    config = call.params[CONFIG]
    if config["Strategy"] == "Hyperband":
        raise refuse(call, f"{CONFIG}.Strategy=Hyperband")
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        parameter = f"{CONFIG}.TrainingJobEarlyStoppingType=Auto"
        raise refuse(call, parameter, "Every training job runs to its end.")
    definition = call.params.get(DEFINITION)
    if definition is None:
        raise validation(f"{DEFINITION} is required.")
    objective = config.get(f"{JOB}Objective")
    known = [one["Name"] for one in metrics.definitions()]
    if objective is None or objective["MetricName"] not in known:
        given = objective and objective["MetricName"]
        raise validation(
            f"The objective metric {given!r} is none of the algorithm's: {', '.join(known)}."
        )
    search = ranges.read(config)
    both = [one.name for one in search if one.name in definition.get("StaticHyperParameters", {})]
    if both:
        raise validation(f"StaticHyperParameters and ParameterRanges both have {', '.join(both)}.")
    check_number(config, search)
    if sum(member in definition for member in RESOURCES) != 1:
        raise validation(f"{DEFINITION} must have one of {' and '.join(RESOURCES)}.")
    values = strategies.values(search, [0.0] * len(search))
    child = training_request(call.params, f"{call.params[f'{JOB}Name']}-001-00000000", values)
    training_api.check_request(aws, dataclasses.replace(call, params=child))


def check_number(config: Json, search: list[ranges.Range]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html"""
    most = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    there_are = strategies.combinations(search)
    if config["Strategy"] == "Grid":
        numbers = [one.name for one in search if not one.values]
        if numbers:
            raise validation(f"A grid search takes categorical ranges; {numbers[0]} is none.")
        if most not in (None, there_are):
            raise validation(
                f"MaxNumberOfTrainingJobs [{most}] must be the number of combinations [{there_are}]"
                " of a grid search, or be left out."
            )
    elif most is None:
        raise validation("ResourceLimits.MaxNumberOfTrainingJobs is required.")
    elif most > there_are:
        raise validation(
            "You don't have enough combinations of hyperparameter ranges. The total number of"
            f" hyperparameter combinations for the provided ranges [{there_are}] must be equal or"
            f" greater than the value of MaxNumberOfJobs, [{most}]. Provide additional ranges."
        )


def described(request: Json) -> Json:
    """The definition as it is shown: with what SageMaker fills in."""
    definition: Json = request[DEFINITION]
    objective = request[CONFIG][f"{JOB}Objective"]["MetricName"]
    static = {**definition.get("StaticHyperParameters", {}), TUNING_OBJECTIVE: objective}
    algorithm = {**definition["AlgorithmSpecification"], "MetricDefinitions": metrics.definitions()}
    return {**definition, "StaticHyperParameters": static, "AlgorithmSpecification": algorithm}


def objective_status(child: Child, search: Search) -> str:
    if not child.over:
        return "Pending"
    return "Failed" if child.measured(search.metric) is None else "Succeeded"


def counted(children: list[Child], search: Search) -> Json:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    statuses = [child.describe["TrainingJobStatus"] for child in children if child.describe]
    objectives = [objective_status(child, search) for child in children if child.describe]
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": statuses.count("InProgress") + statuses.count("Stopping"),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {
            status: objectives.count(status) for status in ("Succeeded", "Pending", "Failed")
        },
    }


def summary(child: Child, document: Json, search: Search) -> Json:
    """HyperParameterTrainingJobSummary."""
    describe = child.describe or {}
    objective = document["request"][CONFIG][f"{JOB}Objective"]
    value = child.measured(search.metric)
    final = {**objective, "Value": value}
    return {
        **{member: describe[member] for member in OF_TRAINING if member in describe},
        "TunedHyperParameters": child.values,
        "ObjectiveStatus": objective_status(child, search),
        **({f"Final{JOB}ObjectiveMetric": final} if value is not None else {}),
    }
