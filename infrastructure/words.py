"""Small words of the template language."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def ref(name: str) -> Json:
    return {"Ref": name}


def attribute(name: str, member: str) -> Json:
    return {"Fn::GetAtt": [name, member]}


def resource(kind: str, properties: Json, **more: Any) -> Json:
    return {"Type": kind, "Properties": properties, **more}


def arn(service: str, rest: str) -> str:
    """An ARN of this account and region, to be used inside `Fn::Sub`."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"


def when(condition: str, then: Any, otherwise: Any) -> Json:
    return {"Fn::If": [condition, then, otherwise]}
