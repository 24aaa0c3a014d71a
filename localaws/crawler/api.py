"""The crawler's verbs of the Glue API, and what becomes of each crawl."""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import Any

from localaws.catalog import tags
from localaws.catalog.api import page
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import CRAWL
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.service import Call, Service
from localaws.crawler.classifiers import Classifiers
from localaws.crawler.run import DEFAULT_DATABASE, CrawlResult, crawl
from localaws.s3.objects import split_uri

Json = dict[str, Any]
_KIND = CRAWL.documents
_STATUS = {
    Outcome.SUCCEEDED: "SUCCEEDED",
    Outcome.FAILED: "FAILED",
    Outcome.STOPPED: "CANCELLED",
}
_FIELDS = (
    "Name", "Role", "DatabaseName", "Description", "Targets.S3Targets.Path",
    "Targets.S3Targets.Exclusions", "Schedule", "Classifiers", "TablePrefix", "SchemaChangePolicy",
    "RecrawlPolicy.RecrawlBehavior", "LineageConfiguration.CrawlerLineageSettings", "Configuration",
)  # fmt: skip
_TARGETS = (
    "JdbcTargets",
    "MongoDBTargets",
    "DynamoDBTargets",
    "CatalogTargets",
    "DeltaTargets",
    "IcebergTargets",
    "HudiTargets",
)
_CHANGES = {
    "UpdateBehavior": ("UPDATE_IN_DATABASE", "LOG"),
    "DeleteBehavior": ("DEPRECATE_IN_DATABASE", "DELETE_FROM_DATABASE", "LOG"),
}


def register(service: Service, aws: LocalAws) -> None:
    """Adds the verbs of crawlers and classifiers."""
    classifiers = Classifiers(aws)
    classifiers.register(service)
    crawlers = Crawlers(aws, classifiers)
    service.on_start(crawlers.recover)
    service.on_stop(crawlers.close)
    _plain(service, crawlers)
    _running(service, crawlers)


def _plain(service: Service, crawlers: Crawlers) -> None:
    @service.operation("CreateCrawler", *_FIELDS, "Tags")
    def create_crawler(call: Call) -> Json:
        crawlers.create(call.params)
        place = tags.arn(crawlers.aws, "crawler", call.params["Name"])
        tags.write(crawlers.aws, place, call.params.get("Tags") or {})
        return {}

    @service.operation("UpdateCrawler", *_FIELDS)
    def update_crawler(call: Call) -> Json:
        crawlers.update(call.params)
        return {}

    @service.operation("DeleteCrawler", "Name")
    def delete_crawler(call: Call) -> Json:
        crawlers.delete(call.params["Name"])
        return {}

    @service.operation("GetCrawler", "Name")
    def get_crawler(call: Call) -> Json:
        return {"Crawler": crawlers.shown(crawlers.get(call.params["Name"]))}

    @service.operation("GetCrawlers", "MaxResults", "NextToken")
    def get_crawlers(call: Call) -> Json:
        found, more = page(((one["Name"], one) for one in crawlers.all()), call.params)
        return {"Crawlers": [crawlers.shown(crawler) for crawler in found], **more}

    @service.operation("ListCrawlers", "MaxResults", "NextToken")
    def list_crawlers(call: Call) -> Json:
        found, more = page(((one["Name"], one["Name"]) for one in crawlers.all()), call.params)
        return {"CrawlerNames": found, **more}

    @service.operation("BatchGetCrawlers", "CrawlerNames")
    def batch_get_crawlers(call: Call) -> Json:
        known = {crawler["Name"]: crawler for crawler in crawlers.all()}
        names = call.params["CrawlerNames"]
        return {
            "Crawlers": [crawlers.shown(known[name]) for name in names if name in known],
            "CrawlersNotFound": [name for name in names if name not in known],
        }


def _running(service: Service, crawlers: Crawlers) -> None:
    @service.operation("StartCrawler", "Name")
    def start_crawler(call: Call) -> Json:
        crawlers.start(call.params["Name"])
        return {}

    @service.operation("StopCrawler", "Name")
    def stop_crawler(call: Call) -> Json:
        crawlers.stop(call.params["Name"])
        return {}

    @service.operation("GetCrawlerMetrics", "CrawlerNameList", "MaxResults", "NextToken")
    def get_crawler_metrics(call: Call) -> Json:
        names = call.params.get("CrawlerNameList") or [c["Name"] for c in crawlers.all()]
        found, more = page(
            ((name, crawlers.metrics(crawlers.get(name))) for name in names), call.params
        )
        return {"CrawlerMetricsList": found, **more}


# docs.aws.amazon.com/glue: the session under which a crawler assumes its role.
CRAWLER_SESSION = "AWS-Crawler"
GLUE = "glue.amazonaws.com"


class Crawlers:
    """The crawlers on disk, and their crawls."""

    def __init__(self, aws: LocalAws, classifiers: Classifiers) -> None:
        self.aws = aws
        self.classifiers = classifiers
        self._lock = threading.RLock()
        self._runner = JobRunner(aws, CRAWL, self)

    def get(self, name: str) -> Json:
        crawler = self.aws.documents.get(_KIND, name)
        if crawler is None:
            raise AwsError("EntityNotFoundException", f"Crawler with name {name} does not exist")
        return crawler

    def all(self) -> list[Json]:
        return [crawler for _, crawler in self.aws.documents.items(_KIND)]

    def create(self, params: Json) -> None:
        crawler = self._checked("CreateCrawler", params, {})
        now = self.aws.clock.now()
        crawler |= {"State": "READY", "CreationTime": now, "LastUpdated": now, "Version": 1}
        crawler["CrawlElapsedTime"] = 0
        if not self.aws.documents.insert(_KIND, crawler["Name"], crawler):
            raise AwsError("AlreadyExistsException", f"{crawler['Name']} already exists")

    def update(self, params: Json) -> None:
        with self._lock:
            before = self._idle(params["Name"])
            crawler = self._checked("UpdateCrawler", params, before)
            crawler |= {"Version": before["Version"] + 1, "LastUpdated": self.aws.clock.now()}
            self.aws.documents.put(_KIND, crawler["Name"], crawler)

    def delete(self, name: str) -> None:
        with self._lock:
            self._idle(name)
            self.aws.documents.delete(_KIND, name)

    def _idle(self, name: str) -> Json:
        crawler = self.get(name)
        if crawler["State"] != "READY":
            raise AwsError(
                "CrawlerRunningException", f"Crawler with name {name} has already started"
            )
        return crawler

    def _checked(self, operation: str, params: Json, before: Json) -> Json:
        """The crawler as it will be stored; what it cannot do is refused now, not when it runs."""
        given = {key: value for key, value in params.items() if key != "Tags"}
        crawler = {**before, **given}
        if given.get("Schedule"):
            raise NotEmulated(
                "glue",
                operation,
                "Schedule",
                "Start it with StartCrawler or EventBridge Scheduler.",
            )
        for kind in _TARGETS:
            if (given.get("Targets") or {}).get(kind):
                raise NotEmulated("glue", operation, f"Targets.{kind}", "S3 targets are.")
        targets = (crawler.get("Targets") or {}).get("S3Targets") or []
        if not targets:
            raise AwsError(
                "InvalidInputException",
                "Targets.S3Targets is empty; a crawler needs at least one path.",
            )
        for target in targets:
            split_uri(target.get("Path", ""))
        crawler["DatabaseName"] = crawler.get("DatabaseName") or DEFAULT_DATABASE
        recrawl = (crawler.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
        if recrawl != "CRAWL_EVERYTHING":
            raise NotEmulated(
                "glue",
                operation,
                f"RecrawlPolicy.RecrawlBehavior {recrawl}",
                "CRAWL_EVERYTHING is.",
            )
        lineage = (crawler.get("LineageConfiguration") or {}).get(
            "CrawlerLineageSettings", "DISABLE"
        )
        if lineage != "DISABLE":
            raise NotEmulated("glue", operation, "LineageConfiguration ENABLE")
        policy = {key: choices[0] for key, choices in _CHANGES.items()} | (
            crawler.get("SchemaChangePolicy") or {}
        )
        for key, choices in _CHANGES.items():
            if policy[key] not in choices:
                raise AwsError(
                    "InvalidInputException",
                    f"SchemaChangePolicy.{key} is {policy[key]!r}; it is one of {choices}.",
                )
        for name in crawler.get("Classifiers") or []:
            self.classifiers.get(name)
        check_configuration(operation, crawler.get("Configuration"))
        return {
            "Classifiers": [],
            "TablePrefix": "",
            "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
            **crawler,
            "Targets": {kind: [] for kind in _TARGETS} | {"S3Targets": targets},
            "SchemaChangePolicy": policy,
            "RecrawlPolicy": {"RecrawlBehavior": recrawl},
        }

    # running

    def start(self, name: str) -> None:
        def store() -> None:
            crawler = self._idle(name)
            crawler |= {"State": "RUNNING", "StartedAt": self.aws.clock.now()}
            self.aws.documents.put(_KIND, name, crawler)

        self._runner.start(name, {}, store)

    def stop(self, name: str) -> None:
        state = self.get(name)["State"]
        if state == "READY":
            raise AwsError("CrawlerNotRunningException", f"Crawler with name {name} isn't running.")
        if state == "STOPPING":
            raise AwsError("CrawlerStoppingException", f"Crawler with name {name} is stopping.")
        self._runner.stop(name, lambda: self._state(name, "STOPPING"))

    def close(self) -> None:
        self._runner.close()

    def recover(self) -> None:
        self._runner.recover()

    def _state(self, name: str, state: str) -> None:
        with self.aws.documents.changing(_KIND, name) as crawler:
            crawler["State"] = state

    # one crawl's life

    def begin(self, job: Job) -> None:
        """It is RUNNING since it was asked for."""

    def work(self, job: Job) -> tuple[CrawlResult, float]:
        """What the crawl did, and in how many seconds."""
        began = self.aws.clock.monotonic()
        crawler = self.get(job.id)
        rules = [self.classifiers.rules(name) for name in crawler["Classifiers"]]
        try:
            role = self.aws.acting_as_role(crawler["Role"], CRAWLER_SESSION, GLUE)
            result = crawl(role, crawler, rules, job)
        except AwsError as error:
            raise JobFailed(error.message) from error
        return result, self.aws.clock.monotonic() - began

    def end(self, job_id: str, ending: Ending) -> None:
        result, seconds = ending.result or (CrawlResult(), None)
        status, message = _STATUS[ending.outcome], ending.reason
        if ending.outcome is Outcome.STOPPED:
            message = "The crawl was stopped by StopCrawler."
        mark = str(uuid.uuid4())
        self._log(job_id, mark, [*result.log, f"{status} {message or ''}".strip()])
        with self.aws.documents.changing(_KIND, job_id) as crawler:
            now = self.aws.clock.now()
            began = crawler.get("StartedAt") or now
            crawler["LastCrawl"] = {
                "Status": status,
                "LogGroup": "/aws-glue/crawlers",
                "LogStream": job_id,
                "MessagePrefix": mark,
                "StartTime": began,
                **({"ErrorMessage": message} if message else {}),
            }
            if seconds is None:
                seconds = (now - began).total_seconds()
            crawler["Runs"] = [*crawler.get("Runs", []), seconds][-20:]
            crawler["State"], crawler["CrawlElapsedTime"] = "READY", 0
            crawler["Last"] = {
                "created": result.created,
                "updated": result.updated,
                "deleted": result.deleted,
            }

    def event(self, job_id: str) -> None:
        return None

    def clear(self, job_id: str) -> None:
        """A crawl leaves nothing beside its log."""

    def _log(self, name: str, mark: str, lines: list[str]) -> None:
        file = re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".log"
        with (self.aws.home.directory("crawler-logs") / file).open("a") as log:
            log.writelines(f"[{mark}] {line}\n" for line in lines)

    def shown(self, crawler: Json) -> Json:
        """As GetCrawler returns it."""
        inner = ("StartedAt", "Runs", "Last")
        document = {key: value for key, value in crawler.items() if key not in inner}
        if crawler["State"] != "READY" and "StartedAt" in crawler:
            spent = self.aws.clock.now() - crawler["StartedAt"]
            document["CrawlElapsedTime"] = int(spent.total_seconds() * 1000)
        return document

    def metrics(self, crawler: Json) -> Json:
        runs = sorted(crawler.get("Runs") or [0.0])
        last = crawler.get("Last") or {}
        return {
            "CrawlerName": crawler["Name"],
            "TimeLeftSeconds": 0.0,
            "StillEstimating": crawler["State"] == "RUNNING",
            "LastRuntimeSeconds": (crawler.get("Runs") or [0.0])[-1],
            "MedianRuntimeSeconds": runs[len(runs) // 2],
            "TablesCreated": last.get("created", 0),
            "TablesUpdated": last.get("updated", 0),
            "TablesDeleted": last.get("deleted", 0),
        }


def check_configuration(operation: str, text: str | None) -> None:
    """Configuration is a JSON string; settings that would change the outcome unseen are refused."""
    if not text:
        return
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidInputException", f"Configuration is not JSON: {error}") from None
    known = {
        "Version": {},
        "CreatePartitionIndex": {},
        "Grouping": {"TableGroupingPolicy": {}, "TableLevelConfiguration": {}},
        "CrawlerOutput": {
            "Tables": {"AddOrUpdateBehavior": {}, "TableThreshold": None},
            "Partitions": {"AddOrUpdateBehavior": {}},
        },
    }

    def walk(given: Json, accepted: Json, path: str) -> None:
        for key, value in given.items():
            if accepted.get(key) is None:
                raise NotEmulated("glue", operation, f"Configuration.{path}{key}")
            if isinstance(value, dict):
                walk(value, accepted[key], f"{path}{key}.")

    walk(settings, known, "")
    level = (settings.get("Grouping") or {}).get("TableLevelConfiguration")
    if level is not None and (not isinstance(level, int) or level < 1):
        raise AwsError(
            "InvalidInputException",
            f"Grouping.TableLevelConfiguration is {level!r}; it is a level, from 1 (the bucket).",
        )
