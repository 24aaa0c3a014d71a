// The event history as a table: filter, open, copy.
import { html, useMemo, useState } from "./ui.js";
import { get } from "./api.js";
import { clock, count, duration } from "./format.js";
import { detailsOf, text } from "./fold.js";
import { Copy, Json } from "./json.js";
import { Problem, Rows, useAnswer } from "./parts.js";

const KINDS = [["all", "All"], ["states", "States"], ["tasks", "Tasks"], ["problems", "Problems"]];
const PROBLEM = /Failed|TimedOut|Aborted/;

function brief(details) {
  if (details.error || details.cause) return [text(details.error), text(details.cause)].filter(Boolean).join(": ");
  return text(details.output ?? details.input ?? details.parameters ?? details.resource ?? "");
}

export function Events({ arn, fold, version }) {
  const [filter, setFilter] = useState("");
  const [kind, setKind] = useState("all");
  const [chosen, setChosen] = useState(null);
  const found = useMemo(() => {
    const wanted = filter.toLowerCase();
    return fold.events.filter((event) => {
      if (kind === "states" && !event.type.includes("State")) return false;
      if (kind === "tasks" && !/^(Task|Lambda|Activity)(?!State)/.test(event.type)) return false;
      if (kind === "problems" && !PROBLEM.test(event.type)) return false;
      if (!wanted) return true;
      const details = detailsOf(event);
      return [event.id, event.type, details.name, fold.owner.get(event.id)?.name, brief(details)].join(" ")
        .toLowerCase().includes(wanted);
    });
  }, [fold, version, filter, kind]);
  return html`<div class="events">
    <div class="bar">
      <input type="search" placeholder="Filter: state, type, text" aria-label="Filter events" value=${filter}
        onInput=${(event) => setFilter(event.target.value)} />
      <div class="choices" role="group" aria-label="Kinds of events">
        ${KINDS.map(([key, name]) => html`<button aria-pressed=${kind === key} onClick=${() => setKind(key)}>${name}
          </button>`)}</div>
      <span class="quiet">${count(found.length)} of ${count(fold.events.length)} events</span></div>
    <div class="split">
      <${Rows} items=${found} height=${28} label="Events" keyOf=${(event) => event.id}
        head=${html`<div class="event-row list-head" role="row">
          ${["Id", "Time", "After start", "Type", "State", "Detail"].map((name) => html`<span role="columnheader">
            ${name}</span>`)}</div>`}
        row=${(event) =>
          html`<div class=${`event-row ${PROBLEM.test(event.type) ? "bad" : ""} ${chosen === event.id ? "chosen"
            : ""}`} role="row">
          <span role="cell">
            <button class="plain" aria-label=${`Event ${event.id}`} onClick=${() => setChosen(event.id)}>${event.id}
              </button></span><span role="cell">${clock(event.timestamp, { fraction: true })}</span>
          <span role="cell" class="number">${duration(event.timestamp - fold.start)}</span><span role="cell">
            ${event.type}</span>
          <span role="cell">${fold.owner.get(event.id)?.name ?? ""}</span><span role="cell" class="quiet mono">
            ${brief(detailsOf(event))}</span></div>`} />
      ${chosen !== null && html`<${One} arn=${arn} id=${chosen} onClose=${() => setChosen(null)} />`}
    </div>
  </div>`;
}

function One({ arn, id, onClose }) {
  const [event, error] = useAnswer(() => get("event", { arn, id }), [arn, id]);
  return html`<aside class="details" aria-label=${`Event ${id}`}><header><h2>Event ${id}</h2>
    <button class="close" onClick=${onClose} aria-label="Close event">×</button></header>
    <div class="details-body" tabindex="0" role="region" aria-label="Event"><${Problem} error=${error} />
      ${event && html`<${Json} key=${id} value=${event} />`}</div></aside>`;
}
