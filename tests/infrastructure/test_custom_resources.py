"""Custom resources do what they do while their role is new, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tasks.functions import custom_resources


@pytest.mark.parametrize(
    ("code", "refusals", "waited"),
    [
        ("AccessDeniedException", 2, [2, 4]),
        ("AccessDenied", 99, [*custom_resources.FRESH_ROLE_SECONDS]),
        ("ValidationException", 1, []),
    ],
)
def test_a_new_roles_policy_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, code: str, refusals: int, waited: list[int]
) -> None:
    slept: list[int] = []
    calls: list[str] = []
    monkeypatch.setattr(custom_resources.time, "sleep", slept.append)

    def act(kind: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        calls.append(kind)
        if len(calls) <= refusals:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "PublishVersion")
        return "id", properties

    if code == "AccessDeniedException":
        assert custom_resources.patiently(act, "Create", {"a": 1}) == ("id", {"a": 1})
    else:
        with pytest.raises(ClientError, match=code):
            custom_resources.patiently(act, "Create", {})
    assert slept == waited
    assert len(calls) == len(waited) + 1
