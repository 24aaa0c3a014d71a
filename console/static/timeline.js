// Where the time went: one bar a pass, attempts within.
import { html, useEffect, useMemo, useState } from "./ui.js";
import { clock, duration, mark } from "./format.js";
import { Rows } from "./parts.js";
import { WORDS } from "./graph.js";

export function Timeline({ fold, version, selected, onSelect, live }) {
  const [now, setNow] = useState(() => Date.now());
  const [filter, setFilter] = useState("");
  const [longest, setLongest] = useState(false);
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);
  const start = fold.start ?? now;
  const end = live ? now : (fold.last ?? now);
  const span = Math.max(1, end - start);
  const visits = useMemo(() => {
    const wanted = filter.toLowerCase();
    const found = fold.visits.filter((visit) => visit.name.toLowerCase().includes(wanted));
    return longest ? [...found].sort((a, b) => (b.end ?? now) - b.start - ((a.end ?? now) - a.start)) : found;
  }, [fold, version, filter, longest, longest ? now : 0]);
  const ticks = useMemo(() => ticksOf(span), [span]);
  const share = (time) => `${((time - start) / span) * 100}%`;
  return html`<div class="timeline">
    <div class="bar">
      <input type="search" placeholder="Filter states" aria-label="Filter states" value=${filter}
        onInput=${(event) => setFilter(event.target.value)} />
      <button aria-pressed=${longest} onClick=${() => setLongest(!longest)}>Longest first</button><span class="quiet">
        ${visits.length} passes in ${duration(span)}</span></div>
    <${Rows} items=${visits} height=${28} label="Passes of states" keyOf=${(visit) => visit.id}
      head=${html`<div class="time-row time-head" role="row"><span role="columnheader">State</span>
        <span role="columnheader">Took</span><span role="columnheader" class="axis" aria-label="Time">
          ${ticks.map((tick) => html`<i style=${{ left: `${(tick / span) * 100}%` }}>${mark(tick)}</i>`)}</span></div>`}
      row=${(visit) => html`<div class=${`time-row ${selected === visit.name ? "chosen" : ""}`} role="row">
        <span role="cell" style=${{ paddingLeft: `${depth(visit) * 14}px` }}>
          <button class="plain" onClick=${() => onSelect(visit.name)} title=${visit.name}>${visit.name}</button></span>
        <span role="cell" class="number">${duration((visit.end ?? now) - visit.start)}</span>
        <span role="cell" class="track"
          title=${`${WORDS[visit.status]}, ${clock(visit.start, { fraction: true })} to ${visit.end
            ? clock(visit.end, { fraction: true }) : "now"}`}>
          <i class=${`span ${visit.status.replace(" ", "-")} ${visit.type === "Parallel" || visit.type === "Map"
            ? "hollow" : ""}`}
              style=${{ left: share(visit.start),
                width: `max(2px, ${(((visit.end ?? now) - visit.start) / span) * 100}%)` }}></i>
          ${visit.attempts.length > 1 && visit.attempts.filter((attempt) => /failed|timed/.test(attempt.status))
            .map((attempt) => html`<i class="span attempt failed"
              style=${{ left: share(attempt.start),
                width: `max(2px, ${(((attempt.end ?? now) - attempt.start) / span) * 100}%)` }}></i>`)}
        </span></div>`} />
  </div>`;
}

function depth(visit) {
  let levels = 0;
  for (let at = visit.scope; at; at = at.scope) levels += 1;
  return levels;
}

function ticksOf(span) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3,
    1200e3, 1800e3, 3600e3, 7200e3, 21600e3, 86400e3, 604800e3, 2592000e3];
  const step = steps.find((size) => span / size <= 8) ?? steps.at(-1);
  const ticks = [];
  for (let at = 0; at <= span * 0.97; at += step) ticks.push(at);
  return ticks;
}
