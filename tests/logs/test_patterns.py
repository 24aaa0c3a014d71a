"""Filter patterns, by the examples of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json

import pytest

from localaws.errors import AwsError, NotEmulated
from localaws.logs.patterns import compiled

LINES = {
    "400": "[ERROR 400] BAD REQUEST",
    "401": "[ERROR 401] UNAUTHORIZED REQUEST",
    "419": "[ERROR 419] MISSING ARGUMENTS",
    "420": "[ERROR 420] INVALID ARGUMENTS",
    "500": "[ERROR 500] INTERNAL SERVER ERROR",
    "200": "[SUCCESS 200] AUTHORIZED REQUEST",
}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ERROR", "400 401 419 420 500"),
        ("error", ""),
        ("ERROR ARGUMENTS", "419 420"),
        ("?ERROR ?ARGUMENTS", "400 401 419 420 500"),
        ("?SUCCESS ?ARGUMENTS", "419 420 200"),
        ("?SUCCESS ?ARGUMENTS UNAUTHORIZED", "401"),  # beside other terms, ? has no effect
        ('"INTERNAL SERVER ERROR"', "500"),
        ('"SERVER INTERNAL"', ""),
        ("ERROR -ARGUMENTS", "400 401 500"),
        ('ERROR -"BAD REQUEST" -ARGUMENTS', "401 500"),
        ("-ERROR", "200"),
        ('" "', "400 401 419 420 500 200"),
        ("", "400 401 419 420 500 200"),
        ("%AUTHORIZED%", "401 200"),
        ("%^.SUCC%", "200"),
        ("%ARGUMENTS$%", "419 420"),
        (r"%4[12]\d%", "419 420"),
        (r"%\x5BERROR 50{2}\]%", "500"),
    ],
)
def test_terms(pattern: str, found: str) -> None:
    matches = compiled(pattern)
    assert [name for name, line in LINES.items() if matches(line)] == found.split()


TRAIL = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
    "on": True,
}
USERS = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [
        {"id": 2, "email": "John.Doe@example.com"},
        {"id": 3, "email": "Jane.Doe@example.com"},
    ],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}
NUMBERS = {"bandwidth": 76, "latency": 49.5, "errorCode": 400, "number": [1000, 0.5], "text": "9"}


@pytest.mark.parametrize(
    ("event", "pattern", "found"),
    [
        (TRAIL, '{ $.eventType = "UpdateTrail" }', True),
        (TRAIL, "{ $.eventType = UpdateTrail }", True),
        (TRAIL, '{ $.eventType = "Update" }', False),
        (TRAIL, "{ $.eventType = Update* }", True),
        (TRAIL, "{ $.sourceIPAddress != 123.123.* }", True),
        (TRAIL, "{ $.sourceIPAddress != 111.111.* }", False),
        (TRAIL, '{ $.arrayKey[0] = "value" }', True),
        (TRAIL, '{ $.arrayKey[1] = "value" }', False),
        (TRAIL, '{ $.arrayKey = "value" }', False),  # it points to an array
        (TRAIL, "{ $.eventType = %Trail% }", True),
        (TRAIL, "{ $.arrayKey[*] = %val.{2}% }", True),
        (TRAIL, r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", True),
        (TRAIL, r"{ $.* = %112\.% }", False),
        (TRAIL, "{ $.['cluster.name'] = \"c\" }", True),
        (TRAIL, "{ $.objectList[*].id = 2 }", True),
        (TRAIL, "{ $.SomeObject IS NULL }", True),
        (TRAIL, "{ $.eventType IS NULL }", False),
        (TRAIL, "{ $.on IS TRUE }", True),
        (TRAIL, "{ $.on IS FALSE }", False),
        (TRAIL, "{ $.SomeOtherObject NOT EXISTS }", True),
        (TRAIL, "{ $.SomeObject NOT EXISTS }", False),
        (NUMBERS, "{ $.bandwidth > 75 }", True),
        (NUMBERS, "{ $.bandwidth > 76 }", False),
        (NUMBERS, "{ $.latency < 50 }", True),
        (NUMBERS, "{ $.bandwidth >= 76 }", True),
        (NUMBERS, "{ $.latency <= 5 }", False),
        (NUMBERS, "{ $.errorCode = 400}", True),
        (NUMBERS, "{ $.errorCode = 4*}", True),
        (NUMBERS, "{ $.errorCode != 500 }", True),
        (NUMBERS, "{ $.number[0] = 1e+3 }", True),
        (NUMBERS, "{ $.number[0] != 1e-3 }", True),
        (NUMBERS, "{ $.text > 8 }", False),
        (
            USERS,
            '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }',
            True,
        ),
        (
            USERS,
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch"'
            ' && $.actions[2] = "nonmatch" }',
            True,
        ),
        (
            USERS,
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch")'
            ' && $.actions[2] = "nonmatch" }',
            False,
        ),
        (
            USERS,
            '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }',
            False,
        ),
    ],
)
def test_messages_of_json(event: dict[str, object], pattern: str, found: bool) -> None:
    matches = compiled(pattern)
    assert matches(json.dumps(event)) is found
    assert not matches("no JSON") and not matches("[1]")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("%a!%", "characters that are not supported"),
        ("%(a)%", "characters that are not supported"),
        ("%[a%", "%[a%"),
        ('"open', "is no term"),
        ("{ $.a = 1", "does not end with }"),
        ("{ $.a 1 }", "operator"),
        ("{ $.a = }", "a value is missing"),
        ("{ $.a > x }", "> needs a number, not x"),
        ("{ $.a IS 1 }", "NULL, TRUE, FALSE"),
        ("{ ($.a = 1 }", "close"),
        ("{ $.a = 1 $.b = 2 }", "one too many"),
        ("{ $.*.* = 1 }", "more than 1 wildcard"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(AwsError) as refused:
        compiled(pattern)
    assert refused.value.code == "InvalidParameterException"
    assert says in str(refused.value)


def test_a_pattern_of_words_is_refused_by_name() -> None:
    with pytest.raises(NotEmulated, match="filterPattern"):
        compiled("[level=ERROR, rest]")
