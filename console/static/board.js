// The stages of a workflow as boxes, each with its status, time and cost; a click opens its states.
import { html, useRef } from "./ui.js";
import { message } from "./cause.js";
import { labelOf, WORDS, text } from "./fold.js";
import { dollars, duration } from "./format.js";
import { aboutOf } from "./stages.js";

const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// rows: [{stage, standing, cost}]; `actions` are shown in the stage that failed.
export function Board({ rows, local, onOpen, actions }) {
  const list = useRef(null);
  const keys = (event) => {
    const boxes = [...list.current.querySelectorAll("[data-stage]")];
    const at = boxes.indexOf(document.activeElement);
    if (at < 0) return;
    const ends = { Home: boxes[0], End: boxes.at(-1) };
    const target = ends[event.key] ?? (ARROWS[event.key] && next(boxes, at, event.key));
    if (!target) return;
    event.preventDefault();
    target.focus();
  };
  return html`<ol class="board" aria-label="Stages" ref=${list} onKeyDown=${keys}>
    ${rows.map((row) => html`<${Box} key=${row.stage.title} ...${row} local=${local} onOpen=${onOpen}
      actions=${actions} />`)}
  </ol>`;
}

// Left and right follow the order; up and down go to the box that stands there.
function next(boxes, at, key) {
  const [dx, dy] = ARROWS[key];
  if (dx) return boxes[at + dx];
  const from = boxes[at].getBoundingClientRect();
  const rows = boxes.map((box) => [box, box.getBoundingClientRect()])
    .filter(([, box]) => (box.top - from.top) * dy > 4)
    .sort(([, a], [, b]) => Math.abs(a.top - from.top) - Math.abs(b.top - from.top)
      || Math.abs(a.left - from.left) - Math.abs(b.left - from.left));
  return rows[0]?.[0];
}

const toneOf = (standing) => (standing ? standing.status : "idle");

function Box({ stage, standing, cost, local, onOpen, actions }) {
  const took = standing ? duration(standing.milliseconds) : "";
  const badges = [
    standing?.retries > 0 && [`↻${standing.retries}`, `${standing.retries} retries`],
    standing?.handled > 0 && !standing.failure
      && [`${standing.handled} handled`, "errors that the workflow goes on from"],
  ].filter(Boolean);
  const failure = standing?.failure;
  return html`<li class=${`stage ${toneOf(standing)}`}>
    <button class="stage-box" data-stage=${stage.number ?? "rest"} onClick=${() => onOpen(stage)}
      title=${stage.sentence || null}>
      <span class="stage-head"><span class="stage-number"><span class="spoken">Stage </span>${stage.number ?? "…"}
        </span>
        <span class="stage-title">${stage.title}</span></span>
      <span class="stage-about">${aboutOf(stage)}</span>
      <span class="stage-figures">
        <span class=${`pill ${toneOf(standing)}`}>${standing ? WORDS[standing.status] : "not reached"}</span>
        ${took && html`<b class="number">${took}</b>`}
        ${cost !== undefined && standing && html`<span class="number quiet" title=${local
          ? "Would have cost this on AWS, at list prices" : "Estimate on AWS list prices"}>${dollars(cost)}</span>`}
        ${badges.map(([badge, title]) => html`<i class="badge" title=${title}>${badge}</i>`)}
      </span>
    </button>
    ${failure && html`<div class="stage-cause"><p><b>${failure.error || "Failed"}</b> in ${labelOf(failure)}</p>
      <p class="cause">${message(text(failure.cause), 220)}</p>${actions?.(failure, stage)}</div>`}
  </li>`;
}

// Where the time went: each stage's share of it.
export function Ribbon({ rows }) {
  const took = rows.filter(({ standing }) => standing?.milliseconds > 0);
  const total = took.reduce((sum, { standing }) => sum + standing.milliseconds, 0);
  if (!total) return null;
  const share = ({ standing }) => (standing.milliseconds / total) * 100;
  const words = took.map(({ stage, standing }) => `${stage.title} ${duration(standing.milliseconds)}`).join(", ");
  return html`<div class="ribbon" role="img" aria-label=${`Where the time went: ${words}`}>
    ${took.map((row) => html`<i key=${row.stage.title} class=${toneOf(row.standing)} style=${{ flexGrow: share(row) }}
      title=${`${row.stage.title}: ${duration(row.standing.milliseconds)}, ${Math.round(share(row))} %`}>
      ${share(row) > 3 ? html`<b>${row.stage.number ?? "…"}</b>` : ""}</i>`)}</div>`;
}

// All stages in one line, above the states of one of them.
export function Steps({ rows, current, onOpen, onBoard, onAll }) {
  return html`<nav class="steps" aria-label="Stages">
    <button class="small" aria-pressed=${current === null} onClick=${onBoard}>Stages</button>
    <ol>${rows.map(({ stage, standing }) => html`<li key=${stage.title}>
      <button class=${`step ${toneOf(standing)}`} aria-current=${current === stage ? "step" : undefined}
        aria-label=${`Stage ${stage.number ?? ""} ${stage.title}, ${standing ? WORDS[standing.status] : "not reached"}`}
        title=${stage.title} onClick=${() => onOpen(stage)}>
        <span class="stage-number">${stage.number ?? "…"}</span><span class="step-title">${stage.title}</span>
      </button></li>`)}</ol>
    <button class="small" aria-pressed=${current === "all"} onClick=${onAll}>All states</button>
  </nav>`;
}
