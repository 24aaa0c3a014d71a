"""From raw order files to an endpoint that answers: the whole workflow, in the order it runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tasks import (
    audit,
    checks,
    crawl,
    features,
    gate,
    glue,
    mapping,
    profiles,
    publish,
    training,
    trigger,
)
from tasks.states import State, sdk
from workflows.protection import Protection, protected

GOLDEN = Path(__file__).with_suffix(".asl.json")
TIMEOUT_SECONDS = 24 * 3600


def states() -> State:
    """The first state; every other one follows from it.

    A state that fails fails the execution, which can be redriven from there. What is caught is
    what has an answer: raw files that changed since the plan, a DataBrew job that is there already,
    or not any more, and a publication that must be taken back.
    """
    receive_trigger = trigger.receive_trigger()
    write_audit_record = audit.write_audit_record()
    publish_run = publish.publish(then=write_audit_record)
    judge_model = gate.better_than_live(publish=publish_run, keep=write_audit_record)
    train_model = sdk.Chain([training.pin_live_model(), training.train(), judge_model])
    build_features = sdk.Chain(
        [
            features.complete_orders(),
            features.collect_order_lines(),
            features.join_prior_lines(),
            features.compute_product_history(),
            features.build_features(),
            glue.join_features(),
            gate.train_a_model(
                tune=training.tune(), train=train_model.steps[0], keep=write_audit_record
            ),
        ]
    )
    clean = features.clean_with_databrew()
    profiled = profiles.profile_tables(then=build_features.steps[0])
    clean.next(checks.look_again(then=profiled, again=receive_trigger))
    check_raw_data = checks.check_raw_data(then=clean, again=receive_trigger)
    map_source_files = mapping.map_source_files(then=check_raw_data)
    crawl_raw_data = crawl.crawl_raw_data(then=map_source_files)
    receive_trigger.next(
        trigger.anything_new(receive_trigger, new=crawl_raw_data, nothing_new=write_audit_record)
    )
    return receive_trigger


def definition() -> dict[str, Any]:
    """The workflow in the Amazon States Language; `${Name}` is filled in by CloudFormation."""
    graph = sdk.Graph(
        sdk.Chain([states()]),
        comment="Raw order files to a live purchase prediction endpoint",
        timeout_seconds=TIMEOUT_SECONDS,
    )
    written: dict[str, Any] = graph.to_dict()
    return written


def definition_bytes(protection: Protection | None = None) -> bytes:
    """The definition as it is deployed: the same bytes from every build, but for what a key or a
    network of the deployment's own adds."""
    written = definition()
    if protection:
        written = protected(written, protection)
    return (json.dumps(written, indent=2, ensure_ascii=False) + "\n").encode()


def definition_sha256(content: bytes | None = None) -> str:
    return hashlib.sha256(definition_bytes() if content is None else content).hexdigest()
