"""Profile jobs and rulesets: the files that DataBrew writes, and the numbers in them."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.signals import EventSent
from localaws.databrew.profile.statistics import whole_bounds
from tests.databrew.conftest import ROLE, DataBrew

LINES = "n,price,word,ok,day\n1,1.5,a,true,2020-01-01\n2,2.5,bb,false,\n2,,,true,\n9,4.0,a,,\n"


def profile_job(brew: DataBrew, **settings: Any) -> list[dict[str, Any]]:
    """The files of a run: the profile, and the report where there are rulesets."""
    brew.client.create_profile_job(
        Name="look",
        DatasetName="d",
        RoleArn=ROLE,
        OutputLocation={"Bucket": "lake", "Key": "profiles/"},
        **settings,
    )
    run = brew.run("look")
    assert run["State"] == "SUCCEEDED", run
    stem = f"profiles/d_{run['RunId'].removeprefix('db_')}"
    places = [output["Location"] for output in run["Outputs"]]
    keys = [place["Key"] for place in places]
    assert keys == [f"{stem}.json", f"{stem}_dq-validation-report.json"][: len(keys)]
    files = []
    for place in places:
        files.append(json.loads(brew.s3.get_object(**place)["Body"].read()))
        assert files[-1]["location"] == f"s3://lake/{place['Key']}"
        assert files[-1]["jobRunId"] == run["RunId"]
    return files


@pytest.fixture
def data(brew: DataBrew) -> DataBrew:
    brew.put("raw/d.csv", LINES)
    brew.dataset("d", "raw/d.csv")
    return brew


def test_a_profile_has_the_keys_and_numbers_of_databrews(data: DataBrew) -> None:
    (found,) = profile_job(data)

    assert list(found) == [
        *("defaultProfileConfiguration", "datasetConfigurationOverride", "sampleSize"),
        *("duplicateRowsCount", "columns", "jobName", "jobRunId", "location", "startedOn"),
        *("writtenOn", "version"),
    ]
    assert (found["sampleSize"], found["duplicateRowsCount"], found["version"]) == (4, 0, "1.0")
    columns = {column["name"]: column for column in found["columns"]}
    assert list(columns) == ["n", "price", "word", "ok"], "dates are not profiled"
    number = columns["n"]
    assert number["type"] == "int"
    assert number["correlations"]["n"] == 1.0
    assert (number["distinctValuesCount"], number["uniqueValuesCount"]) == (3, 2)
    assert number["entropy"] == pytest.approx(-(0.5 * math.log(0.25) + 0.5 * math.log(0.5)))
    assert (number["min"], number["max"], number["sum"], number["range"]) == (1, 9, 14, 8)
    assert (number["mean"], number["median"], number["mode"]) == (3.5, 2.0, 2)
    assert number["percentile25"] == 1.75, "linear interpolation"
    assert number["variance"] == pytest.approx(41 / 3), "of a sample"
    assert number["standardDeviation"] == pytest.approx(math.sqrt(41 / 3))
    assert (number["interquartileRange"], number["zerosCount"]) == (2.0, 0)
    assert number["medianAbsoluteDeviation"] == 0.5
    counted = [{"value": value, "count": count} for value, count in ((1, 1), (2, 2), (9, 1))]
    assert number["minimumValues"] == counted
    assert number["maximumValues"] == counted[::-1]
    assert number["mostCommonValues"][0] == {"value": 2, "count": 2}
    assert number["valueDistribution"][-1] == {"bucket": [9.0, "inf"], "count": 1}
    assert len(number["valueDistribution"]) == 9, "bins of width 1 where there are fewer than 20"
    assert number["zScoreDistribution"][0]["bucket"][0] == "-inf"
    assert columns["price"]["missingValuesCount"] == 1
    word = columns["word"]
    assert (word["type"], word["min"], word["max"], word["missingValuesCount"]) == (
        "string",
        1,
        2,
        1,
    )
    assert "sum" not in word
    assert "max" not in columns["ok"]


@pytest.mark.parametrize(
    ("low", "high", "bins", "widths"),
    [  # the ranges of a public profile, with 20 bins
        (0, 25, 20, [1.0] * 15 + [2.0] * 4),
        (0, 38, 20, [1.0] * 2 + [2.0] * 17),
        (3, 9_999_999, 20, [499_999.0] * 4 + [500_000.0] * 15),
        (10, 27, 20, [1.0] * 17),
    ],
)
def test_the_last_bins_of_whole_numbers_are_wider(
    low: int, high: int, bins: int, widths: list[float]
) -> None:
    bounds = whole_bounds(low, high, bins)

    assert [b - a for a, b in itertools.pairwise(bounds)] == widths


def test_the_configuration_chooses_columns_statistics_and_entities(brew: DataBrew) -> None:
    brew.put("raw/d.csv", "mail,n\njo@example.org,1\nnone,2\n")
    brew.dataset("d", "raw/d.csv")

    (found,) = profile_job(
        brew,
        Configuration={
            "DatasetStatisticsConfiguration": {"IncludedStatistics": ["NONE"]},
            "ColumnStatisticsConfigurations": [
                {"Statistics": {"IncludedStatistics": ["MIN", "MAX"]}},
                {"Selectors": [{"Name": "n"}], "Statistics": {"IncludedStatistics": ["MIN"]}},
            ],
            "EntityDetectorConfiguration": {"EntityTypes": ["EMAIL", "USA_SSN"]},
        },
    )

    assert "duplicateRowsCount" not in found
    mail, number = found["columns"]
    assert mail["entity"] == {"entityTypes": ["EMAIL"], "rowsCount": 1}
    assert "min" not in mail, "no statistics of personal data without AllowedStatistics"
    assert (number["entity"], number["min"], "max" in number) == ({}, 1, False)


def rule(name: str, expression: str, **more: Any) -> dict[str, Any]:
    names = {":c": "`n`", ":p": "`price`", ":w": "`word`", ":zero": "0", ":two": "2", ":a": "a"}
    names |= {":list": '["a","bb"]', ":ten": "10"}
    used = {key: value for key, value in names.items() if key in expression}
    substitutions = {"SubstitutionMap": used} if used else {}
    return {"Name": name, "CheckExpression": expression, **substitutions, **more}


# (rule, status, rows that fail)
RULES = [
    (rule("rows", "AGG(ROWS_COUNT) > :zero"), "SUCCEEDED", None),
    (rule("duplicates", "AGG(DUPLICATE_ROWS_COUNT) <= :zero"), "SUCCEEDED", None),
    (rule("unique", "AGG(:c, UNIQUE_VALUES_PERCENTAGE) >= :ten"), "SUCCEEDED", None),
    (rule("mean", "AGG(:c, MEAN) == :two"), "FAILED", None),
    (rule("between", ":c IS BETWEEN :zero AND :ten"), "SUCCEEDED", 0),
    (rule("between too", ":c IS_BETWEEN :zero AND :two"), "FAILED", 1),
    (rule("two columns", ":c <= :p"), "FAILED", 2),
    (rule("in", ":w in :list"), "FAILED", 1),
    (rule("words", ":w starts_with :a or :w contains :a"), "FAILED", 2),
    (rule("not", ":w NOT IN :list"), "FAILED", 4),
    (rule("length", "length(:w) <= :two"), "FAILED", 1),
    (
        rule("enough", ":c <= :two", Threshold={"Value": 75.0, "Unit": "PERCENTAGE"}),
        "SUCCEEDED",
        1,
    ),
    (
        rule("too few", ":c <= :two", Threshold={"Value": 3.0, "Type": "GREATER_THAN"}),
        "FAILED",
        1,
    ),
    (rule("each", "AGG(MISSING_VALUES_COUNT) <= :zero", ColumnSelectors=[{"Regex": "n|word"}]),
     "FAILED", None),
    (rule("nowhere", "AGG(:c, MEAN) >= :zero", SubstitutionMap={":c": "`x`", ":zero": "0"}),
     "ERROR", None),
    (rule("off", "AGG(ROWS_COUNT) < :zero", Disabled=True), None, None),
]  # fmt: skip


def test_a_ruleset_is_checked_and_the_run_succeeds_whatever_it_finds(data: DataBrew) -> None:
    sent: list[dict[str, Any]] = []
    data.aws.signals.subscribe(EventSent, lambda signal: sent.append(signal.event))
    arn = data.client.describe_dataset(Name="d")["ResourceArn"]
    data.client.create_ruleset(Name="rs", TargetArn=arn, Rules=[each for each, _, _ in RULES])
    ruleset = data.client.describe_ruleset(Name="rs")

    _, report = profile_job(data, ValidationConfigurations=[{"RulesetArn": ruleset["ResourceArn"]}])

    (result,) = report["rulesetResults"]
    assert (result["name"], result["status"]) == ("rs", "ERROR")
    found = {each["name"]: each for each in result["ruleResults"]}
    wanted = {each["Name"]: (state, count) for each, state, count in RULES if state}
    assert {
        name: (each["status"], each.get("failedCount")) for name, each in found.items()
    } == wanted
    assert found["each"]["columnResults"] == [
        {"name": "n", "status": "SUCCEEDED"},
        {"name": "word", "status": "FAILED"},
    ]
    assert found["enough"]["definition"]["CheckExpression"] == ":c <= :two"
    events = [each for each in sent if each["detail-type"] == "DataBrew Ruleset Validation Result"]
    assert [each["detail"]["validationState"] for each in events] == ["ERROR"]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (rule("r", ":c <= "), "a value expected before the end"),
        (rule("r", "> :zero"), "needs ColumnSelectors"),
        (rule("r", ":c <= :nothing"), "':nothing' is not in the SubstitutionMap"),
        (rule("r", "AGG(:c, COOLNESS) > :zero"), "there is no statistic COOLNESS"),
        (rule("r", "AGG(ROWS_COUNT) > :zero and :c > :zero"), "mixes checks of rows"),
        (rule("r", "AGG(ROWS_COUNT) > :zero", Threshold={"Value": 1.0}), "have a Threshold"),
        (rule("r", "`n` > 1"), "CheckExpression has 4 to 1024"),
    ],
)
def test_a_rule_that_cannot_be_checked_is_refused_when_it_is_written(
    data: DataBrew, wrong: dict[str, Any], problem: str
) -> None:
    arn = data.client.describe_dataset(Name="d")["ResourceArn"]
    with pytest.raises(ClientError, match=problem) as error:
        data.client.create_ruleset(Name="rs", TargetArn=arn, Rules=[wrong])
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_ruleset_is_one_datasets_and_stays_while_it_is_used(data: DataBrew) -> None:
    arn = data.client.describe_dataset(Name="d")["ResourceArn"]
    data.dataset("other", "raw/d.csv")
    data.client.create_ruleset(Name="rs", TargetArn=arn, Rules=[RULES[0][0]])
    (listed,) = data.client.list_rulesets(TargetArn=arn)["Rulesets"]
    use = [{"RulesetArn": listed["ResourceArn"]}]
    job = {"RoleArn": ROLE, "OutputLocation": {"Bucket": "lake"}, "ValidationConfigurations": use}

    assert listed["RuleCount"] == 1
    with pytest.raises(ClientError, match="is of arn"):
        data.client.create_profile_job(Name="p", DatasetName="other", **job)
    data.client.create_profile_job(Name="p", DatasetName="d", **job)
    with pytest.raises(ClientError, match="used by job p"):
        data.client.delete_ruleset(Name="rs")
    with pytest.raises(ClientError, match="PERSON_NAME"):
        data.client.update_profile_job(
            Name="p",
            Configuration={"EntityDetectorConfiguration": {"EntityTypes": ["PERSON_NAME"]}},
            **job,
        )
