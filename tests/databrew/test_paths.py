"""Keys with patterns and parameters: which objects they mean, and the columns they make."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.databrew import paths
from localaws.s3.stored import StoredObject
from tests.databrew.conftest import DataBrew, step
from tests.databrew.test_runs import rows

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def stored(key: str, age_hours: float = 0) -> StoredObject:
    return StoredObject("lake", key, Path(key), 1, "etag", "null", NOW - timedelta(hours=age_hours))


def chosen(key: str, keys: list[str], **options: Any) -> list[str]:
    path = paths.compiled(key, options)
    return [each.item.key for each in path.select([stored(one) for one in keys], NOW)]


def parameter(name: str, kind: str, expression: str = "", layout: str = "", **values: str) -> Any:
    found: dict[str, Any] = {"Name": name, "Type": kind}
    if expression:
        given = {f":{key}": value for key, value in values.items()}
        found["Filter"] = {"Expression": expression, "ValuesMap": given}
    if layout:
        found["DatetimeOptions"] = {"Format": layout}
    return {"Parameters": {name: found}}


# https://docs.aws.amazon.com/databrew/latest/dg/datasets.multiple-files.html
@pytest.mark.parametrize(
    ("key", "keys", "options", "wanted"),
    [
        ("invoice<.*>/data.json", ["invoice1/data.json", "invoice/a/data.json", "other/data.json"],
         {}, ["invoice1/data.json", "invoice/a/data.json"]),
        ("raw/<[^/]+>.csv", ["raw/a.csv", "raw/b/c.csv"], {}, ["raw/a.csv"]),
        ("y<\\d{2}>.csv", ["y21.csv", "y2.csv"], {}, ["y21.csv"]),
        ("in/", ["in/a.csv", "in/b.csv"], {}, ["in/a.csv", "in/b.csv"]),
        ("{c}/x.csv", ["DE/x.csv", "de/x.csv"],
         parameter("c", "String", "matches :v", v="[A-Z]{2}"), ["DE/x.csv"]),
        ("{c}/x.csv", ["ab/x.csv", "bc/x.csv", "cz/x.csv"],
         parameter("c", "String", "(starts_with :p or starts_with :q) and not ends_with :z",
                   p="a", q="c", z="z"), ["ab/x.csv"]),
        ("n{n}.csv", ["n5.csv", "n10.csv", "nx.csv"], parameter("n", "Number", "gte :v", v="10"),
         ["n10.csv"]),
        ("d-{t}.csv", ["d-2026-11-21.csv", "d-2026-11-22.csv", "d-2026-13-01.csv"],
         parameter("t", "Datetime", "relative_after :v", "yyyy-MM-dd", v="-24h"),
         ["d-2026-11-22.csv"]),
        ("d-{t}.csv", ["d-11.21.2026-at-10:00.csv", "d-11.22.2026.csv"],
         parameter("t", "Datetime", "before :v", "MM.dd.yyyy-'at'-HH:mm",
                   v="2026-12-01T00:00:00Z"), ["d-11.21.2026-at-10:00.csv"]),
    ],
)  # fmt: skip
def test_a_key_means_these_objects(
    key: str, keys: list[str], options: Any, wanted: list[str]
) -> None:
    assert chosen(key, keys, **options) == wanted


def test_files_are_limited_by_their_number_and_their_age() -> None:
    items = [stored("in/a", 50), stored("in/b", 1), stored("in/c", 2)]
    recent = {"Expression": "relative_after :t", "ValuesMap": {":t": "-2d"}}
    for options, wanted in (
        ({"FilesLimit": {"MaxFiles": 2}}, ["in/b", "in/c"]),
        ({"FilesLimit": {"MaxFiles": 1, "Order": "ASCENDING"}}, ["in/a"]),
        ({"LastModifiedDateCondition": recent}, ["in/b", "in/c"]),
    ):
        found = paths.compiled("in/", options).select(items, NOW)
        assert [each.item.key for each in found] == wanted


@pytest.mark.parametrize(
    ("key", "options", "problem"),
    [
        ("a/<[>", {}, "no regular pattern"),
        ("a/<b", {}, "a bracket that is not closed"),
        ("a/<(b)>", {}, "(?:...) makes none"),
        ("a.csv", parameter("x", "String"), "'x' is not in the key"),
        ("{x}", parameter("x", "Number", "contains :v", v="1"), "has no condition 'contains'"),
        ("{x}", parameter("x", "String", "is :w", v="1"), "':w' is no value of it"),
        ("{x}", parameter("x", "Datetime"), "needs DatetimeOptions.Format"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused(
    brew: DataBrew, key: str, options: Any, problem: str
) -> None:
    with pytest.raises(ClientError, match=re.escape(problem)):
        brew.dataset("d", key, PathOptions=options)


def test_parameters_become_columns_and_types_are_of_all_files(brew: DataBrew) -> None:
    brew.put("cases/DE/one.csv", "n,m\n1,1\n")
    brew.put("cases/FR/one.csv", "n,m\n2,x\n")
    brew.put("cases/FR/note.txt", "no data")
    country = {"Name": "country", "Type": "String", "CreateColumn": True}
    brew.dataset("d", "cases/{country}/<.*>.csv", PathOptions={"Parameters": {"country": country}})
    brew.recipe("keep", step("UPPER_CASE", sourceColumn="m"))
    brew.job("j", "d", "keep")

    assert brew.run("j")["State"] == "SUCCEEDED"
    assert rows(brew, "out/") == [
        {"n": 1, "m": "1", "country": "DE"},
        {"n": 2, "m": "X", "country": "FR"},
    ]
