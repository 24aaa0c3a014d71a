// One execution: graph, timeline, events, data, audit; and what can be done with it.
import { html, useEffect, useMemo, useRef, useState } from "./ui.js";
import { get, post, watch } from "./api.js";
import { date, dollars, duration, lastPart, qualifier } from "./format.js";
import { message } from "./cause.js";
import { Fold, failureOf, labelOf, text } from "./fold.js";
import { parse } from "./machine.js";
import { warm } from "./layout.js";
import { Details } from "./details.js";
import { Timeline } from "./timeline.js";
import { Events } from "./events.js";
import { Audit } from "./audit.js";
import { Costs } from "./costs.js";
import { Json } from "./json.js";
import { Problem, Status, Tabs, useAnswer } from "./parts.js";
import { StartDialog } from "./start.js";
import { Workflow } from "./workflow.js";

const TABS = [["graph", "Graph"], ["timeline", "Timeline"], ["events", "Events"], ["data", "Input and output"],
  ["cost", "Cost"], ["audit", "Audit record"]];
const RUNNING = new Set(["RUNNING", "PENDING_REDRIVE"]);
const REDRIVABLE = new Set(["FAILED", "ABORTED", "TIMED_OUT"]);

// Follows an execution: {execution, definition, origin, fold, version, error, again()}.
export function useExecution(arn) {
  const fold = useRef(null);
  const [version, setVersion] = useState(0);
  const [execution, setExecution] = useState(null);
  const [first, setFirst] = useState(null);
  const [error, setError] = useState(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    fold.current = new Fold();
    setExecution(null);
    setFirst(null);
    setError(null);
  }, [arn]);
  useEffect(() => {
    let pending = false;
    let current = true;
    const show = () => {
      if (pending) return;
      pending = true;
      requestAnimationFrame(() => {
        pending = false;
        if (current) setVersion((n) => n + 1);
      });
    };
    get("execution", { arn }).then(
      (answer) => current && (setFirst(answer), setExecution((old) => old ?? answer.execution)),
      (problem) => current && setError(problem),
    );
    const stop = watch(arn, fold.current.events.at(-1)?.id ?? 0, {
      execution: setExecution,
      history: (events) => {
        fold.current.add(events);
        setError(null);
        show();
      },
      problem: setError,
      end: show,
    });
    return () => {
      current = false;
      stop();
    };
  }, [arn, round]);
  return { execution, first, fold: fold.current, version, error, again: () => setRound((n) => n + 1) };
}

export function Execution({ arn, tab, state, stage, connection, go }) {
  const { execution, first, fold, version, error, again } = useExecution(arn);
  useEffect(warm, []);
  const [starting, setStarting] = useState(false);
  const [failed, setFailed] = useState(null);
  const [now, setNow] = useState(() => Date.now());
  const machine = useMemo(() => {
    try {
      return first ? parse(first.definition) : null;
    } catch {
      return null;
    }
  }, [first]);
  const live = execution ? RUNNING.has(execution.status) : true;
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);
  useEffect(() => {
    if (tab === "graph") return undefined; // there, the workflow closes what is open
    const close = (event) => event.key === "Escape" && state && !document.querySelector("dialog[open]")
      && go({ state: null });
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [state, tab]);
  const [costs] = useAnswer(() => get("costs", { arn }), [arn, live ? Math.floor(now / 5000) : "all"]);
  const act = async (name, question) => {
    if (question && !confirm(question)) return;
    setFailed(null);
    try {
      await post(name, { execution: arn });
      again();
    } catch (problem) {
      setFailed(problem);
    }
  };
  if (!execution) return html`<section class="execution"><${Problem} error=${error} />
    ${!error && html`<p class="quiet centred">Reading the execution…</p>`}</section>`;
  const base = execution.stateMachineArn.split(":").slice(0, 7).join(":");
  const select = (name) => go({ state: name === state ? null : name });
  const writes = !connection?.read_only;
  const redrivable = writes && REDRIVABLE.has(execution.status) && execution.redriveStatus !== "NOT_REDRIVABLE";
  const redrive = redrivable && html`<button class="primary" onClick=${() => act("redrive")}
    title="Go on at the state that failed; what succeeded before is kept">Redrive</button>`;
  const show = (name) => go({ state: name, stage: null, tab: "graph" });
  return html`<section class="execution" aria-label="Execution">
    <header class="title">
      <div><p class="crumbs"><a href=${`#/machine/${encodeURIComponent(base)}`}>${lastPart(base)}</a></p>
        <h1><${Status} status=${execution.status} /> ${execution.name}</h1>
        <p class="quiet">${date(execution.startDate)} · <span class="number">
          ${duration((execution.stopDate ?? now) - execution.startDate)}</span>
          ${first && ` · started by ${{ request: "a person or API" }[first.origin.kind]
            ?? `${first.origin.kind} ${first.origin.detail}`}`}
          ${execution.stateMachineAliasArn && ` · ${qualifier(execution.stateMachineAliasArn)}`}
            ${execution.stateMachineVersionArn && ` · version ${qualifier(execution.stateMachineVersionArn)}`}
          ${fold?.transitions > 0 && ` · ${fold.transitions} transitions`}
            ${execution.redriveCount > 0 && ` · redriven ${execution.redriveCount}×`}
          ${costs && !live
            && html` · <a href="#" onClick=${(event) => (event.preventDefault(), go({ tab: "cost" }))}
              title=${connection?.local ? "What this would have cost on AWS, at list prices"
                : "Estimate on AWS list prices"}>≈ ${dollars(costs.total)}${connection?.local ? " on AWS" : ""}</a>`}
        </p></div>
      <div class="actions">
        ${writes && live
          && html`<button class="danger"
            onClick=${() => act("stop", "Stop this execution, and the job it waits for?")}>Stop</button>`}
        ${redrive}
        ${writes && html`<button onClick=${() => setStarting(true)}>Start again…</button>`}
        <a class="button" href=${`#/compare/${encodeURIComponent(arn)}`}>Compare</a>
      </div>
    </header>
    <${Problem} error=${failed ?? error} />
    ${REDRIVABLE.has(execution.status)
      && html`<${Ended} execution=${execution} fold=${fold} onSelect=${show} />`}
    <${Tabs} tabs=${TABS} current=${tab} onChange=${(next) => go({ tab: next })} label="Views of the execution" />
    <div class="view" role="tabpanel" aria-label=${TABS.find(([key]) => key === tab)?.[1]}>
      <div class="main-view">
        ${tab === "graph"
          && (machine
            ? html`<${Workflow} machine=${machine} fold=${fold} version=${version} selected=${state} onSelect=${select}
              live=${live} stage=${stage} go=${go} costs=${costs?.states} local=${connection?.local}
              actions=${(failure) => html`<p class="actions">${redrive}
                <button onClick=${() => show(failure.name)}>Open the state</button></p>`} />`
            : html`<p class="quiet centred">
                ${first ? "The definition cannot be read." : "Reading the definition…"}</p>`)}
        ${tab === "timeline" && html`<${Timeline} machine=${machine} fold=${fold} version=${version} selected=${state}
          onSelect=${select} live=${live} />`}
        ${tab === "events" && html`<${Events} arn=${arn} fold=${fold} version=${version} />`}
        ${tab === "data" && html`<div class="columns"><div><h2>Input</h2><${Json} text=${execution.input} /></div>
          <div><h2>Output</h2>${execution.output ? html`<${Json} text=${execution.output} />` : html`<p class="quiet">
            ${live ? "Still running." : "None."}</p>`}</div></div>`}
        ${tab === "cost" && html`<${Costs} arn=${arn} version=${live ? Math.floor(now / 5000) : 0} live=${live}
          local=${connection?.local} onSelect=${show} />`}
        ${tab === "audit" && html`<${Audit} arn=${arn} live=${live} version=${live ? 0 : 1} />`}
      </div>
      ${state && machine && (tab === "graph" || tab === "timeline")
        && html`<${Details} arn=${arn} machine=${machine} fold=${fold} version=${version} name=${state} live=${live}
          onClose=${() => go({ state: null })} />`}
    </div>
    ${starting
      && html`<${StartDialog} machine=${base} target=${execution.stateMachineAliasArn
        ?? execution.stateMachineVersionArn} input=${execution.input ?? "{}"} onClose=${() => setStarting(false)} />`}
  </section>`;
}

// Why it ended as it did, in one line; everything on request.
function Ended({ execution, fold, onSelect }) {
  const culprit = fold ? failureOf(fold) : null;
  const error = execution.error ?? { ABORTED: "Stopped", TIMED_OUT: "States.Timeout" }[execution.status] ?? "Failed";
  const cause = execution.cause ?? (execution.status === "TIMED_OUT" ? "It took longer than it may." : "");
  return html`<div class="ended failure"><p><b>${error}</b> ${message(text(cause), 280)}${" "}
      ${culprit && html`<button class="small" onClick=${() => onSelect(culprit.name)}>
        Go to “${labelOf(culprit)}”</button>`}
    </p>${cause && html`<details><summary>Whole cause</summary><${Json} text=${text(cause)} /></details>`}</div>`;
}
