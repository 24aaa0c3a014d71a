"""The Glue service: the Data Catalog, the crawlers and the jobs, each from its own package."""

from __future__ import annotations

import importlib
import importlib.util

from localaws import catalog as _catalog  # noqa: F401 - the package must import
from localaws.catalog import api as catalog
from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.crawler import api as crawler


def service(aws: LocalAws) -> Service:
    built = Service("glue")
    catalog.register(built, aws)
    crawler.register(built, aws)
    if importlib.util.find_spec("localaws.glue_jobs") and importlib.util.find_spec(
        "localaws.glue_jobs.api"
    ):
        importlib.import_module("localaws.glue_jobs.api").register(built, aws)
    return built
