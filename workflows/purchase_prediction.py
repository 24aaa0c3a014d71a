"""From raw order files to an endpoint that answers: the whole workflow, in the order it runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tasks import audit, checks, crawl, features, gate, glue, publish, training, trigger
from tasks.states import Parallel, State, catch_all, sdk, states_of
from workflows import stages

GOLDEN = Path(__file__).with_suffix(".asl.json")
TIMEOUT_SECONDS = 24 * 3600


def states() -> State:
    """The first state; every other one follows from it.

    Whatever fails, fails into "Write audit record", which then ends the run with the true cause.
    """
    write_audit_record = audit.write_audit_record()

    receive_trigger, plan_run = trigger.receive_trigger()
    check_raw_data = checks.check_raw_data()
    clean_with_databrew = features.clean_with_databrew()
    define_clean_tables = features.define_clean_tables()
    join_prior_lines = features.join_prior_lines()
    build_features = features.build_features()
    join_features = glue.join_features()
    pin_live_model = training.pin_live_model()
    train = training.train()
    judge_model = gate.judge_model()
    publish_tables = features.publish_tables()
    publish_model = publish.publish(then=publish_tables, on_failure=write_audit_record)

    crawl_raw_data = crawl.crawl_raw_data(then=check_raw_data, on_failure=write_audit_record)
    plan_run.next(trigger.anything_new(go_on=crawl_raw_data, end=write_audit_record))
    sdk.Chain(
        [
            check_raw_data,
            clean_with_databrew,
            define_clean_tables,
            join_prior_lines,
            build_features,
            join_features,
            gate.train_a_model(train=pin_live_model, keep=write_audit_record),
        ]
    )
    sdk.Chain(
        [
            pin_live_model,
            train,
            judge_model,
            gate.better_than_live(publish=publish_model, keep=write_audit_record),
        ]
    )
    publish_tables.next(write_audit_record)

    for state in states_of(receive_trigger):
        if isinstance(state, sdk.Task | Parallel) and state is not write_audit_record:
            catch_all(state, write_audit_record)
    return receive_trigger


def definition() -> dict[str, Any]:
    """The workflow in the Amazon States Language; `${Name}` is filled in by CloudFormation."""
    graph = sdk.Graph(
        sdk.Chain([states()]),
        comment="Raw order files to a live purchase prediction endpoint",
        timeout_seconds=TIMEOUT_SECONDS,
    )
    found: dict[str, Any] = graph.to_dict()
    stages.comment(found["States"])
    return found


def definition_bytes() -> bytes:
    """The definition as it is deployed: the same bytes from every build."""
    return (json.dumps(definition(), indent=2, ensure_ascii=False) + "\n").encode()


def definition_sha256(content: bytes | None = None) -> str:
    return hashlib.sha256(definition_bytes() if content is None else content).hexdigest()
