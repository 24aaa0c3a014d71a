"""Endpoints: which model server is current, and how it is changed without losing a request."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

from localaws.core import scratch
from localaws.core.aws import LocalAws
from localaws.core.log_shipping import LogShipper
from localaws.core.service import Service
from localaws.errors import AwsError
from localaws.sagemaker import capture, deployment
from localaws.sagemaker.deployment import EndpointServer
from localaws.sagemaker.model_process import ANSWER_LIMIT_SECONDS, NotServing
from localaws.sagemaker.names import ENDPOINT, changing, find, validation
from localaws.sagemaker.principals import acting
from localaws.sagemaker.shifting import RolledBack, Shifting, Step, Stopping, look
from localaws.shapes import Json

START_WAIT_SECONDS = 60.0
LONG_LOOK_SECONDS = 1.0
CHANGING = ("Creating", "Updating", "RollingBack", "Deleting")

logger = logging.getLogger(__name__)


class Endpoints:
    """The server processes by endpoint name.

    An endpoint's document: `describe` (status, times, the configuration's name), `current` and
    `pending` (deployments, see deployment.py), `shift` (the DeploymentConfig of the update that is
    under way), `tags`. An update that a stop of the server broke off begins again from its start;
    until it has ended, the current deployment is the one that comes back.
    """

    def __init__(self, aws: LocalAws, logs: LogShipper) -> None:
        self._aws = aws
        self._logs = logs
        self._changed = threading.Condition()
        self._current: dict[str, EndpointServer] = {}
        self._restarting: set[str] = set()
        self._shifting = Shifting(aws, self._changed)

    # -- deployments ---------------------------------------------------------------------------

    def plan(self, name: str, config_name: str) -> Json:
        """What deploying the configuration means, as it is defined now."""
        return deployment.plan(self._aws, name, config_name)

    def deploy(self, name: str) -> None:
        """Brings up the document's `pending` deployment in the background."""
        threading.Thread(
            target=self._deploy, args=(name,), name=f"deploy {name}", daemon=True
        ).start()

    def _deploy(self, name: str) -> None:
        document = find(self._aws, ENDPOINT, name)
        plan, shift = document["pending"], document.get("shift")
        server: EndpointServer | None = None
        try:
            if shift:
                look(acting(self._aws, plan["role"]), shift)
            server = deployment.launch(self._aws, self._logs, name, plan)
            self._aws.durability.settle()  # before it is told to be in service
            if shift:
                self._shifting.run(name, server, shift, self._teller(name))
            self._put_in_service(name, plan, server)
        except Stopping:
            self._give_up(name, server)
        except NotServing as problem:
            if not self._aws.stopping.is_set():
                self._failed(name, plan, did_not_pass(plan, str(problem)), server)
        except RolledBack as problem:
            self._failed(name, plan, str(problem), server)
        except Exception as problem:
            logger.exception("Endpoint %s could not be deployed", name)
            self._failed(name, plan, did_not_pass(plan, f"localaws: {problem!r}"), server)

    def _teller(self, name: str) -> Callable[[Step], None]:
        """Writes down how far an update is."""

        def tell(step: Step) -> None:
            now = self._aws.clock.now()
            status = {"Status": step.status, "StatusMessage": step.message, "StartTime": now}
            with changing(self._aws, ENDPOINT, name) as document:
                shown = document["describe"]["PendingDeploymentSummary"]
                told = deployment.summary(document["pending"], now)
                shown["ProductionVariants"] = [{**told, "VariantStatus": [status]}]

        return tell

    def _put_in_service(self, name: str, plan: Json, server: EndpointServer) -> None:
        before: Json | None = None
        with self._changed, self._aws.documents.transaction():
            self._shifting.end(name)
            document = self._aws.documents.get(ENDPOINT, name)
            if document is None or self._aws.stopping.is_set():
                retired: EndpointServer | None = server
            else:
                before = document.get("current")
                document |= {"current": plan, "pending": None}
                describe = document["describe"]
                describe["EndpointConfigName"] = plan["config"]
                describe["ProductionVariants"] = [deployment.summary(plan, self._aws.clock.now())]
                for member in ("FailureReason", "DataCaptureConfig"):
                    describe.pop(member, None)
                if plan.get("capture"):
                    describe["DataCaptureConfig"] = capture.summary(plan["capture"])
                self._settle(name, document, "InService")
                retired = self._current.get(name)
                self._current[name] = server
        if retired is not None:
            retired.stop()
        if before is not None:
            shutil.rmtree(self._aws.home.root / before["folder"], ignore_errors=True)

    def _give_up(self, name: str, server: EndpointServer | None) -> None:
        """Ends a server that is not, or not any more, to answer."""
        with self._changed:
            self._shifting.end(name)
        if server is not None:
            server.stop(1.0 if self._aws.stopping.is_set() else ANSWER_LIMIT_SECONDS)

    def _failed(self, name: str, plan: Json, reason: str, server: EndpointServer | None) -> None:
        """A failed update leaves the old deployment in service; a failed creation is Failed."""
        self._give_up(name, server)
        with self._changed, self._aws.documents.transaction():
            document = self._aws.documents.get(ENDPOINT, name)
            if document is None:
                return
            document["pending"] = None
            for part in ("model", "code"):  # the log stays
                shutil.rmtree(self._aws.home.root / plan["folder"] / part, ignore_errors=True)
            document["describe"]["FailureReason"] = reason
            status = "InService" if document.get("current") else "Failed"
            self._settle(name, document, status)

    def _settle(self, name: str, document: Json, status: str) -> None:
        """Ends a change. Under the lock."""
        describe = document["describe"]
        describe.pop("PendingDeploymentSummary", None)
        document.pop("shift", None)
        describe["EndpointStatus"] = status
        describe["LastModifiedTime"] = self._aws.clock.now()
        self._aws.documents.put(ENDPOINT, name, document)
        self._changed.notify_all()

    # -- life ----------------------------------------------------------------------------------

    def restore(self) -> None:
        """Brings the endpoints up that an earlier server had, and ends what it had begun."""
        scratch.sweep(self._aws.home, "ep")
        for name, document in self._aws.documents.items(ENDPOINT):
            if document["describe"]["EndpointStatus"] == "Deleting":
                self._aws.documents.delete(ENDPOINT, name)
                continue
            if document.get("current"):
                self._restart(name)
            if document.get("pending"):
                self.deploy(name)

    def _restart(self, name: str) -> None:
        """Starts the current deployment's server again, in the background."""
        with self._changed:
            if name in self._restarting:
                return
            self._restarting.add(name)
        threading.Thread(
            target=self._bring_back, args=(name,), name=f"restart {name}", daemon=True
        ).start()

    def _bring_back(self, name: str) -> None:
        process: EndpointServer | None = None
        plan = (self._aws.documents.get(ENDPOINT, name) or {}).get("current")
        try:
            if plan:
                process = deployment.launch(self._aws, self._logs, name, plan)
        except NotServing as problem:
            logger.warning("Endpoint %s did not come up again: %s", name, problem)
        with self._changed:
            self._restarting.discard(name)
            document = self._aws.documents.get(ENDPOINT, name)
            # An update may have been quicker.
            unused = process
            if process is not None and document and document.get("current") == plan:
                unused = self._current.get(name)
                self._current[name] = process
            self._changed.notify_all()
        if unused is not None:
            unused.stop(0)

    def delete(self, name: str) -> None:
        """Takes the endpoint away; requests under way are answered first.

        Raises ValidationException for one that is missing or being changed.
        """
        with self._changed:
            with changing(self._aws, ENDPOINT, name) as document:
                describe = document["describe"]
                if describe["EndpointStatus"] not in ("InService", "Failed"):
                    raise validation(
                        f'Cannot update in-progress endpoint "{describe["EndpointArn"]}".'
                    )
                describe["EndpointStatus"] = "Deleting"
            process = self._current.pop(name, None)
        if process is not None:
            process.stop()
        with self._changed:
            self._aws.documents.delete(ENDPOINT, name)
            self._changed.notify_all()
        shutil.rmtree(self._aws.home.directory("endpoints") / name, ignore_errors=True)

    def stop(self) -> None:
        """Ends every server process; the documents say what to bring up again."""
        with self._changed:
            processes, self._current = list(self._current.values()), {}
        for process in processes:
            process.stop(1.0)

    def describe(self, name: str) -> Json:
        """The description. Where waits are scaled, a caller's loop would spin while a change is
        under way and use up its looks, so then the answer waits for the change, up to a second."""
        document = find(self._aws, ENDPOINT, name)
        if self._aws.clock.wait_scale < 1 and document["describe"]["EndpointStatus"] in CHANGING:
            with self._changed:
                self._changed.wait_for(lambda: self._settled(name), LONG_LOOK_SECONDS)
            document = find(self._aws, ENDPOINT, name)
        answer: Json = document["describe"]
        return answer

    def _settled(self, name: str) -> bool:
        document = self._aws.documents.get(ENDPOINT, name)
        return document is None or document["describe"]["EndpointStatus"] not in CHANGING

    # -- requests ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def serving(self, name: str) -> Iterator[EndpointServer]:
        """The current server, held so that an update lets the request finish.

        Raises ValidationError for an endpoint that does not exist or has never been in service.
        """
        with self._changed:
            process = self._shifting.chosen(name) or self._current.get(name)
            if process is None or not process.alive():
                process = self._wait_for(name, process)
            process.hold()
        try:
            yield process
        finally:
            process.release()

    def _wait_for(self, name: str, dead: EndpointServer | None) -> EndpointServer:
        """The server of an endpoint that is being brought up again. Under the lock."""
        document = self._aws.documents.get(ENDPOINT, name)
        if document is None or not document.get("current"):
            owner = self._aws.account
            raise AwsError("ValidationError", f"Endpoint {name} of account {owner} not found.")
        if name not in self._restarting:
            if dead is not None:
                self._current.pop(name, None)
            self._restart(name)
        self._changed.wait_for(lambda: name not in self._restarting, START_WAIT_SECONDS)
        process = self._current.get(name)
        if process is None or not process.alive():
            raise AwsError("ServiceUnavailable", f"Endpoint {name} is not serving.", 503)
        return process


def did_not_pass(plan: Json, reason: str) -> str:
    return (
        f"The primary container for production variant {plan['variant']['VariantName']} did not"
        f" pass the ping health check. Please check CloudWatch logs for this endpoint. ({reason})"
    )


class SageMakerService(Service):
    """The service "sagemaker", with its endpoints for InvokeEndpoint in this process."""

    endpoints: Endpoints


def endpoints_of(aws: LocalAws) -> Endpoints:
    """The endpoints of a running AWS."""
    service: Any = aws.gateway.services["sagemaker"]
    endpoints: Endpoints = service.endpoints
    return endpoints
