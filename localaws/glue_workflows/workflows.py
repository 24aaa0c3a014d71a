"""Workflows and their runs.

https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html
"""

from __future__ import annotations

from typing import Any

from localaws.catalog import tags
from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.glue_workflows.chains import KIND as RUNS
from localaws.glue_workflows.chains import OPEN, Chains, exceeded, exceeded_message
from localaws.glue_workflows.graph import graph, statistics
from localaws.glue_workflows.triggers import STARTING, Triggers, invalid
from localaws.shapes import Json

KIND = "glue-workflow"
_OF_A_RUN = ("PreviousRunId", "StartedOn", "CompletedOn", "Status", "ErrorMessage")
_SETTINGS = ("Description", "DefaultRunProperties", "MaxConcurrentRuns")


def exists(aws: LocalAws, name: str) -> bool:
    return aws.documents.get(KIND, name) is not None


class Workflows:
    def __init__(self, aws: LocalAws, triggers: Triggers, chains: Chains) -> None:
        self._aws = aws
        self._triggers = triggers
        self._chains = chains

    def register(self, service: Service) -> None:
        take, run, pages = service.operation, ("Name", "RunId"), ("NextToken", "MaxResults")
        take("CreateWorkflow", "Name", "Tags", *_SETTINGS)(self.create)
        take("UpdateWorkflow", "Name", *_SETTINGS)(self.update)
        take("GetWorkflow", "Name", "IncludeGraph")(self.describe)
        take("BatchGetWorkflows", "Names", "IncludeGraph")(self.describe_some)
        take("ListWorkflows", *pages)(self.names)
        take("DeleteWorkflow", "Name")(self.delete)
        take("StartWorkflowRun", "Name", "RunProperties")(self.start)
        take("GetWorkflowRun", *run, "IncludeGraph")(self.describe_run)
        take("GetWorkflowRuns", "Name", "IncludeGraph", *pages)(self.describe_runs)
        take("GetWorkflowRunProperties", *run)(self.properties)
        take("PutWorkflowRunProperties", *run, "RunProperties")(self.put_properties)
        take("StopWorkflowRun", *run)(self.stop)

    # Workflows

    def create(self, call: Call) -> Json:
        given, now = call.params, self._aws.clock.now()
        name = given["Name"]
        workflow = {
            "Name": name,
            "DefaultRunProperties": {},
            **{member: given[member] for member in _SETTINGS if member in given},
            "CreatedOn": now,
            "LastModifiedOn": now,
        }
        if not self._aws.documents.insert(KIND, name, workflow):
            raise AwsError("AlreadyExistsException", f"Workflow {name} already exists.")
        tags.write(self._aws, tags.arn(self._aws, "workflow", name), given.get("Tags") or {})
        return {"Name": name}

    def update(self, call: Call) -> Json:
        name = call.params["Name"]
        with self._aws.documents.changing(KIND, name, _missing(name)) as workflow:
            workflow |= {member: call.params[member] for member in _SETTINGS
                         if member in call.params}  # fmt: skip
            workflow["LastModifiedOn"] = self._aws.clock.now()
        return {"Name": name}

    def describe(self, call: Call) -> Json:
        workflow = self._get(call.params["Name"])
        return {"Workflow": self._shown(workflow, bool(call.params.get("IncludeGraph")))}

    def describe_some(self, call: Call) -> Json:
        known = dict(self._aws.documents.items(KIND))
        names, with_graph = call.params["Names"], bool(call.params.get("IncludeGraph"))
        return {
            "Workflows": [self._shown(known[each], with_graph) for each in names if each in known],
            "MissingWorkflows": [each for each in names if each not in known],
        }

    def names(self, call: Call) -> Json:
        names, more = page(
            ((name, name) for name, _ in self._aws.documents.items(KIND)), call.params
        )
        return {"Workflows": names, **more}

    def delete(self, call: Call) -> Json:
        """Its triggers stay, and start nothing any more."""
        self._aws.documents.delete(KIND, call.params["Name"])
        return {"Name": call.params["Name"]}

    def _get(self, name: str) -> Json:
        found = self._aws.documents.get(KIND, name)
        if found is None:
            raise _missing(name)
        return found

    def _shown(self, workflow: Json, with_graph: bool) -> Json:
        name = workflow["Name"]
        runs = self._chains.runs_of(name)
        last = {"LastRun": self._shown_run(runs[-1], with_graph)} if runs else {}
        drawn = {"Graph": graph(name, self._triggers.of(name), {})} if with_graph else {}
        return workflow | last | drawn

    # Runs

    def fire(self, trigger: Json, given: Json | None = None) -> str:
        """What a starting trigger starts: a run of its workflow, if it has one.

        Raises ConcurrentRunsExceededException.
        """
        name = trigger.get("WorkflowName")
        if name is None:
            return self._chains.begin(trigger)
        workflow = self._get(name)
        if self._is_full(workflow):
            raise exceeded(name)
        return self._chains.begin(trigger, **self._run(workflow, given or {}))

    def fire_on_time(self, trigger: Json, due: Any) -> None:
        """As `fire`; where a person would get an error, the run is there with Status ERROR."""
        name = trigger.get("WorkflowName")
        workflow = self._aws.documents.get(KIND, name) if name is not None else None
        if name is not None and workflow is None:
            return
        if workflow is None or not self._is_full(workflow):
            self.fire(trigger)
            return
        self._chains.refuse(
            Status="ERROR", ErrorMessage=exceeded_message(workflow["Name"]),
            **self._run(workflow, {}),
        )  # fmt: skip

    def _is_full(self, workflow: Json) -> bool:
        open_runs = [run for run in self._chains.runs_of(workflow["Name"]) if run["Status"] in OPEN]
        most = workflow.get("MaxConcurrentRuns")
        return most is not None and len(open_runs) >= most

    def _run(self, workflow: Json, given: Json) -> Json:
        earlier = self._chains.runs_of(workflow["Name"])
        return {
            "Workflow": workflow["Name"],
            "Properties": {**workflow["DefaultRunProperties"], **given},
            **({"PreviousRunId": earlier[-1]["Id"]} if earlier else {}),
        }

    def start(self, call: Call) -> Json:
        name = self._get(call.params["Name"])["Name"]
        starting = [each for each in self._triggers.of(name) if each["Type"] in STARTING]
        if not starting:
            raise invalid(f"Workflow {name} has no trigger of Type {' or '.join(STARTING)}.")
        return {"RunId": self.fire(starting[0], call.params.get("RunProperties"))}

    def describe_run(self, call: Call) -> Json:
        return {"Run": self._shown_run(self._run_of(call), bool(call.params.get("IncludeGraph")))}

    def describe_runs(self, call: Call) -> Json:
        """The newest first."""
        name = self._get(call.params["Name"])["Name"]
        with_graph = bool(call.params.get("IncludeGraph"))
        runs = (
            ((run["StartedOn"], run["Id"]), self._shown_run(run, with_graph))
            for run in self._chains.runs_of(name)
        )
        found, more = page(runs, call.params, newest_first=True)
        return {"Runs": found, **more}

    def properties(self, call: Call) -> Json:
        return {"RunProperties": self._run_of(call)["Properties"]}

    def put_properties(self, call: Call) -> Json:
        """Of this run alone: the workflow's defaults stay."""
        run_id = self._run_of(call)["Id"]
        self._chains.set_properties(run_id, call.params["RunProperties"])
        return {}

    def stop(self, call: Call) -> Json:
        run = self._run_of(call)
        if run["Status"] != "RUNNING":
            raise AwsError(
                "IllegalWorkflowStateException", f"Workflow run {run['Id']} is {run['Status']}."
            )
        self._chains.stop(run["Id"])
        return {}

    def _run_of(self, call: Call) -> Json:
        run = self._aws.documents.get(RUNS, call.params["RunId"])
        if run is None or run.get("Workflow") != call.params["Name"]:
            raise AwsError(
                "EntityNotFoundException", f"Workflow run {call.params['RunId']} not found."
            )
        return run

    def _shown_run(self, run: Json, with_graph: bool) -> Json:
        """As GetWorkflowRun returns it; triggers as they are now."""
        name = run["Workflow"]
        triggers = self._triggers.of(name)
        states = [self._chains.shown_state(action) for action in run["Actions"]]
        document: Json = {
            "Name": name,
            "WorkflowRunId": run["Id"],
            "WorkflowRunProperties": run["Properties"],
            "Statistics": statistics(triggers, [state["State"] for state in states]),
        }
        document |= {member: run[member] for member in _OF_A_RUN if member in run}
        if with_graph:
            by_node: dict[tuple[str, str], list[Json]] = {}
            for action, state in zip(run["Actions"], states, strict=True):
                if "Shown" in state:
                    by_node.setdefault((action["Type"], action["Name"]), []).append(state["Shown"])
            document["Graph"] = graph(name, triggers, by_node)
        return document


def _missing(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Workflow {name} not found.")
