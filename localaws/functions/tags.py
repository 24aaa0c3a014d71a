"""Tags, by the function's ARN."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.functions.functions import Functions
from localaws.shapes import Json


class Tags:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def register(self, service: Service) -> None:
        service.operation("TagResource", "Resource", "Tags")(self.tag)
        service.operation("UntagResource", "Resource", "TagKeys")(self.untag)
        service.operation("ListTags", "Resource")(self.list)

    def tag(self, call: Call) -> Json:
        with self._functions.changing(call.params["Resource"]) as document:
            document["tags"] |= call.params["Tags"]
        return {}

    def untag(self, call: Call) -> Json:
        with self._functions.changing(call.params["Resource"]) as document:
            for key in call.params["TagKeys"]:
                document["tags"].pop(key, None)
        return {}

    def list(self, call: Call) -> Json:
        return {"Tags": self._functions.get(call.params["Resource"])[1]["tags"]}
