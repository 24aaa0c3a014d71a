// One execution as a document without scripts: everything that a ticket needs, in reading order.
import { asIs, html } from "./markup.js";
import { count, dollars, duration, lastPart, mark, qualifier } from "./format.js";
import { message } from "./cause.js";
import { detailsOf, failureOf, itemWords, labelOf, standing, text, tookOf, WORDS } from "./fold.js";
import { kindOf } from "./machine.js";
import { Picture } from "./picture.js";
import { Model } from "./model.js";
import { RecordDocument } from "./record.js";
import { aboutOf, machineOf, rowsOf, stageByState, stagesOf } from "./stages.js";

const MOST_PASSES = 20; // of one state, with their data; the events have all
const STATUS = { RUNNING: "running", PENDING_REDRIVE: "running", SUCCEEDED: "succeeded", FAILED: "failed",
  TIMED_OUT: "failed", ABORTED: "aborted" };
const PROBLEM = /Failed|TimedOut|Aborted/;

const utc = (milliseconds, digits = 0) => (milliseconds ? new Date(milliseconds).toISOString().replace("T", " ")
  .slice(0, 19 + (digits ? digits + 1 : 0)) : "");
const Pill = ({ tone, children }) => html`<span class=${`pill ${tone.replace(" ", "-")}`}>${children}</span>`;
const Facts = ({ rows }) => html`<dl class="facts">
  ${rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

function pretty(value) {
  const given = text(value);
  if (typeof given !== "string") return JSON.stringify(given, null, 2);
  try {
    return JSON.stringify(JSON.parse(given), null, 2);
  } catch {
    return given;
  }
}

// Closed, as long as it is not asked for; `value` is text, or {text, characters} when it was cut.
function Data({ name, value, open = false }) {
  if (value === null || value === undefined || value === "") return null;
  const cut = typeof value === "object" && value.characters !== undefined;
  const shown = pretty(value);
  return html`<details open=${open}><summary>${name} <span class="quiet">
    ${cut ? `first ${count(text(value).length)} of ${count(value.characters)} characters`
      : `${count(shown.length)} characters`}</span></summary><pre tabindex="0">${shown}</pre></details>`;
}

const Failure = ({ error, cause }) => html`<div class="failure"><p><b>${error || "Failed"}
  </b> ${message(text(cause), 280)}</p>
    ${cause ? html`<pre tabindex="0">${pretty(cause)}</pre>` : html`<p class="quiet">No cause was given.</p>`}</div>`;

// `place` lays a machine out.
export function Report({ given, machine, place, story, id }) {
  const { execution, origin, audit, made, colours, styles, costs } = given;
  const running = execution.stopDate === undefined || execution.stopDate === null;
  const now = execution.stopDate ?? made;
  const tone = STATUS[execution.status] ?? "idle";
  const culprit = failureOf(story);
  const stages = stagesOf(machine);
  const rows = rowsOf(stages, machine, story, now, costs?.states, running);
  const parts = [["graph", stages.length ? "Stages" : "Graph"], ["time", "Time"], ["states", "States"],
    ["data", "Input and output"], ["audit", "Audit record"], ["events", "Events"]];
  const drawn = (name, shown) => html`<label class="quiet full"><input type="checkbox" /> Full size</label>
    <div class="drawing" tabindex="0" role="region" aria-label=${name}>
      <${Picture} machine=${shown} placed=${place(shown)} fold=${story} now=${now} colours=${colours}
        id=${`${id}-${name.replace(/\W+/g, "-")}`} title=${`${execution.name}: ${name}, ${execution.status}`} /></div>`;
  const state = (name) => html`<${State} name=${name} visits=${story.states.get(name)} entry=${machine.states.get(name)}
    story=${story} now=${now} open=${name === culprit?.name && tone !== "succeeded"} />`;
  return html`<html lang="en"><head><meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'" />
    <title>${execution.name}: ${execution.status}</title><style>${asIs(styles)}</style></head>
  <body><main>
    <header><p class="quiet">${lastPart(execution.stateMachineArn.split(":").slice(0, 7).join(":"))}</p>
      <h1><${Pill} tone=${tone}>${execution.status.toLowerCase().replace("_", " ")}<//> ${execution.name}</h1>
      <${Facts} rows=${[
        ["Started", `${utc(execution.startDate)} UTC`],
        [running ? "Running for" : "Took", duration(now - execution.startDate)],
        ["Ended", execution.stopDate && `${utc(execution.stopDate)} UTC`],
        ["Started by", { request: "a person or API" }[origin.kind] ?? `${origin.kind} ${origin.detail}`],
        ["Alias", qualifier(execution.stateMachineAliasArn)],
        ["Version", qualifier(execution.stateMachineVersionArn)],
        ["Transitions", story.transitions],
        ["Cost on AWS", costs && `≈ ${dollars(costs.total)}, at list prices of ${costs.prices.region}`],
        ["Redriven", execution.redriveCount ? `${execution.redriveCount}×` : ""],
        ["ARN", html`<span class="mono">${execution.executionArn}</span>`],
        ["This report", `${utc(made)} UTC${running ? "; the execution goes on" : ""}`],
      ]} /></header>
    <nav aria-label="Parts of this report">${parts.map(([key, name]) => html`<a href=${`#${key}`}>${name}</a> `)}</nav>
    ${(execution.error || execution.cause) && html`<section aria-labelledby="why"><h2 id="why">Why it ended</h2>
      ${culprit && html`<p>In the state <a href=${`#${anchor(story, culprit.name)}`}>${labelOf(culprit)}</a>.</p>`}
      <${Failure} error=${execution.error} cause=${execution.cause} /></section>`}
    <section aria-labelledby="graph"><h2 id="graph">${parts[0][1]}</h2>
      ${stages.length ? html`<${Stages} rows=${rows} />
        <details><summary>All ${machine.states.size} states in one graph</summary>${drawn("All states", machine)}
          </details>`
        : drawn("Graph", machine)}</section>
    <section aria-labelledby="time"><h2 id="time">Where the time went</h2>
      <${Lanes} story=${story} now=${now} stages=${rows} />
      ${rows.length > 0 && html`<details><summary>By state</summary><${Lanes} story=${story} now=${now} /></details>`}
      </section>
    <section aria-labelledby="states"><h2 id="states">States</h2>
      <p class="quiet">In the order in which they were reached. Times are UTC.</p>
      ${stages.length ? rows.map(({ stage, standing: went }) => {
        const own = [...story.states.keys()].filter((name) => stageOfState(stages, machine, name) === stage);
        return html`<details class="stage-states" id=${`stage-${stage.number ?? "rest"}`}
          open=${Boolean(went?.failure)}>
          <summary><${Pill} tone=${went?.status ?? "idle"}>${went ? WORDS[went.status] : "not reached"}<//>${" "}
            <b>${stage.number ?? ""} ${stage.title}</b> <span class="quiet">${aboutOf(stage)}${went
              ? ` · ${duration(went.milliseconds)}` : ""}</span></summary>
          ${drawn(`${stage.number ?? ""} ${stage.title}`.trim(), machineOf(stage, stages, machine))}${own.map(state)}
        </details>`;
      }) : [...story.states.keys()].map(state)}</section>
    <section aria-labelledby="data"><h2 id="data">Input and output</h2>
      <${Data} name="Input" value=${execution.input} open /><${Data} name="Output" value=${execution.output} />
        ${!execution.output && html`<p class="quiet">${running ? "No output yet." : "No output."}</p>`}</section>
    <section aria-labelledby="audit"><h2 id="audit">Audit record</h2><${Audit} audit=${audit} running=${running} />
      </section>
    <section aria-labelledby="events"><h2 id="events">Events</h2><${Events} story=${story} /></section>
  </main></body></html>`;
}

const stageOfState = (stages, machine, name) => stageByState(stages, machine).get(name);

function Stages({ rows }) {
  return html`<ol class="board" aria-label="Stages">${rows.map(({ stage, standing: went, cost }) => html`
    <li class=${`stage ${went?.status ?? "idle"}`}><a class="stage-box" href=${`#stage-${stage.number ?? "rest"}`}>
      <span class="stage-head"><span class="stage-number">${stage.number ?? "…"}</span>
        <span class="stage-title">${stage.title}</span></span>
      <span class="stage-about">${aboutOf(stage)}</span>
      <span class="stage-figures"><${Pill} tone=${went?.status ?? "idle"}>${went ? WORDS[went.status] : "not reached"}
        <//>
        ${went && html`<b class="number">${duration(went.milliseconds)}</b>`}
        ${went && cost !== undefined && html`<span class="number quiet">${dollars(cost)}</span>`}</span></a>
      ${went?.failure && html`<div class="stage-cause"><p><b>${went.failure.error || "Failed"}
        </b> in ${labelOf(went.failure)}</p>
        <p class="cause">${message(text(went.failure.cause), 220)}</p></div>`}</li>`)}</ol>`;
}

const anchor = (story, name) => `state-${[...story.states.keys()].indexOf(name)}`;

// A row a stage, or a state: all its passes on the same axis. Bars narrower than a pixel run together.
function Lanes({ story, now, stages = [] }) {
  const start = story.start ?? now;
  const span = Math.max(1, now - start);
  const [left, right, row] = [250, 90, 20];
  const wide = 1000 - left - right;
  const x = (time) => left + (Math.min(Math.max(0, time - start), span) / span) * wide;
  const barsOf = (visits) => merged(visits.map((visit) => [x(visit.start), x(visit.end ?? now), visit.status]));
  const ofStages = stages.filter(({ standing: went }) => went).map(({ stage, standing: went }) => ({
    name: `${stage.number ?? ""} ${stage.title}`.trim(), total: went.milliseconds, hollow: false, within: false,
    bars: barsOf(stage.names.flatMap((name) => story.states.get(name) ?? []).sort((a, b) => a.start - b.start)),
  }));
  const rows = ofStages.length ? ofStages : [...story.states].map(([name, visits]) => ({
    name, total: visits.reduce((sum, visit) => sum + tookOf(visit, now), 0), bars: barsOf(visits),
    hollow: ["Parallel", "Map"].includes(visits[0].type), within: Boolean(visits[0].scope),
  }));
  const ticks = ticksOf(span);
  const height = rows.length * row + 26;
  return html`<svg class="lanes" viewBox=${`0 0 1000 ${height}`} role="img"
    aria-label=${`Time of ${rows.length} ${ofStages.length ? "stages"
      : "states"}, ${duration(span)} in all. Longest: ${[...rows].sort((a, b) =>
      b.total - a.total).slice(0, 5).map((item) => `${item.name} ${duration(item.total)}`).join(", ")}.`}>
    ${ticks.map((tick) => html`<line class="grid" x1=${x(start + tick)} x2=${x(start + tick)} y1="18" y2=${height} />
      <text class="quiet" x=${x(start + tick) + 3} y="12">${mark(tick)}</text>`)}
    ${rows.map((item, index) => {
      const y = 22 + index * row;
      return html`<g><title>${item.name}: ${duration(item.total)}</title><text x=${item.within ? 14 : 0} y=${y + 13}>
        ${cut(item.name, 38)}</text>
        ${item.bars.map(([from, to, status]) =>
          html`<rect class=${`${status.replace(" ", "-")} ${item.hollow ? "hollow" : ""}`} x=${from.toFixed(1)}
            y=${y + 4} width=${Math.max(1.5, to - from).toFixed(1)} height="12" rx="2" />`)}
        <text class="number" x="1000" y=${y + 13} text-anchor="end">${duration(item.total)}</text></g>`;
    })}</svg>`;
}

const cut = (name, most) => ([...name].length > most ? `${[...name].slice(0, most - 1).join("")}…` : name);

function merged(bars) {
  const found = [];
  for (const bar of bars) {
    const last = found.at(-1);
    if (last && last[2] === bar[2] && bar[0] - last[1] < 1 && bar[1] - last[1] < 3) last[1] = Math.max(last[1], bar[1]);
    else found.push(bar);
  }
  return found;
}

function ticksOf(span) {
  const step = [1, 5, 10, 50, 100, 500, 1e3, 2e3, 5e3, 10e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3,
    21600e3, 86400e3].find((size) => span / size <= 8) ?? 864e5 * Math.ceil(span / 864e5 / 8);
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step)
    .filter((tick) => tick < span * 0.96);
}

function State({ name, visits, entry, story, now, open }) {
  const found = standing(visits, now);
  const shown = visits.length > MOST_PASSES ? [...visits].sort((a, b) => Number(b.failed) - Number(a.failed))
    .slice(0, MOST_PASSES).sort((a, b) => a.id - b.id) : visits;
  const total = visits.reduce((sum, visit) => sum + tookOf(visit, now), 0);
  return html`<details class="state" id=${anchor(story, name)} open=${open}><summary><${Pill} tone=${found.status}>
    ${WORDS[found.status]}<//> <b>${name}</b> <span class="quiet">
      ${entry ? kindOf(entry) : visits[0].type} · ${duration(total)}
        ${visits.length > 1 ? ` · ${count(visits.length)} passes` : ""}
          ${found.retries ? ` · ${found.retries} retries` : ""}</span></summary>
    ${entry?.state.Comment && html`<p class="quiet">${entry.state.Comment}</p>`}
    ${shown.map((visit) => html`<div class="pass">
      ${visits.length > 1 && html`<h3>Pass ${visits.indexOf(visit) + 1}
        ${itemWords(visit)}: ${WORDS[visit.status]}</h3>`}
          <${Pass} visit=${visit} story=${story} now=${now} /></div>`)}
    ${shown.length < visits.length && html`<p class="quiet">
      ${count(visits.length - shown.length)} more passes are in the events.</p>`}
  </details>`;
}

function Pass({ visit, story, now }) {
  const of = (event, member) => (event ? detailsOf(story.events[event - story.events[0].id])[member] : null);
  const last = visit.attempts.at(-1);
  return html`${visit.failed && !visit.attempts.length
    && html`<${Failure} error=${visit.error} cause=${visit.cause} />`}
    ${visit.attempts.length > 0 && html`<ol class="attempts">
      ${visit.attempts.map((attempt) => html`<li><${Pill} tone=${attempt.status}>${attempt.status}
        <//> ${utc(attempt.start, 3)} <span class="quiet">${duration((attempt.end ?? now) - attempt.start)}</span>
          ${attempt.error && html`<${Failure} error=${attempt.error} cause=${attempt.cause} />`}</li>`)}</ol>`}
    <p class="quiet">
      ${utc(visit.start, 3)} to ${visit.end ? utc(visit.end, 3)
        : "now"}, ${duration(tookOf(visit, now))}</p>
    <${Data} name="Input" value=${of(visit.entered, "input")} />
      <${Data} name="Request" value=${of(last?.scheduled, "parameters")} />
        <${Data} name="Answer" value=${of(last?.ended, "output")} />
          <${Data} name="Output" value=${of(visit.exited, "output")} />`;
}

function Audit({ audit, running }) {
  if (!audit) return html`<p class="quiet">${running ? "The record is written at the end."
    : "No audit record of this execution was found."}</p>`;
  if (audit.problem) return html`<p class="failure">${audit.uri} cannot be read: ${audit.problem}</p>`;
  const { record, findings, model } = audit;
  const bad = findings.filter((item) => item.ok === false);
  const same = findings.filter((item) => item.ok === true).length;
  return html`<p class="mono quiet">${audit.uri}</p>
    <p class=${bad.length ? "failure" : "good"}>
      ${bad.length ? `${bad.length} of ${findings.length} hashes differ.`
        : `${same} of ${findings.length} hashes, computed again for this report, are the same${same < findings.length
          ? "; the others were not reached" : ""}.`}</p>
    <${RecordDocument} record=${record} uri=${audit.uri} sha256=${audit.sha256} findings=${findings}
      extra=${{ model: model && html`<${Model} section=${model} />` }} />
    <${Data} name="The record as JSON" value=${audit.text} />`;
}

function brief(details) {
  const found = details.error || details.cause ? [text(details.error), text(details.cause)].filter(Boolean)
    .join(": ") : text(details.output ?? details.input ?? details.parameters ?? details.resource ?? "");
  return cut(String(found).slice(0, 400), 160);
}

function Events({ story }) {
  return html`<details><summary>${count(story.events.length)} events</summary><div class="table events"><table><thead>
    <tr>${["Id", "Time (UTC)", "After start", "Type", "State", "Detail"].map((name) => html`<th scope="col">${name}
      </th>`)}</tr></thead><tbody>
    ${story.events.map((event) => html`<tr class=${PROBLEM.test(event.type) ? "bad" : null}><td>${event.id}</td><td>
      ${utc(event.timestamp, 3).slice(11)}</td><td>${duration(event.timestamp - story.start)}</td><td>${event.type}
        </td><td>${story.owner.get(event.id)?.name ?? ""}</td><td class="mono">${brief(detailsOf(event))}</td></tr>`)}
          </tbody></table></div></details>`;
}
