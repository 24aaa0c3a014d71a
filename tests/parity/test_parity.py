"""What two runs answered, side by side: equal ones differ in nothing, altered ones by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configuration.connection import Connection
from configuration.errors import InputError
from configuration.settings import Settings
from localaws.athena.grammar import statements
from localaws.stepfunctions.integrations import failures
from rebuy.cli.runs import describe
from rebuy.parity import differences, kit
from rebuy.parity.forms import Forms
from rebuy.parity.guesses import guesses
from rebuy.parity.kit import Kit

Json = dict[str, Any]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
OUTPUTS = {
    "LakeBucket": "lake",
    "EndpointName": "none",
    "Database": "features",
    "RawDatabase": "raw",
    "WorkGroup": "primary",
}
DEFINITION = {
    "StartAt": "Begin",
    "States": {
        "Begin": {"Type": "Pass", "Result": {"run": {"id": "r_1", "name": "r-1"}}, "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
            "Parameters": {
                "QueryString": "SELECT 1.5 AS a",
                "ResultConfiguration": {"OutputLocation": "s3://lake/results/"},
            },
            "ResultPath": "$.asked",
            "Next": "Look",
        },
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getTable",
            "Parameters": {"DatabaseName": "raw", "Name": "missing"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failed", "Next": "End"}],
            "Next": "End",
        },
        "End": {"Type": "Succeed"},
    },
}


@pytest.fixture
def run(server: Any) -> Callable[[], Kit]:
    connection = Connection(Settings(endpoint_url=server.url, region="us-east-1"))
    connection.client("s3").create_bucket(Bucket="lake")
    connection.client("glue").create_database(DatabaseInput={"Name": "raw"})
    iam, states = connection.client("iam"), connection.client("stepfunctions")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName="r", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    machine = states.create_state_machine(
        name="m", roleArn=role["Arn"], definition=json.dumps(DEFINITION)
    )["stateMachineArn"]

    def again() -> Kit:
        arn = states.start_execution(stateMachineArn=machine)["executionArn"]
        while describe(connection, arn)["status"] == "RUNNING":
            pass
        return kit.gather(connection, arn, OUTPUTS)

    return again


def told(here: Kit, there: Kit) -> dict[str, tuple[list[str] | None, list[str] | None]]:
    return {one.path: (one.here, one.there) for one in differences.compare(here, there)}


def test_what_is_altered_is_named_and_nothing_else(
    run: Callable[[], Kit], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run()
    assert here.facts["Look: TaskFailed.error"] == ['"Glue.EntityNotFoundException"']
    assert here.facts["glue.get_tables.TableList"] == ["[]"]
    assert told(here, run()) == {}  # other ids, other times

    named = failures.exception_name
    monkeypatch.setattr(statements.Select, "TYPE", "UTILITY")
    monkeypatch.setattr(failures, "exception_name", lambda shape: f"{named(shape)}X")
    found = told(here, run())

    assert found["Look: TaskFailed.error"] == (
        ['"Glue.EntityNotFoundException"'],
        ['"Glue.EntityNotFoundExceptionX"'],
    )
    kinds = (['"DML"'], ['"UTILITY"'])
    assert found["athena.get_query_execution.QueryExecution.StatementType"] == kinds
    assert found["Ask: TaskSucceeded.output:.QueryExecution.StatementType"] == kinds
    assert len(found) == 5  # both again in what the execution put out


@pytest.mark.parametrize(
    ("here", "there", "named"),
    [
        ('{"a": 1.5}', '{"a": 1.5E0}', {"x:.a": (["#.#"], ["#.#E#"])}),
        ('{"a": 1}', '{"a": 1769904000123}', {"x:.a": (["#"], ["# ms"])}),
        ('{"a": 7}', '{"a": 1000}', {}),
        ('{"a": "7"}', '{"a": 7}', {"x:.a": (['"7"'], ["#"])}),
        ('{"a": null}', "{}", {"x:.a": (["null"], None)}),
        ('{"a": {"b": {"c": 1}}}', "{}", {"x:.a": (["{}"], None)}),
        ('{"a": "2026-01-02T03:04:05.678Z"}', '{"a": "2027-01-02 03:04:05 UTC"}', {}),
        ('{"a": "a table"}', '{"a": "a view"}', {"x:.a": (['"a table"'], ['"a view"'])}),
        ('{"a": "x:eu-west-1:111122223333:y"}', '{"a": "x:us-east-1:000000000000:y"}', {}),
        ('{"HTTPStatusCode": 400}', '{"HTTPStatusCode": 403}',
         {"x:.HTTPStatusCode": (["400"], ["403"])}),
    ],
)  # fmt: skip
def test_what_matters_is_how_it_is_written_and_what_it_says(
    here: str, there: str, named: Json
) -> None:
    kits = []
    for text, region in ((here, "eu-west-1"), (there, "us-east-1")):
        forms = Forms(
            {region: "<region>", "000000000000": "<account>", "111122223333": "<account>"}
        )
        forms.add("x", text)
        facts = {path: sorted(found) for path, found in forms.facts.items()}
        kits.append(Kit(where=region, execution="e", status="SUCCEEDED", facts=facts))

    assert told(*kits) == named


def test_a_file_that_is_no_kit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no kit"):
        kit.read(tmp_path / "parity.json")
    (tmp_path / "parity.json").write_text('{"facts": 1}')
    with pytest.raises(InputError, match="is no kit of `rebuy parity`"):
        kit.read(tmp_path / "parity.json")


def test_guesses_are_told_whole_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "a.py").write_text(
        "x = 1\n# GUESSED: that it is so,\n#     as nobody tells\n# another\n"
        "y = 2  # GUESSED: two\n"
    )

    assert [str(one) for one in guesses(tmp_path)] == [
        "tasks/a.py:2: that it is so, as nobody tells",
        "tasks/a.py:5: two",
    ]
    assert len(list(guesses())) >= 10
