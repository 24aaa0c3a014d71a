"""The Step Functions API of this local AWS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.sqlite import SqliteDatabase
from localaws.stepfunctions.activities import Activities
from localaws.stepfunctions.constraints import CheckedService
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.execution_logs import ExecutionLogs
from localaws.stepfunctions.executions import Executions
from localaws.stepfunctions.express import Express
from localaws.stepfunctions.integrations.runtime import Acting, Integrations
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.machines import Machines
from localaws.stepfunctions.map_runs import MapRuns
from localaws.stepfunctions.resources import Resources
from localaws.stepfunctions.role_checks import RoleChecks
from localaws.stepfunctions.schema import MIGRATIONS
from localaws.stepfunctions.task_tokens import TaskTokens
from localaws.stepfunctions.trial import Trials
from localaws.stepfunctions.validations import Validations

STATES = "states.amazonaws.com"
LOG_DELIVERY = "delivery.logs.amazonaws.com"  # what writes an execution's history to a log group


def service(aws: LocalAws) -> Service:
    return build(aws, _integrations)


def _integrations(aws: LocalAws, resources: Resources) -> Integrations:
    """The Tasks as they really call the other services."""

    def supports(name: str, operation: str) -> bool:
        known = aws.gateway.services.get(name)
        return known is not None and operation in known.operations

    def as_role(role_arn: str, session_name: str, machine_arn: str | None) -> Acting:
        acting = aws.acting_as_role(role_arn, session_name, STATES, machine_arn)
        if machine_arn is None:
            acting = aws.acting(replace(acting.caller, assumed_by=None))
        return Acting(
            acting.client, lambda asked: aws.authorize.ask(acting.caller, "stepfunctions", asked)
        )

    states = aws.acting_as_service(STATES).client
    return Integrations(states, supports, resources.claim, as_role)


def build(aws: LocalAws, tasks: Callable[[LocalAws, Resources], Integrations]) -> Service:
    """The service, with the Tasks that `tasks` gives."""
    file = aws.home.store("stepfunctions.sqlite")
    database = SqliteDatabase(file, MIGRATIONS)
    aws.durability.keep(file)
    resources = Resources(database)
    journal = Journal(database, resources)
    place = {"region": aws.region, "account": aws.account}
    integrations = tasks(aws, resources)
    logs = ExecutionLogs(aws.logs, aws.acting_as_service(LOG_DELIVERY).caller, aws.clock)
    settle = aws.durability.settle
    engine = Engine(journal, resources, integrations, aws.signals, aws.clock, logs, settle, **place)
    machines = Machines(resources, integrations, RoleChecks(aws), aws.clock, **place)

    built = CheckedService("stepfunctions")
    machines.register(built)
    express = Express(resources, engine)
    Executions(journal, engine, machines, express, aws.clock).register(built)
    TaskTokens(journal, engine).register(built)
    Activities(resources, engine, aws.clock, **place).register(built)
    MapRuns(resources, journal, engine).register(built)
    Validations(integrations).register(built)
    Trials(integrations, engine.languages, aws.clock, **place).register(built)
    built.on_start(engine.start)
    built.on_start(express.recover)

    def stop() -> None:
        engine.stop()
        database.close()

    built.on_stop(stop)
    return built
