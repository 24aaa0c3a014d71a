"""DataBrew datasets and recipes, and the Glue job."""

from __future__ import annotations

import json
from pathlib import Path

from executions import hashes
from infrastructure import deployables
from infrastructure.names import FIVE_TABLES, JOIN_FEATURES, databrew_name
from infrastructure.template.functions import SERVICE_SECONDS
from infrastructure.template.protection import of_glue_job
from infrastructure.words import Json, attribute, ref, resource, sub
from tasks import glue

RECIPES = Path(__file__).resolve().parents[2] / "databrew_recipes"


def read_recipe(name: str) -> list[Json]:
    """The steps of `databrew_recipes/<name>.json`, as DataBrew takes them."""
    steps: list[Json] = json.loads((RECIPES / f"{name}.json").read_text())
    return steps


def recipe_sha256(name: str) -> str:
    """The recipe's hash without regard to spacing, as the audit record has it."""
    return hashes.of_document(read_recipe(name))


def databrew() -> Json:
    """The datasets of the raw tables, and the recipes with their published versions."""
    found: Json = {
        name: resource(
            "AWS::DataBrew::Dataset",
            {
                "Name": sub(databrew_name(dataset)),
                "Input": {
                    "DataCatalogInputDefinition": {
                        "CatalogId": ref("AWS::AccountId"),
                        "DatabaseName": sub(FIVE_TABLES),
                        "TableName": table,
                    }
                },
            },
        )
        for name, dataset, table in (
            ("RawOrdersDataset", "raw-orders", "orders"),
            ("RawOrderProductsDataset", "raw-order-products", "order_products"),
        )
    }
    for name, recipe in deployables.RECIPES.items():
        found |= _recipe(name, recipe)
    return found


def _recipe(name: str, recipe: str) -> Json:
    return {
        f"{name}Recipe": resource(
            "AWS::DataBrew::Recipe",
            {"Name": sub(deployables.recipe_name(recipe)), "Steps": read_recipe(recipe)},
        ),
        f"{name}Version": resource(
            "Custom::PublishedRecipe",
            {
                "ServiceToken": attribute("CustomResources", "Arn"),
                "ServiceTimeout": SERVICE_SECONDS,
                "RecipeName": ref(f"{name}Recipe"),
                "Hash": recipe_sha256(recipe),  # another text, another version
            },
        ),
    }


def glue_job() -> Json:
    return {
        "JoinFeaturesJob": resource(
            "AWS::Glue::Job",
            {
                "Name": sub(JOIN_FEATURES),
                "Role": attribute("JoinFeaturesRole", "Arn"),
                "GlueVersion": "5.1",
                "WorkerType": "G.1X",
                "NumberOfWorkers": 2,
                "Timeout": glue.JOB_TIMEOUT_SECONDS // 60,
                "ExecutionProperty": {"MaxConcurrentRuns": 3},
                "Connections": of_glue_job(),
                "Command": {
                    "Name": "glueetl",
                    "PythonVersion": "3",
                    "ScriptLocation": sub("s3://${CodeBucket}/${JoinFeaturesKey}"),
                },
            },
        )
    }
