"""A good run, taken apart: what it says it did is there, and is right."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tarfile
import time
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from rebuy.cli import baskets
from tests.pipeline.stack import Execution, Json, Stack

CLEAN = ("orders", "order_products")
SETS = ("training", "validation", "holdout", "scoring")


@pytest.fixture(scope="module")
def record(stack: Stack, good: Execution) -> Json:
    return stack.record(good.arn)


def outputs_of(record: Json) -> dict[str, Json]:
    return {entry["dataset"]: entry for entry in record["outputs"]}


def model_of(archive: bytes) -> bytes:
    """The booster in a model.tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        member = opened.extractfile("xgboost-model")
        assert member is not None
        return member.read()


def test_every_output_in_the_record_exists_with_its_hash_and_its_rows(
    stack: Stack, record: Json
) -> None:
    from pyarrow import parquet

    wanted = {f"{clean}/{name}" for clean in ("cleaned", "clean") for name in CLEAN}
    wanted |= {"features/order_products_prior"}
    wanted |= {"features/product_history"}
    wanted |= {f"features/{name}_features" for name in ("user", "user_product", "product")}
    wanted |= {f"sets/set={name}" for name in SETS} | {"features/products", "evaluation"}
    assert set(outputs_of(record)) == wanted

    for dataset in record["outputs"]:
        counted = 0
        for entry in dataset["objects"]:
            body = stack.read(entry["key"], entry["version_id"])
            assert len(body) == entry["bytes"]
            assert hashlib.sha256(body).hexdigest() == entry["sha256"], entry["key"]
            if entry["rows"] is not None:
                rows = parquet.ParquetFile(io.BytesIO(body)).metadata.num_rows
                assert rows == entry["rows"], entry["key"]
                counted += rows
        assert dataset["rows"] == counted  # of evaluation/: of the next baskets


def test_rows_are_those_that_plain_python_counts_in_the_raw_files(
    stack: Stack, record: Json
) -> None:
    """Each table's row count, from the CSV files alone, without any engine."""

    def lines(key: str) -> list[Json]:
        return list(csv.DictReader(io.StringIO(stack.raw[key].decode())))

    orders = {row["order_id"]: row for row in lines("raw/orders/orders.csv")}
    prior = lines("raw/order_products/order_products__prior.csv")
    train = lines("raw/order_products/order_products__train.csv")
    last = {
        row["user_id"]: row["eval_set"] for row in orders.values() if row["eval_set"] != "prior"
    }

    counts: dict[str, int] = {}  # of prior orders
    for row in orders.values():
        if row["eval_set"] == "prior":
            counts[row["user_id"]] = max(counts.get(row["user_id"], 0), int(row["order_number"]))
    known: dict[int, set[tuple[str, str]]] = {0: set(), 1: set(), 2: set()}
    for line in prior:
        order = orders[line["order_id"]]
        back = counts[order["user_id"]] + 1 - int(order["order_number"])
        for held_back in range(min(back, 3)):
            known[held_back].add((order["user_id"], line["product_id"]))
    pairs = known[0]
    earlier = [
        (user, product)
        for held_back in (1, 2)
        for user, product in known[held_back]
        if last[user] == "train"
    ]
    learned = [user for user, _ in earlier if 10 <= split(user) < 90]

    rows = {name: entry["rows"] for name, entry in outputs_of(record).items()}
    for clean in ("cleaned", "clean"):
        assert rows[f"{clean}/orders"] == len(orders)
        assert rows[f"{clean}/order_products"] == len(prior) + len(train)
    assert rows["features/order_products_prior"] == len(prior)
    assert rows["features/product_history"] == 20 * sum(
        len({product for _, product in of}) for of in known.values()
    )
    assert rows["features/user_features"] == len({user for user, _ in pairs}) + sum(
        len({user for user, _ in known[held_back] if last[user] == "train"}) for held_back in (1, 2)
    )
    assert rows["features/user_product_features"] == len(pairs) + len(earlier)
    assert rows["features/product_features"] == len({product for _, product in pairs})
    assert rows["features/products"] == len(lines("raw/products/products.csv"))
    assert rows["sets/set=scoring"] == sum(last[user] == "test" for user, _ in pairs)
    assert rows["evaluation"] == rows["sets/set=scoring"]  # the next baskets
    labelled = sum(rows[f"sets/set={name}"] for name in SETS[:3])
    assert labelled == sum(last[user] == "train" for user, _ in pairs) + len(learned)


def split(user: str) -> int:
    """Below 10, and 90 and above: kept aside, never trained on."""
    return zlib.crc32(f"rebuy-split-1:{user}".encode()) % 100


def test_no_user_is_in_two_sets_and_labels_are_the_train_orders(
    stack: Stack, good: Execution, record: Json
) -> None:
    users: dict[str, set[int]] = {}
    labelled: set[tuple[int, int]] = set()
    for name in SETS:
        table = stack.parquet(f"runs/run={record['run']['id']}/sets/set={name}/").to_pydict()
        users[name] = set(table["user_id"])
        if name != "scoring":
            pairs = zip(table["order_id"], table["product_id"], table["label"], strict=True)
            labelled |= {(order, product) for order, product, label in pairs if label}
    assert sum(map(len, users.values())) == len(set.union(*users.values()))
    assert all(users.values())

    text = stack.raw["raw/order_products/order_products__train.csv"].decode()
    train = {
        (int(row["order_id"]), int(row["product_id"])): row["reordered"]
        for row in csv.DictReader(io.StringIO(text))
    }
    orders = {order for order, _ in train}
    assert {(order, product) for order, product in labelled if order in orders} == {
        key for key, reordered in train.items() if reordered == "1"
    }
    assert users["training"] == {user for user in users["training"] if 10 <= split(str(user)) < 90}


def test_record_has_every_member_that_is_promised(
    stack: Stack, good: Execution, record: Json
) -> None:
    from workflows import purchase_prediction as workflow

    assert record["status"] == "SUCCEEDED"
    assert record["error"] is record["cause"] is record["failed_state"] is None
    assert record["trigger"] == {"kind": "manual"}
    execution = record["execution"]
    assert execution["arn"] == good.arn
    assert execution["definition_sha256"] == workflow.definition_sha256()
    assert re.search(r":\d+$", execution["state_machine_version"])
    assert execution["state_machine_alias"].endswith(":live")

    assert [entry["key"] for entry in record["inputs"]] == sorted(stack.raw)
    for entry in record["inputs"]:
        body = stack.raw[entry["key"]]
        assert entry["bytes"] == len(body)
        assert entry["sha256"] == hashlib.sha256(body).hexdigest()
        assert entry["etag"] and entry["version_id"]

    assert [visit["state"] for visit in record["states"]] == good.states[: len(record["states"])]
    for visit in record["states"][:-1]:
        assert visit["entered_at"] and visit["type"]
        assert visit["exited_at"], visit["state"]
        if visit["type"] == "Task":
            assert visit["request"] is not None
            assert [attempt["status"] for attempt in visit["attempts"]] == ["succeeded"], visit
    assert record["states"][-1]["state"] == "Write audit record"

    figures = {v["state"]: v["figures"] for v in record["states"] if v.get("figures")}
    assert {name for name, found in figures.items() if "sql_sha256" in found} >= {
        "Join prior order lines",
        "Compute product history",
        "Compute user features",
        "Publish table",
    }
    assert {name for name, found in figures.items() if "recipe_sha256" in found} == {
        "Clean table",
        "Compute product features",
    }
    assert figures["Join features"]["job_run_id"] and figures["Train"]["training_job"]
    assert record["code"]["files"]["training/train.py"]
    assert {"python", "xgboost", "pyarrow", "numpy"} <= set(record["versions"])
    assert record["hyperparameters"]["max_depth"] in (4, "4")
    assert "sagemaker-xgboost:3.0-5" in figures["Train"]["image"]
    assert record["metrics"]["champion"] is None
    assert 0.6 < record["metrics"]["challenger"]["auc"] < 1
    assert record["gate"]["publish"] is True and "nothing is live yet" in record["gate"]["reason"]
    assert record["gate"]["challenger"]["auc"] == record["metrics"]["challenger"]["auc"]
    key = record["model"]["key"]
    assert record["model"]["sha256"] == hashlib.sha256(stack.read(key)).hexdigest()
    assert record["endpoint"]["before"]["endpoint_config"] is None
    assert record["endpoint"]["after"]["endpoint_status"] == "InService"
    assert record["smoke_test"]["rows"] > 0
    assert all(value > 0 for value in record["cost_inputs"].values()), record["cost_inputs"]
    assert record["schema_version"] == 2
    (only,) = record["tries"]
    assert (only["number"], only["status"], only["failed_state"]) == (1, "SUCCEEDED", None)


def test_endpoint_answers_the_golden_rows(stack: Stack, record: Json) -> None:
    golden = json.loads(stack.read(f"runs/run={record['run']['id']}/evaluation/golden.json"))
    answer = stack.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=stack.outputs["EndpointName"],
        ContentType="text/csv",
        Accept="text/csv",
        Body="\n".join(",".join(map(repr, row)) for row in golden["rows"]),
    )
    told = [float(value) for value in answer["Body"].read().decode().split()]
    assert told == pytest.approx(golden["probabilities"], abs=1e-6)


def test_api_answers_the_reference_example_as_the_live_model(stack: Stack, record: Json) -> None:
    answer = stack.predict()

    assert set(answer) == {"will_buy", "probability", "threshold", "model"}
    assert answer["model"] == record["run"]["name"]
    assert answer["threshold"] == pytest.approx(record["metrics"]["challenger"]["threshold"])
    assert answer["will_buy"] is (answer["probability"] >= answer["threshold"])


def test_next_baskets_go_live_with_the_model(stack: Stack, record: Json) -> None:
    """The view, the command that reads it, and the API say the same of the same model."""
    figures = baskets.summary(stack.connection, stack.outputs)
    scored = {entry["dataset"]: entry for entry in record["outputs"]}["sets/set=scoring"]
    assert figures["model"] == record["run"]["name"]
    assert scored["rows"] == sum(
        int(row["rows_found"])
        for row in baskets.read(
            stack.connection,
            baskets.query(
                stack.connection,
                stack.outputs,
                "SELECT user_bucket, count(*) AS rows_found FROM next_baskets GROUP BY 1",
            ),
        )
    )
    examples = api(stack, "/customers")["examples"]
    assert examples
    for customer in (entry["customer_id"] for entry in examples):
        told = api(stack, f"/customers/{customer}/next-basket?most=5")
        rows = baskets.of_customer(stack.connection, stack.outputs, customer, 5)
        assert told["model"] == figures["model"]
        assert [(p["product_id"], p["product"], p["in_basket"]) for p in told["products"]] == [
            (int(row["product_id"]), row["product_name"], row["chosen"] == "true") for row in rows
        ]
        assert [p["probability"] for p in told["products"]] == pytest.approx(
            [float(row["probability"]) for row in rows]
        )


def api(stack: Stack, path: str) -> Any:
    with urllib.request.urlopen(f"{stack.outputs['ApiUrl']}{path}", timeout=30) as answer:
        return json.load(answer)


def test_api_says_what_is_wrong_with_a_bad_line(stack: Stack, good: Execution) -> None:
    request = urllib.request.Request(
        f"{stack.outputs['ApiUrl']}/predict",
        data=stack.example.replace("3418", "soon").encode(),
        headers={"Content-Type": "text/csv"},
    )
    with pytest.raises(urllib.request.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 400
    assert "user_period" in refused.value.read().decode()


def test_page_gives_the_same_answer_in_a_browser(
    stack: Stack, good: Execution, browser: Browser
) -> None:
    answer = stack.predict()
    page = browser.new_page()
    page.goto(stack.outputs["SiteUrl"])
    page.get_by_role("tab", name="Paste a row").click()
    page.get_by_label("One line of 18 numbers").fill(stack.example)
    page.get_by_role("button", name="Predict").click()
    verdict = "Likely to buy it again" if answer["will_buy"] else "Unlikely to buy it again"
    expect(page.locator("#verdict")).to_have_text(verdict)
    shown = page.locator("#probability").inner_text()
    assert float(shown.split()[0]) == pytest.approx(answer["probability"] * 100, abs=0.06)
    assert page.locator("#model").inner_text() == answer["model"]
    page.close()


def test_report_has_the_states_the_hashes_and_the_model_of_the_run(
    stack: Stack, good: Execution, record: Json, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    stack.rebuy("audit", good.arn, "--html", str(file))

    text = file.read_text()
    hashes = re.search(r"(\d+) of (\d+) hashes, computed again for this report, are the same", text)
    assert hashes and hashes[1] == hashes[2] and int(hashes[1]) > len(record["inputs"])
    assert f"{record['metrics']['challenger']['auc']:.4f}" in text
    for chart in ("ROC curve", "Precision and recall", "Calibration", "Feature importance"):
        assert f"<figcaption>{chart}</figcaption>" in text
    for visit in record["states"]:
        assert f"<b>{visit['state']}</b>" in text
    assert "<script" not in text and 'src="' not in text


def test_audit_verifies_and_notices_one_changed_byte(
    stack: Stack, good: Execution, record: Json
) -> None:
    fine = stack.rebuy("audit", good.arn, "--verify", "--json")
    findings = json.loads(fine.stdout)["verification"]
    assert all(finding["ok"] for finding in findings), findings
    kinds = {finding["kind"] for finding in findings}
    assert {"raw file", "model", "clean/orders", "sets/set=holdout", "evaluation"} <= kinds
    assert {"definition", "SQL", "recipe"} <= {kind.split()[0] for kind in kinds}

    entry = outputs_of(record)["sets/set=holdout"]["objects"][0]
    file = stack.home / "objects" / stack.lake / entry["key"]
    before, times = file.read_bytes(), file.stat()
    changed = bytearray(before)
    changed[len(changed) // 2] ^= 1
    try:
        file.write_bytes(changed)
        found = stack.rebuy("audit", good.arn, "--verify", check=False)
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert found.returncode == 3
    assert f"DIFFERS: sets/set=holdout {entry['key']}" in found.stdout
    # The same bytes again, but written over: the version that the record names may be gone.
    assert "DIFFERS" not in stack.rebuy("audit", good.arn, "--verify", check=False).stdout


def test_a_start_by_hand_makes_the_same_model_again_and_changes_nothing(
    stack: Stack, good: Execution, record: Json, tmp_path: Path
) -> None:
    """The same data and code again: the same bytes of model, so the gate keeps what is live."""
    live, started = stack.live(), set(stack.executions())
    data = tmp_path / "raw"
    data.mkdir()
    for key, body in stack.raw.items():
        (data / Path(key).name).write_bytes(body)

    said = stack.rebuy("data", "upload", str(data))
    assert said.stderr.count("unchanged") == len(stack.raw)
    assert "nothing is new, so nothing is started" in said.stderr
    watched = stack.rebuy("start", "--wait")
    assert watched.stdout.split()[-1] == "SUCCEEDED"
    for name in ("Check raw data", "Join features", "Train"):
        assert name in watched.stderr

    (arn,) = set(stack.executions()) - started
    again = stack.record(arn)
    assert again["trigger"]["kind"] == "manual"
    assert again["outcome"] == "not better"
    assert again["previous"]["sha256"] in live.records.values()
    for name in SETS:  # the same rows in the same order; Parquet may lay them out otherwise
        sets = [
            stack.parquet(f"runs/run={r['run']['id']}/sets/set={name}/") for r in (record, again)
        ]
        assert sets[0].equals(sets[1]), name
    models = [model_of(stack.read(r["model"]["key"])) for r in (record, again)]
    assert models[0] == models[1]
    assert again["gate"]["publish"] is False
    assert "more than +0.0000 must be certain" in again["gate"]["reason"]
    assert again["metrics"]["champion"]["auc"] == again["metrics"]["challenger"]["auc"]
    # Counted by the endpoint's process, written to its log, summed and compared by the next run.
    drift = again["gate"]["drift"]
    assert drift["holdout"]["psi"] == 0
    assert drift["asked"]["rows"] >= 1
    assert again["endpoint"]["before"]["endpoint_config"] == live.endpoint_config
    assert again["endpoint"]["after"]["endpoint_config"] == live.endpoint_config
    assert stack.live().answer == live.answer
    assert stack.live().views == live.views

    header, *listed = stack.rebuy("status").stdout.splitlines()
    assert header.split() == ["STATUS", "STARTED", "TOOK", "BY", "NAME"]
    assert len(listed) >= 2 and all(line.startswith("SUCCEEDED") for line in listed)
    assert "SUCCEEDED" in stack.rebuy("status", "latest").stdout


def test_an_upload_of_the_same_bytes_and_a_schedule_find_nothing_new(
    stack: Stack, good: Execution, record: Json
) -> None:
    """The real trigger, switched on for this test; and what the schedule sends."""
    from configuration.connection import Connection
    from infrastructure.deploy import deploy

    live, before = stack.live(), set(stack.executions())
    settings = stack.connection.settings
    on = settings.model_copy(update={"upload_trigger": "ENABLED", "settle_seconds": 2})
    deploy(Connection(on), lambda line: None)
    for key, body in stack.raw.items():
        stack.client("s3").put_object(Bucket=stack.raw_bucket, Key=key, Body=body)
    deadline = time.monotonic() + 60
    while not (started := set(stack.executions()) - before):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (arn,) = started
    uploaded = stack.wait(arn)
    deploy(stack.connection, lambda line: None)
    scheduled = stack.run({"schedule": {"time": "2026-11-22T08:00:00Z"}})

    for kind, run in (("upload", uploaded), ("schedule", scheduled)):
        assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
        assert run.states == ["Receive trigger", "Anything new?", "Write audit record"]
        written = stack.record(run.arn)
        assert written["trigger"]["kind"] == kind
        assert (written["status"], written["outcome"]) == ("SUCCEEDED", "nothing new")
        assert written["run"]["same_as"]["execution"] in before
    assert len(set(stack.executions()) - before) == 2
    after = stack.live()
    assert (after.endpoint_config, after.views) == (live.endpoint_config, live.views)


def spark_processes(home: Path) -> list[int]:
    """Processes whose command line names this home's Glue runs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{home}/glue-runs" in command:
            found.append(int(folder.name))
    return found


def wait_for(what: Any, seconds: float = 60.0) -> Any:
    import time

    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def test_stop_ends_the_spark_process_that_the_run_waits_for(stack: Stack, good: Execution) -> None:
    arn = stack.start(stack.fork(good, "Join features"), stack.machine("Join features"))
    wait_for(lambda: spark_processes(stack.home))

    stack.rebuy("stop", arn)

    ended = stack.wait(arn)
    assert (ended.status, ended.error) == ("ABORTED", "StoppedByUser")
    wait_for(lambda: not spark_processes(stack.home), 15)
    job = stack.record(good.arn)["states"]
    name = next(v["figures"]["job"] for v in job if v["state"] == "Join features")
    glue = stack.client("glue")

    def newest() -> str:
        return str(glue.get_job_runs(JobName=name)["JobRuns"][0]["JobRunState"])

    wait_for(lambda: newest() != "STOPPING", 15)  # what the script said is logged first
    assert newest() == "STOPPED"
    assert "ABORTED" in stack.rebuy("status", arn).stdout
    assert stack.rebuy("watch", arn, check=False).returncode == 1
