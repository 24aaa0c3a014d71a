// Charts as pure functions of their data: SVG vnodes, coloured by classes of the style sheet.
import "./vendor/d3.min.js";
import { html } from "./ui.js";

const { scaleLinear, scaleBand, line, extent } = globalThis.d3;
const WIDTH = 360;
const HEIGHT = 250;
const MARGIN = { top: 10, right: 14, bottom: 36, left: 46 };

// Title and text for whoever does not see the drawing; the numbers below it, on request.
function Figure({ title, text, width = WIDTH, height = HEIGHT, keys, columns, rows, children }) {
  const id = `chart-${title.replace(/\W+/g, "-")}`;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
    ${keys?.length > 1 && html`<ul class="keys">
      ${keys.map((key, index) => html`<li><i class=${`key-${index}`}></i>${key}</li>`)}</ul>`}
    <svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-labelledby=${`${id}-title ${id}-text`}>
      <title id=${`${id}-title`}>${title}</title><desc id=${`${id}-text`}>${text}</desc>${children}</svg>
    <details><summary>Numbers</summary>
      <div class="table" tabindex="0" role="region" aria-label=${`Numbers of ${title}`}><table><thead><tr>
        ${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>
        ${row.map((cell) => html`<td>${typeof cell === "number" ? short(cell) : cell}</td>`)}</tr>`)}</tbody></table>
          </div></details>
  </figure>`;
}

export const short = (value) => (Number.isInteger(value) ? String(value) : Math.abs(value) >= 1000 ? value.toFixed(0)
  : String(Number(value.toPrecision(4))));

function Axes({ x, y, xLabel, yLabel }) {
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  const across = x.tickFormat(5);
  const up = y.tickFormat(5);
  return html`<g class="axes">
    ${y.ticks(5).map((tick) => html`<line class="grid" x1=${left} x2=${right} y1=${y(tick)} y2=${y(tick)} />
      <text x=${left - 6} y=${y(tick)} dy="0.32em" text-anchor="end">${up(tick)}</text>`)}
    ${x.ticks(5).map((tick) => html`<line class="grid" x1=${x(tick)} x2=${x(tick)} y1=${top} y2=${bottom} />
      <text x=${x(tick)} y=${bottom + 14} text-anchor="middle">${across(tick)}</text>`)}
    <line class="base" x1=${left} x2=${right} y1=${bottom} y2=${bottom} />
      <line class="base" x1=${left} x2=${left} y1=${top} y2=${bottom} />
    <text class="name" x=${(left + right) / 2} y=${bottom + 30} text-anchor="middle">${xLabel}</text>
    <text class="name" transform=${`translate(12 ${(top + bottom) / 2}) rotate(-90)`} text-anchor="middle">${yLabel}
      </text>
  </g>`;
}

// series: [{name, points: [[x, y], ...]}]; marks: [{x, y, text}] points, or {x, text} upright lines.
export function LineChart({ title, text, xLabel, yLabel, series, marks = [], diagonal = false, dots = false,
  xDomain = [0, 1], yDomain = [0, 1] }) {
  const x = scaleLinear(xDomain, [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear(yDomain, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const path = line((point) => x(point[0]), (point) => y(point[1]));
  const rows =
    series.flatMap(({ name, points }) => points.map((point) => (series.length > 1 ? [name, ...point] : point)));
  return html`<${Figure} title=${title} text=${text} keys=${series.map((item) => item.name)}
    columns=${[...(series.length > 1 ? ["Of"] : []), xLabel, yLabel]} rows=${rows}>
    <${Axes} x=${x} y=${y} xLabel=${xLabel} yLabel=${yLabel} />
    ${diagonal && html`<line class="diagonal" x1=${x(xDomain[0])} y1=${y(yDomain[0])} x2=${x(xDomain[1])}
      y2=${y(yDomain[1])} />`}
    ${series.map(({ points }, index) => html`<path class=${`series s${index}`} d=${path(points)} />
      ${dots && points.map((point) => html`<circle class=${`dot s${index}`} cx=${x(point[0])} cy=${y(point[1])}
        r="2.6" />`)}`)}
    ${marks.map((mark) => html`<${Mark} mark=${mark} x=${x} y=${y} />`)}
  <//>`;
}

function Mark({ mark, x, y }) {
  const [bottom, top] = y.range();
  const at = x(mark.x);
  const right = at < WIDTH * 0.6;
  const place = { x: at + (right ? 7 : -7), "text-anchor": right ? "start" : "end" };
  if (mark.y === undefined) return html`<g class="mark-line"><line x1=${at} x2=${at} y1=${top} y2=${bottom} />
    <text ...${place} y=${top + 10}>${mark.text}</text></g>`;
  return html`<g class=${`mark-point s${mark.of ?? 0}`}><circle cx=${at} cy=${y(mark.y)} r="4.5" />
    <text ...${place} y=${y(mark.y) + 14}>${mark.text}</text></g>`;
}

// items: [{name, value}], longest first.
export function BarChart({ title, text, label, items, most = 18 }) {
  const shown = items.slice(0, most);
  const height = shown.length * 17 + 30;
  const left = 166;
  const x = scaleLinear([0, Math.max(...shown.map((item) => item.value), 1e-9)], [left, WIDTH - 48]);
  const y = scaleBand(shown.map((item) => item.name), [4, height - 26]).padding(0.25);
  return html`<${Figure} title=${title} text=${text} height=${height} columns=${["Name", label]}
    rows=${items.map((item) => [item.name, item.value])}>
    ${shown.map((item) => html`<g class="bar-item">
      <text x=${left - 6} y=${y(item.name) + y.bandwidth() / 2} dy="0.32em" text-anchor="end">${cut(item.name, 24)}
        <title>${item.name}</title></text>
      <rect x=${left} y=${y(item.name)} width=${Math.max(1, x(item.value) - left)} height=${y.bandwidth()} rx="2" />
        <text class="value" x=${x(item.value) + 5} y=${y(item.name) + y.bandwidth() / 2} dy="0.32em">
          ${short(item.value)}</text></g>`)}
    <text class="name" x=${(left + WIDTH) / 2} y=${height - 8} text-anchor="middle">${label}</text>
  <//>`;
}

const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

// What holds all values, with a little room.
export function domainOf(values) {
  const [low, high] = extent(values);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return scaleLinear([low - room, high + room], [0, 1]).nice(5).domain();
}
