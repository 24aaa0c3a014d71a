"""ValidateStateMachineDefinition."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.errors import NotEmulated
from localaws.shapes import Json
from localaws.stepfunctions import validation
from localaws.stepfunctions.field_rules import Diagnostic
from localaws.stepfunctions.integrations.runtime import Integrations


class Validations:
    def __init__(self, integrations: Integrations) -> None:
        self._integrations = integrations

    def register(self, service: Service) -> None:
        service.operation(
            "ValidateStateMachineDefinition", "definition", "type", "severity", "maxResults"
        )(self.validate)

    def validate(self, call: Call) -> Json:
        """What is wrong with a definition; what only localaws lacks is told as NOT_EMULATED."""
        params = call.params
        check, kind = self._integrations.check_resource, params.get("type", "STANDARD")
        try:
            found = validation.diagnose(params["definition"], check, kind)
        except NotEmulated as error:
            found = [Diagnostic(error.message, None, code="NOT_EMULATED")]
        if params.get("severity", "ERROR") == "ERROR":
            found = [item for item in found if item.severity == "ERROR"]
        most = params.get("maxResults") or 100
        shown = [
            {
                "severity": item.severity,
                "code": item.code,
                "message": item.message,
                **({"location": item.location} if item.location else {}),
            }
            for item in found[:most]
        ]
        failed = any(item.severity == "ERROR" for item in found)
        return {
            "result": "FAIL" if failed else "OK",
            "diagnostics": shown,
            "truncated": len(found) > most,
        }
