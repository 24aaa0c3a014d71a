"""Topics. What was published is not kept: nobody can subscribe, so nobody can ask for it."""

from __future__ import annotations

from typing import Any

from moto.sns.models import Topic

from localaws.shapes import Json

# What moto derives from the topic's name, and what is kept under a name of its own.
_DERIVED = ("name", "account_id", "arn", "policy", "tags")


def keep(backend: Any) -> Json:
    return {"topics": [_topic(topic) for topic in list(backend.topics.values())]}


def restore(backend: Any, kept: Json) -> None:
    for each in kept["topics"]:
        topic = Topic(each["name"], backend)
        for name, value in each["attributes"].items():
            setattr(topic, name, value)
        topic.policy = each["policy"]
        topic._tags = each["tags"]
        backend.topics[topic.arn] = topic


def _topic(topic: Any) -> Json:
    """`attributes` are those of SetTopicAttributes, in snake_case."""
    attributes = {
        name: value
        for name, value in list(vars(topic).items())
        if isinstance(value, str | bool) and name not in _DERIVED and not name.startswith("_")
    }
    return {
        "name": topic.name,
        "attributes": attributes,
        "policy": topic.policy,
        "tags": topic._tags,
    }
