"""The Glue service: the Data Catalog, the crawlers and the jobs, each from its own package."""

from __future__ import annotations

from localaws.catalog import api as catalog
from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.crawler import api as crawler
from localaws.glue_jobs import api as jobs


def service(aws: LocalAws) -> Service:
    built = Service("glue")
    catalog.register(built, aws)
    crawler.register(built, aws)
    jobs.register(built, aws)
    return built
