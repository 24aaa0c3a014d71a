"""A frame's record in the journal: nothing of a frame is lost between writing and reading."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from localaws.stepfunctions.definition import parse
from localaws.stepfunctions.frames import RECORDED, Frame, from_record

MACHINE = parse('{"StartAt": "S", "States": {"S": {"Type": "Pass", "End": true}}}')
NOT_RECORDED = {  # what a restart reads elsewhere, or does not need
    *("id", "parent", "group", "state", "input", "input_text", "epoch", "children", "item"),
    *("map_run", "visits"),
}
OTHERS: dict[type, Any] = {int: 7, float: 7.5, str: "done", dict: {"a": [1]}, list: [3]}


def frame() -> Frame:
    return Frame(0, None, 0, MACHINE.root, MACHINE.root.states["S"])


def test_every_attribute_is_recorded_or_said_not_to_be() -> None:
    recorded = {attribute for attribute, _, _ in RECORDED}
    assert recorded | NOT_RECORDED == {field.name for field in dataclasses.fields(Frame)}
    assert not recorded & NOT_RECORDED


@pytest.mark.parametrize(("attribute", "default"), [(name, usual) for name, _, usual in RECORDED])
def test_what_is_recorded_is_read_again(attribute: str, default: Any) -> None:
    one = frame()
    assert getattr(one, attribute) == default, "a fresh frame has what a missing key means"
    value = OTHERS.get(type(default), {"a": 1})
    setattr(one, attribute, value)

    other = from_record(0, json.loads(one.record()), MACHINE, {})

    assert other is not None
    assert getattr(other, attribute) == value


def test_a_record_of_an_older_version_without_a_format_is_read() -> None:
    record = {"x": 0, "g": "", "s": "S", "ph": "entered", "e": 2, "t": 1.5, "l": 2}
    old = from_record(0, record, MACHINE, {})
    assert old is not None
    assert (old.phase, old.entered, old.last) == ("entered", 2, 2)


def test_a_record_of_a_newer_format_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match="a record of format 2; this version reads 1"):
        from_record(0, {"format": 2, "g": "", "s": "S"}, MACHINE, {})
