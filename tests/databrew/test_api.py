"""Datasets, recipes and jobs as definitions."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.databrew.conftest import ROLE, DataBrew, step

UPPER = step("UPPER_CASE", sourceColumn="a")
LOWER = step("LOWER_CASE", sourceColumn="a")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_draft_changes_and_published_versions_do_not(brew: DataBrew) -> None:
    client = brew.client
    client.create_recipe(Name="r", Steps=[UPPER])
    with pytest.raises(ClientError) as error:
        client.describe_recipe(Name="r")
    assert code(error) == "ResourceNotFoundException", "nothing is published yet"

    client.publish_recipe(Name="r", Description="first")
    client.update_recipe(Name="r", Steps=[LOWER])
    client.publish_recipe(Name="r")

    assert client.describe_recipe(Name="r", RecipeVersion="1.0")["Steps"] == [UPPER]
    assert client.describe_recipe(Name="r")["RecipeVersion"] == "2.0"
    assert client.describe_recipe(Name="r", RecipeVersion="LATEST_WORKING")["Steps"] == [LOWER]
    versions = client.list_recipe_versions(Name="r")["Recipes"]
    assert [version["RecipeVersion"] for version in versions] == ["2.0", "1.0"]
    assert [r["Name"] for r in client.list_recipes()["Recipes"]] == ["r"]

    answer = client.batch_delete_recipe_version(Name="r", RecipeVersions=["1.0", "7.0"])
    assert [error["RecipeVersion"] for error in answer["Errors"]] == ["7.0"]
    with pytest.raises(ClientError) as error:
        client.delete_recipe_version(Name="r", RecipeVersion="LATEST_WORKING")
    assert code(error) == "ConflictException"
    client.delete_recipe_version(Name="r", RecipeVersion="2.0")
    client.delete_recipe_version(Name="r", RecipeVersion="LATEST_WORKING")
    assert client.list_recipes(RecipeVersion="LATEST_WORKING")["Recipes"] == []


@pytest.mark.parametrize(
    ("operation", "who"),
    [
        ("FILL_MISSING_VALUES", "DataBrew has no such operation"),
        ("GET_ADVANCED_DATATYPE", "it is no step"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_when_it_is_written(
    brew: DataBrew, operation: str, who: str
) -> None:
    with pytest.raises(ClientError, match=rf"Step 2 \({operation}\).*{who}") as error:
        brew.client.create_recipe(Name="r", Steps=[UPPER, step(operation, sourceColumn="a")])
    assert code(error) == "ValidationException"


def test_a_job_needs_a_published_recipe(brew: DataBrew) -> None:
    brew.dataset("d", "raw/d.csv")
    brew.client.create_recipe(Name="r", Steps=[UPPER])
    job = {
        "Name": "j",
        "DatasetName": "d",
        "RoleArn": ROLE,
        "Outputs": [{"Location": {"Bucket": "lake", "Key": "out/"}}],
    }
    for version, expected in (
        ("LATEST_WORKING", "ValidationException"),
        ("1.0", "ResourceNotFoundException"),
    ):
        with pytest.raises(ClientError) as error:
            brew.client.create_recipe_job(
                **job, RecipeReference={"Name": "r", "RecipeVersion": version}
            )
        assert code(error) == expected

    brew.client.publish_recipe(Name="r")
    brew.client.create_recipe_job(**job, RecipeReference={"Name": "r"})

    assert brew.client.describe_job(Name="j")["RecipeReference"]["RecipeVersion"] == (
        "LATEST_PUBLISHED"
    )
    with pytest.raises(ClientError, match="used by job j"):
        brew.client.delete_dataset(Name="d")
    with pytest.raises(ClientError, match="used by job j"):
        brew.client.delete_recipe_version(Name="r", RecipeVersion="1.0")
    brew.client.delete_job(Name="j")
    brew.client.delete_dataset(Name="d")


def test_an_update_moves_the_output_of_a_job(brew: DataBrew) -> None:
    brew.dataset("d", "raw/d.csv")
    brew.recipe("r", UPPER)
    brew.job("j", "d", "r")

    brew.client.update_recipe_job(
        Name="j",
        RoleArn=ROLE,
        Outputs=[{"Location": {"Bucket": "lake", "Key": "runs/run=1/"}, "Format": "PARQUET"}],
    )

    job = brew.client.describe_job(Name="j")
    assert job["Outputs"][0]["Location"]["Key"] == "runs/run=1/"
    assert job["DatasetName"] == "d"
    assert [j["Name"] for j in brew.client.list_jobs(DatasetName="d")["Jobs"]] == ["j"]


def test_what_localaws_lacks_is_refused_by_name(brew: DataBrew) -> None:
    brew.dataset("d", "raw/d.csv")
    brew.recipe("r", UPPER)
    with pytest.raises(ClientError, match="Tableau's own program"):
        brew.job("j", "d", "r", Format="TABLEAUHYPER")
    with pytest.raises(ClientError, match="whole bucket"):
        brew.job("j", "d", "r", Location={"Bucket": "lake"}, Overwrite=True)
