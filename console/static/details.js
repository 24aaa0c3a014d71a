// One state: its passes, attempts, data, and the work that it started elsewhere.
import { html, useEffect, useState } from "./ui.js";
import { get } from "./api.js";
import { clock, duration } from "./format.js";
import { Json } from "./json.js";
import { Section } from "./sections.js";
import { Problem, Tabs, useAnswer } from "./parts.js";
import { itemWords, text, tookOf, WORDS } from "./fold.js";
import { kindOf } from "./machine.js";
import { sentenceOf, stageOf } from "./stages.js";

export function Details({ arn, machine, fold, version, name, onClose, live }) {
  const entry = machine.states.get(name);
  const visits = fold?.states.get(name) ?? [];
  const [chosen, setChosen] = useState(null);
  const [tab, setTab] = useState("summary");
  const [wide, setWide] = useState(false);
  useEffect(() => setChosen(null), [name]);
  if (!entry) return null;
  const visit = visits[chosen ?? visits.length - 1] ?? null;
  const at = chosen ?? visits.length - 1;
  const task = entry.type === "Task";
  const tabs = [["summary", "Summary"], ["input", "Input"], task && ["request", "Request"], ["output", "Output"],
    task && ["work", "Work"], ["definition", "Definition"]].filter(Boolean);
  const current = tabs.some(([key]) => key === tab) ? tab : "summary";
  return html`<aside class=${wide ? "details wide" : "details"} aria-label=${`State ${name}`}>
    <header>
      <div><h2>${name}</h2><p class="quiet">${kindOf(entry)}
        ${entry.resource?.waits ? ` · .${entry.resource.waits}` : ""}${stageWords(entry.state.Comment)}</p></div>
      <div class="details-tools">
        <button class="small" aria-pressed=${wide} onClick=${() => setWide(!wide)}
          title="Over the whole width">Wide</button>
        <button class="close" onClick=${onClose} aria-label="Close details" title="Close (Esc)">×</button></div>
    </header>
    ${visits.length > 1 && html`<div class="passes">
      <button class="small" disabled=${at <= 0} onClick=${() => setChosen(at - 1)} aria-label="Previous pass">‹</button>
      <select aria-label="Pass" value=${at} onChange=${(event) => setChosen(Number(event.target.value))}>
        ${visits.map((item, index) => html`<option value=${index}>Pass ${index + 1} of ${visits.length}
          ${itemWords(item)}: ${WORDS[item.status]}</option>`)}
      </select>
      <button class="small" disabled=${at >= visits.length - 1} onClick=${() => setChosen(at + 1)}
        aria-label="Next pass">›</button>
    </div>`}
    <${Tabs} tabs=${tabs} current=${current} onChange=${setTab} label="State details" />
    <div class="details-body" role="tabpanel" aria-label=${current} tabindex="0">
      ${current === "definition" ? html`<${Json} value=${entry.state} />` : !visit
        ? html`<p class="quiet">This execution has not reached this state${live ? " yet" : ""}.</p>`
          : html`<${Body} key=${`${visit.id}:${current}`} arn=${arn} entry=${entry} visit=${visit} tab=${current}
            version=${version} live=${live} />`}
    </div>
  </aside>`;
}

function Body({ arn, entry, visit, tab, version, live }) {
  if (tab === "summary") return html`<${Summary} arn=${arn} entry=${entry} visit=${visit} live=${live} />`;
  if (tab === "input") return html`<${Payload} arn=${arn} id=${visit.entered} member="input" />`;
  const attempt = visit.attempts.at(-1);
  if (tab === "request") return attempt
    ? html`<${Payload} arn=${arn} id=${attempt.scheduled} member="parameters" others />`
      : html`<p class="quiet">Nothing was requested.</p>`;
  if (tab === "output") {
    return html`${visit.exited ? html`<${Payload} arn=${arn} id=${visit.exited} member="output" label="Handed on" />`
      : html`<p class="quiet">${visit.end === null ? "Still running." : "It was left without an output."}</p>`}
      ${attempt?.submitted && html`<h3>Answer to the request</h3>
        <${Payload} arn=${arn} id=${attempt.submitted} member="output" />`}
      ${attempt?.ended && attempt.status === "succeeded" && html`<h3>Answer at the end</h3>
        <${Payload} arn=${arn} id=${attempt.ended} member="output" />`}`;
  }
  return html`<${Work} arn=${arn} visit=${visit} version=${visit.end === null ? version : 0} />`;
}

function Payload({ arn, id, member, label, others }) {
  const [event, error] = useAnswer(() => get("event", { arn, id }), [arn, id]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!event) return html`<p class="quiet">Reading…</p>`;
  const details = Object.entries(event).find(([key]) => key.endsWith("EventDetails"))?.[1] ?? {};
  const rest = others ? Object.entries(details).filter(([key, value]) => key !== member && typeof value !== "object")
    : [];
  return html`${rest.length > 0 && html`<dl class="facts">
    ${rest.map(([key, value]) => html`<dt>${key}</dt><dd>${String(value)}</dd>`)}</dl>`}
      <${Json} text=${details[member]} label=${label} />`;
}

function stageWords(comment) {
  const stage = stageOf(comment);
  return stage ? ` · stage ${stage.number}, ${stage.title}` : "";
}

function Summary({ arn, entry, visit, live }) {
  const events = visit.events;
  return html`<dl class="facts">
      <dt>Status</dt><dd><span class=${`pill ${visit.status.replace(" ", "-")}`}>${WORDS[visit.status]}</span></dd>
      <dt>Entered</dt><dd>${clock(visit.start, { fraction: true })}</dd>
      <dt>Left</dt><dd>${visit.end === null ? (live ? "not yet" : "never") : clock(visit.end, { fraction: true })}</dd>
      <dt>Took</dt><dd>${duration(tookOf(visit, Date.now()))}</dd>
      ${visit.rounds && html`<dt>Iterations</dt><dd>
        ${visit.rounds.Succeeded} succeeded, ${visit.rounds.Failed} failed of ${visit.items ?? visit.rounds.Started}
          </dd>`}
      ${visit.mapRun && html`<dt>Map run</dt><dd><a href=${`#/map/${encodeURIComponent(visit.mapRun)}`}>
        ${visit.mapRun.split(":").at(-1)}</a></dd>`}
      <dt>Events</dt><dd>${events[0]}${events.length > 1 ? ` to ${events.at(-1)}` : ""}</dd>
    </dl>
    ${visit.failed && !visit.attempts.length && html`<${Failure} error=${visit.error} cause=${visit.cause} />`}
    ${visit.attempts.length > 0 && html`<h3>
      ${visit.attempts.length === 1 ? "Attempt" : `${visit.attempts.length} attempts`}</h3>
      <ol class="attempts">${visit.attempts.map((attempt, index) => html`<li key=${attempt.scheduled}>
        <div class="attempt-line"><span class=${`pill ${attempt.status.replace(" ", "-")}`}>${attempt.status}</span>
          <span>${clock(attempt.start, { fraction: true })}</span><span>
            ${duration((attempt.end ?? Date.now()) - attempt.start)}</span>
          ${index > 0 && html`<span class="quiet">
            ${duration(attempt.start - visit.attempts[index - 1].end)} after the one before</span>`}</div>
        ${attempt.error && html`<${Failure} arn=${arn} id=${attempt.ended} error=${attempt.error}
          cause=${attempt.cause} />`}
      </li>`)}</ol>`}
    ${sentenceOf(entry.state.Comment) && html`<p class="quiet">${sentenceOf(entry.state.Comment)}</p>`}`;
}

export function Failure({ arn, id, error, cause }) {
  const cut = cause && typeof cause === "object";
  const [whole] = useAnswer(() => (cut && id ? get("event", { arn, id }) : null), [arn, id, cut]);
  const details = whole ? (Object.entries(whole).find(([key]) => key.endsWith("EventDetails"))?.[1] ?? {}) : {};
  const shown = details.cause ?? text(cause);
  return html`<div class="failure"><b>${error || "Failed"}</b>
    ${shown ? html`<${Json} text=${shown} />` : html`<p class="quiet">No cause was given.</p>`}</div>`;
}

function Work({ arn, visit, version }) {
  const [number, setNumber] = useState(visit.attempts.length - 1);
  const attempt = visit.attempts[Math.min(number, visit.attempts.length - 1)];
  const [tick, setTick] = useState(0);
  const running = attempt?.end === null;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => setTick((n) => n + 1), 2500);
    return () => clearInterval(timer);
  }, [running]);
  const [answer, error, loading] = useAnswer(() => (attempt ? get("work", { arn, id: attempt.scheduled })
    : { sections: [] }), [arn, attempt?.scheduled, attempt?.submitted, attempt?.end, tick]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!answer) return html`<p class="quiet">Asking the service…</p>`;
  return html`${visit.attempts.length > 1
    && html`<label class="field">Attempt <select value=${number}
      onChange=${(event) => setNumber(Number(event.target.value))}>
        ${visit.attempts.map((item, index) => html`<option value=${index}>${index + 1}: ${item.status}</option>`)}
          </select></label>`}
    ${answer.sections.length === 0 && !loading
      && html`<p class="quiet">Nothing more is known of this kind of task than its request and answer.</p>`}
    ${answer.sections.map((section, index) => html`<${Section} key=${`${section.title}${index}`} section=${section}
      />`)}`;
}
