"""Records of XML by the options that Glue's format has.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-xml-home.html
"""

from __future__ import annotations

import io
from typing import Any
from xml.parsers.expat import ExpatError

import pytest

from localaws.tables.xml_records import Rules, records


@pytest.mark.parametrize(
    ("xml", "rules", "found"),
    [
        ("<c><b id='1'><t>A &amp; B</t></b><b><t>7</t></b></c>", Rules("b"),
         [{"_id": 1, "t": "A & B"}, {"t": 7}]),
        ("<c><b><a>x</a><a>y</a><n>1.5</n><f>true</f></b></c>", Rules("b"),
         [{"a": ["x", "y"], "n": 1.5, "f": True}]),
        ("<c><b><s k='v'>text</s></b></c>", Rules("b"), [{"s": {"_k": "v", "_VALUE": "text"}}]),
        ("<c><b><s k='v'>text</s></b></c>", Rules("b", prefix="@", value="#"),
         [{"s": {"@k": "v", "#": "text"}}]),
        ("<c><b k='v'><s k='v'>text</s></b></c>", Rules("b", attributes=False), [{"s": "text"}]),
        ("<c><b><e/><t> x </t></b></c>", Rules("b"), [{"e": "", "t": " x "}]),
        ("<c><b><e/><t> x </t></b></c>", Rules("b", null_if_empty=True, strip=True),
         [{"e": None, "t": "x"}]),
        ("<c><b><b>1</b></b></c>", Rules("b"), [{"b": 1}]),
        ("<c><b>1</b><b>x</b><d/></c>", Rules("b"), [1, "x"]),
        ("<c xmlns:n='u'><n:b><n:t>1</n:t></n:b></c>", Rules("n:b"), [{"n:t": 1}]),
    ],
)  # fmt: skip
def test_elements_of_one_name_are_records(xml: str, rules: Rules, found: list[Any]) -> None:
    assert list(records(io.BytesIO(xml.encode()), rules)) == found


def test_what_is_no_xml_gives_what_was_read_before_it() -> None:
    reader = records(io.BytesIO(b"<c><b>1</b><b>2</c>"), Rules("b"))
    with pytest.raises(ExpatError):
        list(reader)
