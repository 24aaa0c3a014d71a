"""The profiles of a run's tables, from jobs that its function makes to what it says of them."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.functions import databrew_leftovers, profiles
from tests.databrew.conftest import ROLE, DataBrew

Json = dict[str, Any]
ORDERS = {
    "order_id": "bigint", "user_id": "bigint", "eval_set": "string", "order_number": "int",
    "order_dow": "int", "order_hour_of_day": "int", "days_since_prior_order": "double",
}  # fmt: skip
LINES = {"order_id": "bigint", "product_id": "bigint", "add_to_cart_order": "int",
         "reordered": "int"}  # fmt: skip
SHAPES = {"orders": ORDERS, "order_products": LINES}


def table(brew: DataBrew, name: str, database: str, columns: dict[str, str], rows: str) -> None:
    brew.put(f"{name}/rows.csv", rows)
    brew.aws.client("glue").create_table(
        DatabaseName=database,
        TableInput={
            "Name": name,
            "StorageDescriptor": {
                "Location": f"s3://lake/{name}/",
                "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                    "Parameters": {"field.delim": ","},
                },
            },
        },
    )


@pytest.fixture
def shop(brew: DataBrew, monkeypatch: pytest.MonkeyPatch) -> DataBrew:
    """The raw tables and their datasets, as a stack has them, and the function's environment."""
    for name, value in {
        "DATABREW_PREFIX": "shop--",
        "DATABREW_ROLE": ROLE,
        "DATABASE": "shop",
        "LAKE_BUCKET": "lake",
    }.items():
        monkeypatch.setenv(name, value)
    brew.aws.client("glue").create_database(DatabaseInput={"Name": "shop"})
    for of, rows in (("orders", "1,7,prior,1,2,10,\n"), ("order_products", "1,9,1,0\n")):
        table(brew, of, "shop", dict.fromkeys(SHAPES[of], "string"), rows)
        place = {"DatabaseName": "shop", "TableName": of}
        brew.client.create_dataset(
            Name=f"shop-raw-{of.replace('_', '-')}", Input={"DataCatalogInputDefinition": place}
        )
    return brew


def profiled(brew: DataBrew, run: str, orders: str) -> list[Json]:
    """What is said of each table of a run with these clean orders."""
    table(brew, f"cleaned_orders_{run}", "shop", ORDERS, orders)
    table(brew, f"cleaned_order_products_{run}", "shop", LINES, "1,9,1,0\n1,8,2,1\n")
    given = {"id": run, "name": run, "options": {"profile": True}}
    jobs = profiles.prepare(brew.aws.client, given)
    assert profiles.prepare(brew.aws.client, given) == jobs  # a second try finds them there
    found = []
    for job in jobs:
        ended = brew.run(job["job"])
        assert ended["State"] == "SUCCEEDED", ended
        keys = [output["Location"]["Key"] for output in ended["Outputs"]]
        one = {"name": job["name"], "job_run_id": ended["RunId"], "keys": keys}
        found.append(profiles.judge(brew.s3, "lake", one))
    return found


def test_a_run_that_does_not_ask_makes_nothing(shop: DataBrew) -> None:
    run = {"id": "r", "name": "r", "options": {}}

    assert profiles.prepare(shop.aws.client, run) == []
    assert shop.client.list_jobs()["Jobs"] == []


def test_rules_hold_drift_is_told_and_what_is_old_goes(shop: DataBrew) -> None:
    good = "1,7,prior,1,2,10,\n2,7,train,2,3,23,7.5\n"
    first = profiled(shop, "one", good)

    assert [each["name"] for each in first] == [
        "raw_orders", "orders", "raw_order_products", "order_products",
    ]  # fmt: skip
    orders = first[1]
    assert (orders["rows"], orders["columns"], orders["duplicate_rows"]) == (2, 7, 0)
    assert len(orders["rules"]) == 5 and len(first[3]["rules"]) == 3
    assert orders["uri"].startswith("s3://lake/runs/run=one/profiles/orders/")

    record = {"status": "SUCCEEDED", "run": {"id": "one"}, "profiles": first}
    shop.aws.client("s3").put_object(
        Bucket="lake", Key="audit/1.json", Body=profiles.json.dumps(record).encode()
    )
    second = profiled(shop, "two", good + "3,7,test,3,3,23,\n")
    assert {each["compared_with"] for each in second} == {"one"}
    told = {(one["column"], one["what"]) for one in second[1]["drift"]}
    assert ("days_since_prior_order", "missing") in told
    assert second[3]["drift"] == []

    assert len(databrew_leftovers.clear(shop.client, "shop--", kept_runs=1)) == 8


def test_a_rule_that_is_broken_is_named_with_its_rows(shop: DataBrew) -> None:
    with pytest.raises(profiles.DataRulesBroken) as error:
        profiled(shop, "r", "1,7,prior,1,7,10,\n1,7,train,0,3,23,7.5\n")

    told = str(error.value).splitlines()
    assert told[:-1] == [
        "An order is there once: FAILED",
        "Orders are numbered from 1: FAILED: 1 rows do not",
        "A week has seven days: FAILED: 1 rows do not",
    ]
