"""The crawler's operations of the Glue API."""

from __future__ import annotations

from localaws.catalog import tags
from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.crawler.classifiers import Classifiers
from localaws.crawler.crawlers import Crawlers
from localaws.crawler.schedules import Schedules
from localaws.shapes import Json

_FIELDS = (
    "Name", "Role", "DatabaseName", "Description", "Targets.S3Targets.Path",
    "Targets.S3Targets.Exclusions", "Targets.S3Targets.SampleSize",
    "Targets.JdbcTargets.ConnectionName", "Targets.JdbcTargets.Path",
    "Targets.JdbcTargets.Exclusions", "Targets.DynamoDBTargets.Path",
    "Targets.DynamoDBTargets.scanAll", "Targets.DynamoDBTargets.scanRate",
    "Targets.IcebergTargets.Paths", "Targets.IcebergTargets.Exclusions",
    "Targets.IcebergTargets.MaximumTraversalDepth",
    "Targets.CatalogTargets.DatabaseName", "Targets.CatalogTargets.Tables", "Schedule",
    "Classifiers", "TablePrefix", "SchemaChangePolicy", "RecrawlPolicy.RecrawlBehavior",
    "LineageConfiguration.CrawlerLineageSettings", "Configuration",
)  # fmt: skip
_PAGE = ("MaxResults", "NextToken")


def register(service: Service, aws: LocalAws) -> Crawlers:
    """Adds the operations of crawlers and classifiers; returns the crawlers, for triggers."""
    classifiers = Classifiers(aws)
    classifiers.register(service)
    crawlers = Crawlers(aws, classifiers)
    service.on_start(crawlers.recover)
    service.on_stop(crawlers.close)
    CrawlerOperations(aws, crawlers).register(service)
    Schedules(aws, crawlers).register(service)
    return crawlers


class CrawlerOperations:
    def __init__(self, aws: LocalAws, crawlers: Crawlers) -> None:
        self._aws = aws
        self._crawlers = crawlers

    def register(self, service: Service) -> None:
        for name, handler, parameters in (
            ("CreateCrawler", self.create, (*_FIELDS, "Tags")),
            ("UpdateCrawler", self.update, _FIELDS),
            ("DeleteCrawler", self.delete, ("Name",)),
            ("GetCrawler", self.describe, ("Name",)),
            ("GetCrawlers", self.describe_all, _PAGE),
            ("ListCrawlers", self.list, _PAGE),
            ("BatchGetCrawlers", self.describe_some, ("CrawlerNames",)),
            ("StartCrawler", self.start, ("Name",)),
            ("StopCrawler", self.stop, ("Name",)),
            ("GetCrawlerMetrics", self.metrics, ("CrawlerNameList", *_PAGE)),
        ):
            service.operation(name, *parameters)(handler)

    def create(self, call: Call) -> Json:
        self._crawlers.create(call.params)
        place = tags.arn(self._aws, "crawler", call.params["Name"])
        tags.write(self._aws, place, call.params.get("Tags") or {})
        return {}

    def update(self, call: Call) -> Json:
        self._crawlers.update(call.params)
        return {}

    def delete(self, call: Call) -> Json:
        self._crawlers.delete(call.params["Name"])
        return {}

    def describe(self, call: Call) -> Json:
        return {"Crawler": self._crawlers.shown(self._crawlers.get(call.params["Name"]))}

    def describe_all(self, call: Call) -> Json:
        crawlers, more = page(self._by_name().items(), call.params)
        return {"Crawlers": [self._crawlers.shown(crawler) for crawler in crawlers], **more}

    def list(self, call: Call) -> Json:
        names, more = page(((name, name) for name in self._by_name()), call.params)
        return {"CrawlerNames": names, **more}

    def describe_some(self, call: Call) -> Json:
        known = self._by_name()
        names = call.params["CrawlerNames"]
        return {
            "Crawlers": [self._crawlers.shown(known[name]) for name in names if name in known],
            "CrawlersNotFound": [name for name in names if name not in known],
        }

    def start(self, call: Call) -> Json:
        self._crawlers.start(call.params["Name"])
        return {}

    def stop(self, call: Call) -> Json:
        self._crawlers.stop(call.params["Name"])
        return {}

    def metrics(self, call: Call) -> Json:
        names = call.params.get("CrawlerNameList") or list(self._by_name())
        metrics, more = page(
            ((name, self._crawlers.metrics(self._crawlers.get(name))) for name in names),
            call.params,
        )
        return {"CrawlerMetricsList": metrics, **more}

    def _by_name(self) -> dict[str, Json]:
        return {crawler["Name"]: crawler for crawler in self._crawlers.all()}
