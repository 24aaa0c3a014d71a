"""The Glue service: the Data Catalog, crawlers, jobs, scripts and workflows, each from its own
package."""

from __future__ import annotations

from localaws.catalog import api as catalog
from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.crawler import api as crawler
from localaws.glue_code import api as code
from localaws.glue_jobs import api as jobs
from localaws.glue_jobs.triggered import TriggeredRuns
from localaws.glue_workflows import api as workflows


def service(aws: LocalAws) -> Service:
    built = Service("glue")
    catalog.register(built, aws)
    crawlers = crawler.register(built, aws)
    runs = jobs.register(built, aws)
    code.register(built, aws)
    workflows.register(built, aws, TriggeredRuns(aws, runs), crawlers)
    return built
