// Two executions side by side: what differs in data, code, figures and time.
import { html, useMemo, useState } from "./ui.js";
import { get } from "./api.js";
import { date, duration, lastPart } from "./format.js";
import { useExecution } from "./execution.js";
import { Problem, Status, useAnswer } from "./parts.js";

// Sections of executions/comparison.py that have another name here.
const TITLES = { run: "End" };
const capital = (text) => text[0].toUpperCase() + text.slice(1);

export function Compare({ arns }) {
  return arns.length < 2 ? html`<${Choose} arn=${arns[0]} />` : html`<${Pair} left=${arns[0]} right=${arns[1]} />`;
}

function Choose({ arn }) {
  const machine = arn.replace(":execution:", ":stateMachine:").split(":").slice(0, 7).join(":");
  const [found, error] = useAnswer(() => get("executions", { machine }), [machine]);
  return html`<section class="compare"><header class="title"><h1>Compare ${lastPart(arn)} with</h1></header>
    <${Problem} error=${error} />
    <ul class="plain-list">
      ${(found?.executions ?? []).filter((item) => item.executionArn !== arn).slice(0, 200)
        .map((item) => html`<li>
          <${Status} status=${item.status} /> <a
            href=${`#/compare/${encodeURIComponent(arn)}/${encodeURIComponent(item.executionArn)}`}>${item.name}
              </a> <span class="quiet">${date(item.startDate)}</span></li>`)}</ul>
    ${found?.executions.length === 1 && html`<p class="quiet">There is no other execution of this state machine.</p>`}
      </section>`;
}

function flat(value, prefix = "", found = {}) {
  if (value !== null && typeof value === "object") {
    const named = Array.isArray(value) && value.every((item) => item && typeof item === "object" && item.key);
    for (const [key, item] of Object.entries(value)) flat(item, prefix ? `${prefix}.${named ? item.key : key}`
      : named ? item.key : key, found);
  } else found[prefix] = value;
  return found;
}

function parsed(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}

function Pair({ left, right }) {
  const a = useExecution(left);
  const b = useExecution(right);
  const [onlyDifferent, setOnly] = useState(true);
  const over = [a, b].every((side) => side.execution && side.execution.status !== "RUNNING");
  const [recorded, problem] = useAnswer(() => (over ? get("comparison", { one: left, other: right }) : undefined),
    [left, right, over]);
  const times = useMemo(() => durations(a.fold, b.fold), [a.version, b.version]);
  if (!a.execution || !b.execution) return html`<section class="compare"><${Problem} error=${a.error ?? b.error} />
    <p class="quiet centred">Reading both…</p></section>`;
  const took = (x) => (x.stopDate ?? Date.now()) - x.startDate;
  const facts = [
    ["Status", a.execution.status, b.execution.status],
    ["Started", date(a.execution.startDate), date(b.execution.startDate)],
    ["Duration", duration(took(a.execution)), duration(took(b.execution))],
    ["Definition", a.first && b.first ? (a.first.definition === b.first.definition ? "the same" : "differs") : "", ""],
    ["Error", a.execution.error ?? "", b.execution.error ?? ""],
    ["Transitions", a.fold.transitions, b.fold.transitions],
  ];
  // Its seconds are told by the histories.
  const told = (recorded?.rows ?? []).filter((row) => row.section !== "seconds");
  const lacking = recorded?.without?.length && `There is no audit record of ${
    recorded.without.map(lastPart).join(" and of ")}: rows, scores, code and cost are not compared.`;
  const sections = Map.groupBy(told, (row) => row.section);
  const most = Math.max(1, ...times.map((row) => Math.max(row.a ?? 0, row.b ?? 0)));
  return html`<section class="compare" aria-label="Two executions">
    <header class="title"><h1>Two executions</h1><div class="actions">
      <button aria-pressed=${onlyDifferent} onClick=${() => setOnly(!onlyDifferent)}>Only what differs</button>
        <a class="button" href=${`#/compare/${encodeURIComponent(right)}/${encodeURIComponent(left)}`}>Swap</a></div>
          </header>
    <div class="table tall" tabindex="0" role="region" aria-label="Comparison"><table class="pair"><thead><tr><td>
      </td>${[[left, a], [right, b]].map(([arn, side]) => html`<th scope="col">
        <a href=${`#/execution/${encodeURIComponent(arn)}`}>${side.execution.name}</a></th>`)}</tr></thead>
      <tbody>${facts.map(([name, x, y]) => html`<tr><th scope="row">${name}</th><td>${x}</td><td>${y}</td></tr>`)}
        </tbody>
      <${Group} name="Input" rows=${pairs(flat(parsed(a.execution.input)), flat(parsed(b.execution.input)))}
        only=${onlyDifferent} />
      <tbody><tr class="group"><th scope="rowgroup" colspan="3">Time by state</th></tr>
        ${times.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th>
          ${[row.a, row.b].map((value, index) => html`<td>
            ${value === undefined ? html`<span class="quiet">not reached</span>` : html`<span class="number">
              ${duration(value)}</span><i class="meter" style=${{ width: `${(value / most) * 60}%` }}></i>
                ${index === 1 && row.a !== undefined && Math.abs(value - row.a) > 500 ? html` <span class="quiet">
                ${value > row.a ? "+" : "−"}${duration(Math.abs(value - row.a))}</span>` : ""}`}</td>`)}</tr>`)}</tbody>
      ${[...sections].map(([name, rows]) => html`<${Group} key=${name} name=${TITLES[name] ?? capital(name)}
        rows=${rows} only=${onlyDifferent} />`)}
    </table></div><${Problem} error=${problem} />${lacking && html`<p class="quiet">${lacking}</p>`}</section>`;
}

// The rows of two flat objects, as those of two records are.
function pairs(one, other) {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].map((what) =>
    ({ what, one: one[what], other: other[what], same: one[what] === other[what] }));
}

function Group({ name, rows, only }) {
  const shown = rows.filter((row) => !only || !row.same);
  const differ = rows.filter((row) => !row.same).length;
  return html`<tbody><tr class="group"><th scope="rowgroup" colspan="3">${name} <span class="quiet">
    ${rows.length - differ} the same, ${differ} different</span></th></tr>
    ${shown.slice(0, 400).map((row) => html`<tr key=${row.what} class=${row.same ? "" : "differs"}>
      <th scope="row" class="mono">${row.what || "(all)"}</th><td class="mono">${say(row.one)}</td><td class="mono">
        ${say(row.other)}</td></tr>`)}</tbody>`;
}

function say(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(6)));
  }
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : String(value);
}

function durations(a, b) {
  const rows = new Map();
  for (const [side, fold] of [["a", a], ["b", b]]) {
    for (const visit of fold?.visits ?? []) {
      const row = rows.get(visit.name) ?? { name: visit.name };
      row[side] = (row[side] ?? 0) + ((visit.end ?? Date.now()) - visit.start);
      rows.set(visit.name, row);
    }
  }
  return [...rows.values()];
}
