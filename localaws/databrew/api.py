"""The DataBrew service: datasets, recipes, rulesets, jobs and their runs, schedules, projects."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.databrew.datasets import Datasets
from localaws.databrew.jobs import RecipeJobs
from localaws.databrew.profile_jobs import ProfileJobs
from localaws.databrew.projects import Projects
from localaws.databrew.recipe import evidence
from localaws.databrew.recipes import Recipes
from localaws.databrew.rulesets import Rulesets
from localaws.databrew.runs import JobRuns
from localaws.databrew.schedules import Schedules
from localaws.databrew.tags import Tags


def service(aws: LocalAws) -> Service:
    built = Service("databrew", notes=evidence.page())
    datasets = Datasets(aws)
    recipes = Recipes(aws)
    jobs = RecipeJobs(aws, datasets, recipes)
    rulesets = Rulesets(aws, datasets)
    profiles = ProfileJobs(aws, datasets, jobs, rulesets)
    runs = JobRuns(aws, datasets, recipes, jobs, rulesets)
    projects = Projects(aws, datasets, recipes, runs)
    schedules = Schedules(aws, jobs, runs)
    for part in (datasets, recipes, rulesets, jobs, profiles, runs, schedules, projects, Tags(aws)):
        part.register(built)
    return built
