// Where the time went: a bar a stage, opened to one a pass, attempts within.
import { html, useEffect, useMemo, useState } from "./ui.js";
import { failureOf, labelOf, tookOf, WORDS } from "./fold.js";
import { clock, duration, mark } from "./format.js";
import { Rows } from "./parts.js";
import { stageByState, stageStanding, stagesOf } from "./stages.js";

const CONTAINERS = new Set(["Parallel", "Map"]);

export function Timeline({ machine, fold, version, selected, onSelect, live }) {
  const [now, setNow] = useState(() => Date.now());
  const [filter, setFilter] = useState("");
  const [longest, setLongest] = useState(false);
  const [opened, setOpened] = useState(() => new Set());
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);
  const start = fold.start ?? now;
  const span = Math.max(1, (live ? now : (fold.last ?? now)) - start);
  const stages = useMemo(() => (machine ? stagesOf(machine) : []), [machine]);
  const visits = useMemo(() => {
    const wanted = filter.toLowerCase();
    const found = fold.visits.filter((visit) => labelOf(visit).toLowerCase().includes(wanted));
    return longest ? [...found].sort((a, b) => tookOf(b, now) - tookOf(a, now)) : found;
  }, [fold, version, filter, longest, longest ? now : 0]);
  const grouped = stages.length > 0 && !filter && !longest;
  const items = useMemo(
    () => (grouped ? byStage(stages, machine, fold, live, opened, now) : visits.map((visit) => ({ visit }))),
    [grouped, stages, visits, opened, live, live ? now : 0],
  );
  const ticks = useMemo(() => ticksOf(span), [span]);
  const share = (time) => `${((time - start) / span) * 100}%`;
  const bar = (begin, end, tone, key) => html`<i key=${key} class=${`span ${tone}`}
    style=${{ left: share(begin), width: `max(2px, ${((end - begin) / span) * 100}%)` }}></i>`;
  const toggle = (stage) => setOpened((old) => {
    const changed = new Set(old);
    if (!changed.delete(stage)) changed.add(stage);
    return changed;
  });
  return html`<div class="timeline">
    <div class="bar"><input type="search" placeholder="Filter states" aria-label="Filter states" value=${filter}
      onInput=${(event) => setFilter(event.target.value)} />
      <button aria-pressed=${longest} onClick=${() => setLongest(!longest)}>Longest first</button>
      ${grouped && html`<button aria-pressed=${opened.size === stages.length}
        onClick=${() => setOpened(new Set(opened.size === stages.length ? [] : stages))}>All states</button>`}
      <span class="quiet">${visits.length} passes in ${duration(span)}</span></div>
    <${Rows} items=${items} height=${28} label="Passes of states"
      keyOf=${({ stage, visit }) => visit?.id ?? `stage ${stage.title}`}
      head=${html`<div class="time-row time-head" role="row"><span role="columnheader">State</span>
        <span role="columnheader">Took</span><span role="columnheader" class="axis" aria-label="Time">
        ${ticks.map((tick) => html`<i style=${{ left: `${(tick / span) * 100}%` }}>${mark(tick)}</i>`)}</span></div>`}
      row=${(item) => (item.visit
        ? html`<${VisitRow} visit=${item.visit} within=${item.stage ? 1 : 0} now=${now} bar=${bar}
          chosen=${selected === item.visit.name} onSelect=${onSelect} />`
        : html`<${StageRow} ...${item} open=${opened.has(item.stage)} onToggle=${toggle} now=${now} bar=${bar} />`)} />
  </div>`;
}

function byStage(stages, machine, fold, live, opened, now) {
  const failure = live ? null : failureOf(fold);
  const of = stageByState(stages, machine);
  return stages.flatMap((stage) => {
    const standing = stageStanding(stage, fold, now, failure);
    const own = fold.visits.filter((visit) => of.get(visit.name) === stage);
    return [{ stage, standing, own }, ...(opened.has(stage) ? own.map((visit) => ({ stage, visit })) : [])];
  });
}

function StageRow({ stage, standing, own, open, onToggle, now, bar }) {
  const top = own.filter((visit) => !visit.scope);
  return html`<div class="time-row stage-row" role="row">
    <span role="cell"><button class="plain" aria-expanded=${open} disabled=${!own.length}
      onClick=${() => onToggle(stage)}><i class="fold-mark" aria-hidden="true">${open ? "▾" : "▸"}</i>
      ${`${stage.number ?? ""} ${stage.title}`.trim()}</button></span>
    <span role="cell" class="number">${standing ? duration(standing.milliseconds)
      : html`<span class="quiet" title="not reached">–</span>`}</span>
    <span role="cell" class="track" title=${standing ? WORDS[standing.status] : null}>
      ${top.map((visit) => bar(visit.start, visit.end ?? now, `stage-bar ${toneOf(visit)}`, visit.id))}</span></div>`;
}

const toneOf = (visit) => visit.status.replace(" ", "-");

function VisitRow({ visit, within, now, bar, chosen, onSelect }) {
  const end = visit.end ?? now;
  const failed = visit.attempts.length > 1 ? visit.attempts.filter((one) => /failed|timed/.test(one.status)) : [];
  return html`<div class=${`time-row ${chosen ? "chosen" : ""}`} role="row">
    <span role="cell" style=${{ paddingLeft: `${(depth(visit) + within) * 14}px` }}>
      <button class="plain" onClick=${() => onSelect(visit.name)} title=${labelOf(visit)}>
        ${labelOf(visit)}</button></span>
    <span role="cell" class="number">${duration(tookOf(visit, now))}</span>
    <span role="cell" class="track" title=${`${WORDS[visit.status]}, ${clock(visit.start, { fraction: true })} to ${
      visit.end ? clock(visit.end, { fraction: true }) : "now"}`}>
      ${bar(visit.start, end, `${toneOf(visit)} ${CONTAINERS.has(visit.type) ? "hollow" : ""}`)}
      ${failed.map((attempt) => bar(attempt.start, attempt.end ?? now, "attempt failed", attempt.scheduled))}
    </span></div>`;
}

function depth(visit) {
  let levels = 0;
  for (let at = visit.scope; at; at = at.scope) levels += 1;
  return levels;
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1200e3, 1800e3,
  3600e3, 7200e3, 21600e3, 86400e3, 604800e3, 2592000e3,
];

function ticksOf(span) {
  const step = STEPS.find((size) => span / size <= 8) ?? STEPS.at(-1);
  const ticks = [];
  for (let at = 0; at <= span * 0.97; at += step) ticks.push(at);
  return ticks;
}
