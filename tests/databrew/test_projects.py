"""Projects and their sessions: steps tried, applied, looked at again and taken back; tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.databrew.conftest import ROLE, DataBrew, step

LINES = "id,word,when\n" + "".join(f"{n},w{n % 3},2020-01-0{n % 9 + 1}\n" for n in range(40))
UPPER = step("UPPER_CASE", sourceColumn="word")


@pytest.fixture
def project(brew: DataBrew) -> DataBrew:
    """A project `p` with an open session over the first 30 rows."""
    brew.put("raw/d.csv", LINES + "40,w1,soon\n")
    brew.dataset("d", "raw/d.csv")
    brew.client.create_recipe(Name="r", Steps=[])
    brew.client.create_project(
        Name="p",
        DatasetName="d",
        RecipeName="r",
        RoleArn=ROLE,
        Sample={"Type": "FIRST_N", "Size": 30},
    )
    brew.client.start_project_session(Name="p")
    return brew


def send(brew: DataBrew, **action: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        brew.client.send_project_session_action(Name="p", **action)["Result"]
    )
    return found


def steps(brew: DataBrew) -> list[str]:
    recipe = brew.client.describe_recipe(Name="r", RecipeVersion="LATEST_WORKING")
    return [each["Action"]["Operation"] for each in recipe["Steps"]]


def test_a_preview_changes_nothing_and_an_applied_step_is_saved(project: DataBrew) -> None:
    tried = send(project, RecipeStep=UPPER, Preview=True)
    after_preview = steps(project)
    applied = send(project, RecipeStep=UPPER)
    before = send(project, StepIndex=0)

    assert tried["rows"][0] == applied["rows"][0] == ["0", "W0", "2020-01-01"]
    assert (tried["preview"], tried["stepIndex"], applied["stepIndex"]) == (True, 1, 1)
    assert (after_preview, steps(project)) == ([], ["UPPER_CASE"])
    assert (before["rowCount"], before["rows"][0][1]) == (30, "w0")


def test_a_step_is_taken_back_by_an_update_of_the_recipe(project: DataBrew) -> None:
    send(project, RecipeStep=UPPER)
    project.client.update_recipe(Name="r", Steps=[])

    assert send(project)["rows"][0][1] == "w0"


def test_a_view_frame_chooses_columns_and_rows_and_tells_about_them(project: DataBrew) -> None:
    frame = {"StartColumnIndex": 0, "ColumnRange": 1, "HiddenColumns": ["id"]}

    found = send(project, ViewFrame={**frame, "StartRowIndex": 29, "RowRange": 5})
    plain = send(project, ViewFrame={"StartColumnIndex": 2, "Analytics": "DISABLE"})

    (word,) = found["columns"]
    assert (found["columnCount"], found["rows"]) == (3, [["w2"]])
    assert (word["name"], word["type"], word["distinctValuesCount"]) == ("word", "string", 3)
    assert word["mostCommonValues"][0] == {"value": "w0", "count": 10}
    # One cell of 41 is no date: the column is a text, of which the view says what it could be.
    assert plain["columns"] == [{"name": "when", "type": "string"}]
    assert send(project)["columns"][2]["likelyType"] == "date"
    assert send(project)["columns"][2]["invalidValuesCount"] == 0, "not in the sample"


def test_a_step_that_does_not_fit_is_refused_and_not_applied(project: DataBrew) -> None:
    with pytest.raises(ClientError, match=r"Step 1 \(RENAME\): there is no column 'x'") as error:
        send(project, RecipeStep=step("RENAME", sourceColumn="x", targetColumn="y"))

    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert steps(project) == []


def test_another_session_takes_over_only_on_purpose(project: DataBrew) -> None:
    old = project.client.start_project_session(Name="p")["ClientSessionId"]
    new = project.client.start_project_session(Name="p", AssumeControl=True)["ClientSessionId"]

    with pytest.raises(ClientError, match="under the control of another session"):
        send(project, ClientSessionId=old)
    assert send(project, ClientSessionId=new)["rowCount"] == 30


def test_the_last_rows_and_a_fixed_number_of_random_ones(project: DataBrew) -> None:
    for kind in ("LAST_N", "RANDOM"):
        project.client.update_project(Name="p", RoleArn=ROLE, Sample={"Type": kind, "Size": 5})
        with pytest.raises(ClientError, match="has no session"):
            send(project)
        project.client.start_project_session(Name="p")
        found = send(project)
        assert found["rowCount"] == 5
        if kind == "LAST_N":
            assert found["rows"][-1] == ["40", "w1", "soon"]


def test_a_job_runs_the_projects_recipe_though_nobody_published_it(project: DataBrew) -> None:
    send(project, RecipeStep=UPPER)
    project.client.create_recipe_job(
        Name="j",
        ProjectName="p",
        RoleArn=ROLE,
        Outputs=[{"Location": {"Bucket": "lake", "Key": "out"}, "Overwrite": True}],
    )

    assert project.run("j")["State"] == "SUCCEEDED"

    body = project.s3.get_object(Bucket="lake", Key="out/j_part00000.csv")["Body"].read()
    assert body.splitlines()[-1] == b"40,W1,soon"
    with pytest.raises(ClientError, match="used by job j"):
        project.client.delete_project(Name="p")


def test_a_project_says_who_has_it_open_and_its_recipe_is_its_own(project: DataBrew) -> None:
    described = project.client.describe_project(Name="p")
    recipe = project.client.describe_recipe(Name="r", RecipeVersion="LATEST_WORKING")

    assert described["SessionStatus"] == "ASSIGNED"
    assert described["OpenedBy"] == described["CreatedBy"] == recipe["CreatedBy"]
    assert recipe["ProjectName"] == "p"
    with pytest.raises(ClientError, match="belongs to project p"):
        project.client.create_project(Name="q", DatasetName="d", RecipeName="r", RoleArn=ROLE)
    with pytest.raises(ClientError, match="used by project p"):
        project.client.delete_dataset(Name="d")
    project.client.delete_project(Name="p")
    assert project.client.list_projects()["Projects"] == []
    project.client.create_project(Name="q", DatasetName="d", RecipeName="r", RoleArn=ROLE)


def test_tags_of_each_kind(project: DataBrew) -> None:
    client = project.client
    for arn in (
        client.describe_project(Name="p")["ResourceArn"],
        client.describe_dataset(Name="d")["ResourceArn"],
        client.describe_recipe(Name="r", RecipeVersion="LATEST_WORKING")["ResourceArn"],
    ):
        client.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
        client.untag_resource(ResourceArn=arn, TagKeys=["a"])
        assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}
    with pytest.raises(ClientError) as error:
        client.list_tags_for_resource(ResourceArn="arn:aws:databrew:us-east-1:0:recipe/none")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
