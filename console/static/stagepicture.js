// The stages of a workflow as one SVG: what a README, a pull request or a ticket shows first.
import { html } from "./ui.js";
import { WORDS } from "./fold.js";
import { dollars, duration } from "./format.js";
import { path } from "./elkgraph.js";
import { lines, pixels, styleOf } from "./svgtext.js";

const COLUMNS = 5;
const BOX = { width: 166, height: 136 };
const GAP = { x: 24, y: 34 };
const MARGIN = 14;

// rows: [{stage, standing, cost}], as the page's boxes have them; `ran`: of an execution.
export function StagePicture({ rows, ran, id, title, colours, theme = null }) {
  const columns = Math.min(COLUMNS, rows.length);
  const width = 2 * MARGIN + columns * BOX.width + (columns - 1) * GAP.x;
  const down = Math.ceil(rows.length / columns);
  const height = 2 * MARGIN + down * BOX.height + (down - 1) * GAP.y;
  const places = rows.map((_, index) => ({
    x: MARGIN + (index % columns) * (BOX.width + GAP.x),
    y: MARGIN + Math.floor(index / columns) * (BOX.height + GAP.y),
  }));
  return html`<svg xmlns="http://www.w3.org/2000/svg" id=${id} width=${width} height=${height}
    viewBox=${`0 0 ${width} ${height}`} role="img" aria-labelledby=${`${id}-title ${id}-desc`}>
<title id=${`${id}-title`}>${title}</title>
<desc id=${`${id}-desc`}>${inWords(rows, ran)}</desc>
<style>${styleOf(id, colours, theme)}</style>
<defs>${["", "taken"].map((kind) => html`<marker id=${`${id}-arrow${kind}`} viewBox="0 0 8 8" refX="7" refY="4"
  markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
  <path d="M0,0.8L7.5,4L0,7.2z" class=${`head ${kind}`} /></marker>`)}</defs>
<rect class="paper" width=${width} height=${height} rx="10" />
${places.slice(1).map((to, index) => html`<${Way} id=${id} from=${places[index]} to=${to}
  taken=${Boolean(rows[index].standing && rows[index + 1].standing)} />\n`)}
${rows.map((row, index) => html`<${Box} ...${row} place=${places[index]} ran=${ran} />\n`)}
</svg>`;
}

function inWords(rows, ran) {
  const told = rows.map(({ stage, standing }) => {
    const went = standing ? `${WORDS[standing.status]}, ${duration(standing.milliseconds)}` : "not reached";
    return `${stage.number ?? ""} ${stage.title}${ran ? ` (${went})` : ""}`.trim();
  });
  return `${rows.length} stages: ${told.join("; ")}.`;
}

function Way({ id, from, to, taken }) {
  const middle = BOX.height / 2;
  const between = to.y - GAP.y / 2;
  const points = from.y === to.y
    ? [{ x: from.x + BOX.width, y: from.y + middle }, { x: to.x, y: to.y + middle }]
    : [{ x: from.x + BOX.width / 2, y: from.y + BOX.height }, { x: from.x + BOX.width / 2, y: between },
      { x: to.x + BOX.width / 2, y: between }, { x: to.x + BOX.width / 2, y: to.y }];
  return html`<g class=${`line ${taken ? "taken" : ""}`}><path d=${path(points)}
    marker-end=${`url(#${id}-arrow${taken ? "taken" : ""})`} /></g>`;
}

function Box({ stage, standing, cost, place, ran }) {
  const { x, y } = place;
  const tone = standing ? standing.status : ran ? "idle plain unreached" : "running plain";
  const room = BOX.width - 24;
  const whole = (size) => !lines(stage.title, size, room - 32, 2, true).at(-1).endsWith("…");
  const size = [13.5, 12.5, 11.5].find(whole) ?? 11;
  const head = lines(stage.title, size, room - 32, 2, true);
  const states = stage.states === 1 ? "1 state" : `${stage.states} states`;
  const services = stage.services.join(", ");
  const about = stage.sentence
    ? lines(stage.sentence, 11.5, room, ran ? 3 : 4)
    : [...lines(services, 11.5, room, ran ? 1 : 2), states];
  const foot = stage.sentence && !ran ? lines(services, 11.5, room, about.length < 4 ? 2 : 1) : [];
  const figures = standing ? [duration(standing.milliseconds), cost === undefined ? "" : dollars(cost)] : [];
  return html`<g class=${`${tone} stage`}><title>${stage.number ? `Stage ${stage.number}, ` : ""}${stage.title}</title>
<rect class="box" x=${x} y=${y} width=${BOX.width} height=${BOX.height} rx="12" />
<rect class="tile" x=${x + 12} y=${y + 12} width="26" height="26" rx="8" />
<text class="sign" x=${x + 25} y=${y + 29.5} font-size="13" font-weight="700" text-anchor="middle">
${stage.number ?? "…"}</text>
${head.map((line, index) => html`<text x=${x + 46} y=${y + (head.length === 1 ? 30 : 23) + index * 16} font-size=${size}
  font-weight="650">${line}</text>`)}
${about.map((line, index) => html`<text class="quiet" x=${x + 12} y=${y + 57 + index * 15} font-size="11.5">
${line}</text>`)}
${foot.map((line, index) => html`<text class="sign" x=${x + 12}
  y=${y + BOX.height - 11 - (foot.length - 1 - index) * 14} font-size="11.5">${line}</text>`)}
${ran && html`<text class=${standing ? "took" : "quiet"} x=${x + 12} y=${y + BOX.height - 12} font-size="12"
  font-weight="650">${standing ? WORDS[standing.status] : "not reached"}</text>`}
${figures[0] && html`<text x=${x + 12 + pixels(WORDS[standing.status], 12, true) + 8} y=${y + BOX.height - 12}
  font-size="12" font-weight="650">${figures[0]}</text>`}
${figures[1] && html`<text class="quiet" x=${x + BOX.width - 12} y=${y + BOX.height - 12} font-size="11.5"
  text-anchor="end">${figures[1]}</text>`}</g>`;
}
