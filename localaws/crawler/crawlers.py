"""The crawlers on disk, and what becomes of each crawl."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import CRAWL
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.crawler.classifiers import Classifiers
from localaws.crawler.run import crawl
from localaws.crawler.settings import checked
from localaws.crawler.writing import CrawlResult
from localaws.errors import AwsError
from localaws.shapes import Json

_KIND = CRAWL.documents
_REFUSED = "glue-crawl-refused"  # what a trigger could not start, by the id it gave
MOST_CRAWLS = 20  # by triggers, that a crawler remembers
_STATUS = {
    Outcome.SUCCEEDED: "SUCCEEDED",
    Outcome.FAILED: "FAILED",
    Outcome.STOPPED: "CANCELLED",
}
# docs.aws.amazon.com/glue: the session under which a crawler assumes its role.
LOG_GROUP = "/aws-glue/crawlers"
CRAWLER_SESSION = "AWS-Crawler"
GLUE = "glue.amazonaws.com"


class Crawlers:
    """The crawlers on disk, and their crawls."""

    def __init__(self, aws: LocalAws, classifiers: Classifiers) -> None:
        self.aws = aws
        self.classifiers = classifiers
        self.on_change: Callable[[], None] = lambda: None  # told when a schedule may be new
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
        self.on_change()

    def update(self, params: Json) -> None:
        with self._lock:
            before = self._idle(params["Name"])
            crawler = self._checked("UpdateCrawler", params, before)
            crawler |= {"Version": before["Version"] + 1, "LastUpdated": self.aws.clock.now()}
            if crawler["Targets"] != before["Targets"]:
                crawler.pop("Folders", None)  # of other places; the next crawl reads all
            self.aws.documents.put(_KIND, crawler["Name"], crawler)
        self.on_change()

    def schedule(self, name: str, change: Callable[[Json], Json]) -> None:
        """Changes the crawler's schedule, also while it is at work; it counts from now on."""
        self.get(name)
        with self.aws.documents.changing(_KIND, name) as crawler:
            crawler["Schedule"] = change(crawler.get("Schedule") or {})
            crawler["ScheduledSince"] = self.aws.clock.now()
        self.on_change()

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
        crawler = checked(operation, params, before)
        if "Schedule" in params:
            crawler["ScheduledSince"] = self.aws.clock.now()
        for name in crawler["Classifiers"]:
            self.classifiers.get(name)
        return crawler

    # running

    def start(self, name: str, origin: str | None = None) -> None:
        """`origin` is the id by which a trigger knows the crawl."""

        def store() -> None:
            crawler = self._idle(name)
            crawler |= {"State": "RUNNING", "StartedAt": self.aws.clock.now(), "Origin": origin}
            self.aws.documents.put(_KIND, name, crawler)

        self._runner.start(name, {}, store)

    def stop(self, name: str) -> None:
        state = self.get(name)["State"]
        if state == "READY":
            raise AwsError("CrawlerNotRunningException", f"Crawler with name {name} isn't running.")
        if state == "STOPPING":
            raise AwsError("CrawlerStoppingException", f"Crawler with name {name} is stopping.")
        self._runner.stop(name, lambda: self._state(name, "STOPPING"))

    def start_by_trigger(self, name: str, started: str, action: Json, origin: Json) -> None:
        """Starts the crawl, unless it was; one that may not start has the state ERROR."""
        if self.state_of(name, started) is not None:
            return
        try:
            self.start(name, started)
        except AwsError as error:
            self.aws.documents.put(_REFUSED, started, {"ErrorMessage": error.message})

    def state_of(self, name: str, started: str) -> Json | None:
        """Of the crawl that a trigger started with the id; None if it did not."""
        refused = self.aws.documents.get(_REFUSED, started)
        if refused is not None:
            return {"State": "ERROR", "Shown": {"State": "ERROR", **refused}}
        crawler = self.aws.documents.get(_KIND, name) or {}
        if crawler.get("Origin") == started and crawler["State"] != "READY":
            state = {"RUNNING": "RUNNING", "STOPPING": "CANCELLING"}[crawler["State"]]
            return {"State": state, "Shown": {"State": state, "StartedOn": crawler["StartedAt"]}}
        for one in crawler.get("Crawls", []):
            if one["Origin"] == started:
                shown = {key: value for key, value in one.items() if key != "Origin"}
                return {"State": one["State"], "Shown": shown}
        return None

    def stop_started(self, name: str, started: str) -> None:
        found = self.state_of(name, started)
        if found is not None and found["State"] == "RUNNING":
            self.stop(name)

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
            result = crawl(self._role(job.id, crawler), crawler, rules, job)
        except AwsError as error:
            if error.is_refusal:  # Glue does not tell whose session it was
                told = re.sub(r"User: \S+", f"Service Principal: {GLUE}", error.message)
                raise JobFailed(told) from error
            raise JobFailed(error.message) from error
        return result, self.aws.clock.monotonic() - began

    def _role(self, name: str, crawler: Json) -> LocalAws:
        """The AWS as the crawler's role sees it."""
        arn = f"arn:aws:glue:{self.aws.region}:{self.aws.account}:crawler/{name}"
        return self.aws.acting_as_role(crawler["Role"], CRAWLER_SESSION, GLUE, arn)

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
                "LogGroup": LOG_GROUP,
                "LogStream": job_id,
                "MessagePrefix": mark,
                "StartTime": began,
                **({"ErrorMessage": message} if message else {}),
            }
            if seconds is None:
                seconds = (now - began).total_seconds()
            crawler["Runs"] = [*crawler.get("Runs", []), seconds][-20:]
            crawler["State"], crawler["CrawlElapsedTime"] = "READY", 0
            if (origin := crawler.pop("Origin", None)) is not None:
                ended = {
                    "Origin": origin,
                    "State": status,
                    "StartedOn": began,
                    "CompletedOn": now,
                    "LogGroup": LOG_GROUP,
                    "LogStream": job_id,
                    **({"ErrorMessage": message} if message else {}),
                }
                crawler["Crawls"] = [*crawler.get("Crawls", []), ended][-MOST_CRAWLS:]
            if ending.outcome is Outcome.SUCCEEDED:
                crawler["Folders"] = sorted(result.folders)
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
        role = self._role(name, self.get(name))
        role.logs.send(role.caller, LOG_GROUP, name, [f"[{mark}] {line}" for line in lines])

    def shown(self, crawler: Json) -> Json:
        """As GetCrawler returns it."""
        inner = ("StartedAt", "Runs", "Last", "Origin", "Crawls", "ScheduledSince", "Folders")
        document = {key: value for key, value in crawler.items() if key not in inner}
        if not document.get("Schedule"):
            document.pop("Schedule", None)
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
