"""Profiles of a run's raw and clean tables, when its input asks for them: DataBrew's jobs are made
here, run by the workflow, and what they wrote is judged: a rule that is broken fails the run, and
the figures are compared with those of the last good run that was profiled.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.functions import increments, raw_checks, storage
from tasks.functions.databrew_leftovers import PROFILES

Json = dict[str, Any]

RULESETS = Path(__file__).resolve().parents[2] / "databrew_rulesets"
JOB_TIMEOUT_MINUTES = 60
MAX_NODES = 5
MOST_FINDINGS = 20  # of a table
# What counts as drift.
SHARE = 0.01  # of missing cells
DEVIATIONS = 0.1  # by which a mean has moved
MIX = 0.05  # of the rows have another value than before, among at most FEW
FEW = 50


class DataRulesBroken(Exception):
    """A rule of databrew_rulesets/ does not hold for a clean table; the text has each rule."""


def prepare(clients: Any, run: Json) -> list[Json]:
    """The tables to profile, {name, job, run}, whose jobs are there then; none unless the run's
    input has `profile`."""
    if not run["options"].get("profile"):
        return []
    databrew, prefix = clients("databrew"), os.environ["DATABREW_PREFIX"]
    found = []
    for table in increments.GROWING:
        slug = table.replace("_", "-")
        raw = f"{prefix.removesuffix('-')}raw-{slug}"  # the stack's own, which is cleaned
        found.append(_job(databrew, f"raw_{table}", table, raw, run, None))
        dataset = f"{prefix}{PROFILES}{slug}-{run['name']}"
        place = {
            "DatabaseName": os.environ["DATABASE"],
            "TableName": f"cleaned_{table}_{run['id']}",
        }
        with suppress(databrew.exceptions.ConflictException):
            databrew.create_dataset(Name=dataset, Input={"DataCatalogInputDefinition": place})
        arn = databrew.describe_dataset(Name=dataset)["ResourceArn"]
        rules = json.loads((RULESETS / f"{table}.json").read_text())
        with suppress(databrew.exceptions.ConflictException):
            databrew.create_ruleset(Name=dataset, TargetArn=arn, Rules=rules)
        ruleset = databrew.describe_ruleset(Name=dataset)["ResourceArn"]
        found.append(_job(databrew, table, table, dataset, run, ruleset))
    return found


def _job(
    databrew: Any, name: str, table: str, dataset: str, run: Json, ruleset: str | None
) -> Json:
    job = f"{os.environ['DATABREW_PREFIX']}{PROFILES}{name.replace('_', '-')}-{run['name']}"
    columns = raw_checks.SHAPES[table].columns
    with suppress(databrew.exceptions.ConflictException):  # an earlier try has made it
        databrew.create_profile_job(
            Name=job,
            DatasetName=dataset,
            RoleArn=os.environ["DATABREW_ROLE"],
            OutputLocation={
                "Bucket": os.environ["LAKE_BUCKET"],
                "Key": f"runs/run={run['id']}/profiles/{name}/",
            },
            JobSample={"Mode": "FULL_DATASET"},
            Configuration={"ProfileColumns": [{"Name": column} for column in columns]},
            MaxCapacity=MAX_NODES,
            Timeout=JOB_TIMEOUT_MINUTES,
            **({"ValidationConfigurations": [{"RulesetArn": ruleset}]} if ruleset else {}),
        )
    return {"name": name, "job": job, "run": run["id"]}


def judge(s3: Any, bucket: str, profiled: Json) -> Json:
    """Of a table that was profiled ({name, job, job_run_id, keys of what the job wrote}): {name,
    job_run_id, uri, rows, columns, duplicate_rows, rules (names), compared_with (the run whose
    profile it was compared with, or null), drift (what has changed since)}. Raises
    DataRulesBroken."""
    reports = [key for key in profiled["keys"] if "dq-validation-report" in key]
    (key,) = set(profiled["keys"]) - set(reports)
    rules = []
    for report in reports:
        rules += _rules(storage.read_json(s3, bucket, report), f"s3://{bucket}/{report}")
    profile = storage.read_json(s3, bucket, key)
    uri = f"s3://{bucket}/{key}"
    before = _before(s3, bucket, profiled["name"], uri)
    drift = [] if before is None else drifted(storage.read_json(s3, bucket, before[1]), profile)
    return {
        "name": profiled["name"],
        "job_run_id": profiled["job_run_id"],
        "uri": uri,
        "rows": profile["sampleSize"],
        "columns": len(profile["columns"]),
        "duplicate_rows": profile.get("duplicateRowsCount"),
        "rules": rules,
        "compared_with": before and before[0],
        "drift": drift[:MOST_FINDINGS],
    }


def _rules(report: Json, place: str) -> list[str]:
    """The names of the rules, all of which hold."""
    found = [rule for ruleset in report["rulesetResults"] for rule in ruleset["ruleResults"]]
    broken = [rule for rule in found if rule["status"] != "SUCCEEDED"]
    if broken:
        raise DataRulesBroken("\n".join([*map(_said, broken), f"The report is {place}."]))
    return [rule["name"] for rule in found]


def _said(rule: Json) -> str:
    of = [each["name"] for each in rule.get("columnResults", []) if each["status"] != "SUCCEEDED"]
    where = f" (in {', '.join(of)})" if of else ""
    rows = f": {rule['failedCount']} rows do not" if "failedCount" in rule else ""
    return f"{rule['name']}{where}: {rule['status']}{rows}"


def _before(s3: Any, bucket: str, name: str, own: str) -> tuple[str, str] | None:
    """(run, key of the profile) of the last good run that has one of this table."""
    for _, record in storage.audit_records(s3, bucket):
        if record["status"] != "SUCCEEDED":
            continue
        for one in record.get("profiles") or []:
            if one["name"] == name and one["uri"] != own:
                return record["run"]["id"], one["uri"].removeprefix(f"s3://{bucket}/")
    return None


def drifted(before: Json, now: Json) -> list[Json]:
    """{column, what, before, now} of each figure that has changed more than data does by itself."""
    old = {column["name"]: column for column in before["columns"]}
    new = {column["name"]: column for column in now["columns"]}
    found = [_finding(name, "column", "there", "gone") for name in old if name not in new]
    found += [_finding(name, "column", "not there", "there") for name in new if name not in old]
    for name in new.keys() & old.keys():
        if old[name]["type"] != new[name]["type"]:
            found.append(_finding(name, "type", old[name]["type"], new[name]["type"]))
            continue
        found += _figures(name, old[name], before["sampleSize"], new[name], now["sampleSize"])
    return sorted(found, key=lambda finding: (finding["column"], finding["what"]))


def _figures(name: str, old: Json, old_rows: int, new: Json, new_rows: int) -> list[Json]:
    """Of a column of the same type; both profiles have rows."""
    if not old_rows or not new_rows:
        return []
    found = []
    missing = [old["missingValuesCount"] / old_rows, new["missingValuesCount"] / new_rows]
    if abs(missing[1] - missing[0]) > SHARE:
        found.append(_finding(name, "missing", *(f"{share:.1%}" for share in missing)))
    few = max(old["distinctValuesCount"], new["distinctValuesCount"]) <= FEW
    if few:
        shares = [_mix(old, old_rows), _mix(new, new_rows)]
        moved = {
            value: shares[1].get(value, 0) - shares[0].get(value, 0)
            for value in shares[0].keys() | shares[1].keys()
        }
        if sum(map(abs, moved.values())) / 2 > MIX:
            most = max(moved, key=lambda value: abs(moved[value]))
            told = (f"{one.get(most, 0):.1%}" for one in shares)
            found.append(_finding(name, f"share of {most}", *told))
    # An identifier grows with every customer; of a text the figures are its length's.
    elif new["type"] != "string" and not name.endswith("_id"):
        was, mean, deviation = old.get("mean"), new.get("mean"), old.get("standardDeviation")
        if was is None or mean is None or not deviation:
            return found
        if abs(mean - was) > DEVIATIONS * deviation:
            found.append(_finding(name, "mean", f"{was:.4g}", f"{mean:.4g}"))
    return found


def _mix(column: Json, rows: int) -> dict[str, float]:
    return {str(one["value"]): one["count"] / rows for one in column["mostCommonValues"]}


def _finding(column: str, what: str, before: str, now: str) -> Json:
    return {"column": column, "what": what, "before": before, "now": now}
