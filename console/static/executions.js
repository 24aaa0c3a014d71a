// All state machines, and the executions of one.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "./ui.js";
import { get, post } from "./api.js";
import { count, date, dollars, duration, lastPart, qualifier } from "./format.js";
import { Problem, Rows, Status } from "./parts.js";
import { StartDialog } from "./start.js";

const STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];
const PAGES_AT_ONCE = 10;
const ORIGINS = { upload: "upload", schedule: "schedule", event: "event", execution: "workflow",
  request: "person or API" };

export function Machines({ machines, current, error }) {
  const [filter, setFilter] = useState("");
  const shown = (machines ?? []).filter((machine) => machine.name.toLowerCase().includes(filter.toLowerCase()));
  return html`<nav class="machines" aria-label="State machines">
    <h2>State machines</h2>
    ${machines?.length > 8 && html`<input type="search" placeholder="Filter" aria-label="Filter state machines"
      value=${filter} onInput=${(event) => setFilter(event.target.value)} />`}
    <${Problem} error=${error} />
    ${machines?.length === 0 && html`<p class="quiet">None here yet.</p>`}
    <ul>${shown.map((machine) => html`<li key=${machine.stateMachineArn}>
      <a href=${`#/machine/${encodeURIComponent(machine.stateMachineArn)}`}
        aria-current=${machine.stateMachineArn === current ? "page" : undefined}>${machine.name}<span class="quiet">
          ${machine.type === "EXPRESS" ? "express" : ""}</span></a></li>`)}</ul>
  </nav>`;
}

// What is asked once for each execution in sight, many in one request: [answers by ARN, want(arn)].
function useAsked(name) {
  const [known, setKnown] = useState(() => new Map());
  const asked = useRef(new Set());
  const waiting = useRef([]);
  const want = (arn) => {
    if (asked.current.has(arn)) return;
    asked.current.add(arn);
    waiting.current.push(arn);
    if (waiting.current.length > 1) return;
    setTimeout(async () => {
      const arns = waiting.current.splice(0);
      for (let at = 0; at < arns.length; at += 50) {
        try {
          const found = await post(name, { arns: arns.slice(at, at + 50) });
          setKnown((old) => new Map([...old, ...Object.entries(found)]));
        } catch {
          return;
        }
      }
    }, 150);
  };
  return [known, want];
}

export function Executions({ machine, connection }) {
  const [items, setItems] = useState(null);
  const [next, setNext] = useState(null);
  const [error, setError] = useState(null);
  const [statuses, setStatuses] = useState(new Set());
  const [filter, setFilter] = useState("");
  const [origins, wantOrigin] = useAsked("origins");
  const [estimates, wantEstimate] = useAsked("estimates");
  const [starting, setStarting] = useState(false);
  const [picked, setPicked] = useState([]);
  const [now, setNow] = useState(() => Date.now());

  const merge = (fresh) =>
    setItems((old) => {
      const known = new Map((old ?? []).map((item) => [item.executionArn, item]));
      let changed = !old;
      for (const item of fresh) {
        const before = known.get(item.executionArn);
        if (!before || before.status !== item.status || before.stopDate !== item.stopDate) changed = true;
        known.set(item.executionArn, item);
      }
      return changed ? [...known.values()].sort((a, b) => b.startDate - a.startDate) : old;
    });

  const more = useCallback(
    async (token, pages) => {
      for (let page = 0; token && page < pages; page += 1) {
        const answer = await get("executions", { machine, next: token });
        merge(answer.executions);
        token = answer.next;
        setNext(token);
      }
    },
    [machine],
  );

  useEffect(() => {
    let current = true;
    let timer = null;
    const look = async (first) => {
      try {
        const answer = await get("executions", { machine });
        if (!current) return;
        merge(answer.executions);
        setError(null);
        if (first) {
          setNext(answer.next);
          more(answer.next, PAGES_AT_ONCE - 1).catch(setError);
        }
      } catch (problem) {
        if (!current) return;
        setError(problem);
      }
      setNow(Date.now());
      if (current) timer = setTimeout(() => look(false), document.hidden ? 15000 : connection?.local ? 1500 : 6000);
    };
    look(true);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [machine]);

  const counts = useMemo(() => {
    const found = {};
    for (const item of items ?? []) found[item.status] = (found[item.status] ?? 0) + 1;
    return found;
  }, [items]);
  const shown = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return (items ?? []).filter((item) => {
      if (statuses.size && !statuses.has(item.status)) return false;
      if (!wanted) return true;
      const origin = origins.get(item.executionArn);
      return `${item.name} ${item.status} ${qualifier(item.stateMachineAliasArn)} ${ORIGINS[origin?.kind]
        ?? ""} ${origin?.detail ?? ""}`.toLowerCase().includes(wanted);
    });
  }, [items, statuses, filter, origins]);

  const pick = (arn) =>
    setPicked((old) => (old.includes(arn) ? old.filter((item) => item !== arn) : [...old.slice(-1), arn]));
  const toggle = (status) => {
    const chosen = new Set(statuses);
    chosen.has(status) ? chosen.delete(status) : chosen.add(status);
    setStatuses(chosen);
  };
  return html`<section class="executions" aria-label="Executions">
    <header class="title"><div><h1>${lastPart(machine)}</h1><p class="quiet">
      ${items ? `${count(items.length)}${next ? "+" : ""} executions` : "Reading…"}</p></div>
      <div class="actions"><a class="button" href=${`#/definition/${encodeURIComponent(machine)}`}>Definition</a>
        ${picked.length === 2
          && html`<a class="button" href=${`#/compare/${picked.map(encodeURIComponent).join("/")}`}>Compare two</a>`}
        ${!connection?.read_only
          && html`<button class="primary" onClick=${() => setStarting(true)}>Start execution</button>`}</div></header>
    <${Problem} error=${error} />
    <div class="bar">
      <input type="search" placeholder="Search name, trigger, alias" aria-label="Search executions" value=${filter}
        onInput=${(event) => setFilter(event.target.value)} />
      <div class="choices" role="group" aria-label="Statuses">
        ${STATUSES.map((status) => html`<button aria-pressed=${statuses.has(status)} onClick=${() => toggle(status)}>
          ${status.replace("_", " ").toLowerCase()} <span class="quiet">${counts[status] ?? 0}</span></button>`)}</div>
      ${next && html`<button onClick=${() => more(next, PAGES_AT_ONCE).catch(setError)}>Load older</button>`}
      ${(filter || statuses.size > 0) && html`<span class="quiet">${count(shown.length)} found</span>`}</div>
    <${Rows} items=${shown} height=${40} label="Executions" keyOf=${(item) => item.executionArn}
      head=${html`<div class="list-row list-head" role="row">
        ${["Compare", "Status", "Name", "Started", "Duration", "Started by", "Runs", "Cost"].map((name, index) =>
          html`<span role="columnheader" class=${index === 0 ? "hidden-text" : ""} title=${name === "Cost"
            ? "Estimate on AWS list prices" : ""}>${name}</span>`)}</div>`}
      row=${(item) => html`<${Execution} item=${item} now=${now} origin=${origins.get(item.executionArn)}
        cost=${estimates.get(item.executionArn)} wantOrigin=${wantOrigin} wantEstimate=${wantEstimate}
          local=${connection?.local} picked=${picked.includes(item.executionArn)} onPick=${pick} />`} />
    ${items?.length === 0 && html`<p class="quiet centred">No execution yet.</p>`}
    ${starting && html`<${StartDialog} machine=${machine} onClose=${() => setStarting(false)} />`}
  </section>`;
}

function Execution({ item, now, origin, cost, wantOrigin, wantEstimate, local, picked, onPick }) {
  const ended = Boolean(item.stopDate);
  useEffect(() => wantOrigin(item.executionArn), [item.executionArn]);
  useEffect(() => ended && wantEstimate(item.executionArn), [item.executionArn, ended]);
  return html`<div class="list-row" role="row">
    <span role="cell">
      <input type="checkbox" aria-label=${`Compare ${item.name}`} checked=${picked}
        onChange=${() => onPick(item.executionArn)} /></span>
    <span role="cell"><${Status} status=${item.status} /></span>
    <span role="cell"><a href=${`#/execution/${encodeURIComponent(item.executionArn)}`}>${item.name}</a>
      ${item.redriveCount > 0 && html` <i class="badge" title="Redriven">⟳${item.redriveCount}</i>`}</span>
    <span role="cell">${date(item.startDate)}</span>
    <span role="cell" class="number">${duration((item.stopDate ?? now) - item.startDate)}</span>
    <span role="cell" title=${origin?.detail}>
      ${origin ? html`${ORIGINS[origin.kind] ?? origin.kind} <span class="quiet">${origin.detail.split("/").at(-1)}
        </span>` : ""}</span>
    <span role="cell">${item.stateMachineAliasArn ? qualifier(item.stateMachineAliasArn) : ""}
      ${item.stateMachineVersionArn ? html` <span class="quiet">v${qualifier(item.stateMachineVersionArn)}</span>`
        : ""}</span>
    <span role="cell" class="number" title=${local ? "Would have cost this on AWS, at list prices"
      : "Estimate on AWS list prices"}>${dollars(cost)}</span>
  </div>`;
}
