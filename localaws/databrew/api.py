"""The DataBrew service: datasets, recipes, recipe jobs and their runs.

Projects, profile jobs, rulesets and schedules are refused by name.
"""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.databrew.datasets import Datasets
from localaws.databrew.jobs import RecipeJobs
from localaws.databrew.recipe import evidence
from localaws.databrew.recipes import Recipes
from localaws.databrew.runs import RecipeRuns


def service(aws: LocalAws) -> Service:
    built = Service("databrew", notes=evidence.page())
    datasets = Datasets(aws)
    recipes = Recipes(aws)
    jobs = RecipeJobs(aws, datasets, recipes)
    runs = RecipeRuns(aws, datasets, recipes, jobs)
    for part in (datasets, recipes, jobs, runs):
        part.register(built)
    return built
