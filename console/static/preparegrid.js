// The sample as a grid: only the rows in sight exist; each column's head has its type and its figures.
import { html, useMemo } from "./ui.js";
import { count } from "./format.js";
import { useSight } from "./parts.js";
import { fits, isMissing } from "./suggestions.js";

const ROW_PIXELS = 28;
const COLUMN_PIXELS = 184;
const NUMBER_PIXELS = 56;
const BARS = 12;
const SIGNS = { string: "abc", boolean: "y/n", date: "date", timestamp: "time", array: "[ ]", map: "{ }",
  struct: "{ }" };

const sign = (type) => SIGNS[type] ?? "123";
const ranged = ({ type }) => ["123", "date", "time"].includes(sign(type));

// rows: of difference.js; hide: those that are the same. filter: {column, kind} or null. had: the columns before.
export function Grid({ view, rows, hide, filter, onFilter, chosen, onChoose, had, label }) {
  const shown = useMemo(() => filtered(view, rows, filter).filter(([row]) => !hide || row.state !== "same"),
    [view, rows, filter, hide]);
  const { box, measure, first, last } = useSight(shown.length, ROW_PIXELS);
  const wide = { width: `${NUMBER_PIXELS + view.columns.length * COLUMN_PIXELS}px` };
  return html`<div class="grid" ref=${box} onScroll=${measure} tabindex="0" role="region" aria-label=${label}>
    <div role="table" aria-label=${label} aria-rowcount=${shown.length + 1} style=${wide}>
      <div role="rowgroup" class="grid-head"><div role="row" class="grid-row" aria-rowindex="1">
        <span role="columnheader" class="grid-number"><span class="spoken">Row</span></span>
        ${view.columns.map((column) => html`<${Head} key=${column.name} column=${column} of=${view.rowCount}
          filter=${filter} onFilter=${onFilter} chosen=${chosen === column.name} onChoose=${onChoose}
          fresh=${had && !had.has(column.name)} />`)}</div></div>
      <div role="rowgroup" class="grid-body" style=${{ height: `${shown.length * ROW_PIXELS}px` }}>
        ${shown.slice(first, last).map(([row, number], index) => html`<div role="row" key=${number}
            class=${`grid-row ${row.state}`} aria-rowindex=${first + index + 2}
            style=${{ top: `${(first + index) * ROW_PIXELS}px` }}>
          <span role="rowheader" class="grid-number">${row.state === "removed"
            ? html`<span class="spoken">removed row </span>` : ""}${number + 1}</span>
          ${row.cells.map((cell, at) => html`<${Cell} cell=${cell} was=${row.was?.[at]}
            changed=${row.was && row.was[at] !== cell} type=${view.columns[at].type}
            likely=${view.columns[at].likelyType} />`)}</div>`)}</div></div>
    ${shown.length === 0 && html`<p class="quiet centred">${filter ? "No such row." : "No row is left."}</p>`}</div>`;
}

function filtered(view, rows, filter) {
  const all = rows.map((row, at) => [row, at]);
  const place = filter ? view.columns.findIndex(({ name }) => name === filter.column) : -1;
  if (place < 0) return all;
  const type = view.columns[place].likelyType;
  return all.filter(([row]) => (filter.kind === "missing" ? isMissing(row.cells[place]) : !fits(type,
    row.cells[place])));
}

function Cell({ cell, was, changed, type, likely }) {
  const wrong = likely && !fits(likely, cell);
  const kind = `grid-cell${sign(type) === "123" ? " right" : ""}${wrong ? " wrong" : ""}${changed ? " changed" : ""}`;
  return html`<span role="cell" class=${kind} title=${changed ? `was ${was}` : undefined}>
    ${changed && html`<del><${Text} cell=${was} /></del> `}<${Text} cell=${cell} /></span>`;
}

// White space at the ends is shown; it is what cannot be seen and does the harm.
function Text({ cell }) {
  if (cell === null) return html`<i class="nothing">null</i>`;
  if (cell === "") return html`<i class="nothing">empty</i>`;
  const text = String(cell);
  const [, before, middle, after] = /^(\s*)([^]*?)(\s*)$/.exec(text);
  return html`${before && html`<i class="blank">${"·".repeat(before.length)}</i>`}${middle}${after
    && html`<i class="blank">${"·".repeat(after.length)}</i>`}`;
}

function Head({ column, of, filter, onFilter, chosen, onChoose, fresh }) {
  const missing = column.missingValuesCount ?? 0;
  const wrong = column.invalidValuesCount ?? 0;
  const on = (kind) => filter?.column === column.name && filter.kind === kind;
  const Only = ({ kind, number }) => html`<button class=${`small ${kind}`} aria-pressed=${on(kind)}
    aria-label=${`${count(number)} ${kind} in ${column.name}: show these rows only`}
    onClick=${() => onFilter(on(kind) ? null : { column: column.name, kind })}>${count(number)} ${kind}</button>`;
  return html`<span role="columnheader" class=${chosen ? "grid-column chosen" : "grid-column"}>
    <button class="grid-name" aria-pressed=${chosen} title=${`${column.name}: figures and what to do`}
      onClick=${() => onChoose(chosen ? null : column.name)}>
      <span class="sign" aria-hidden="true">${sign(column.type)}</span><b>${column.name}</b>
      ${fresh && html` <i class="badge">new</i>`}</button>
    <span class="grid-type">${column.type}${column.likelyType ? html`, most like ${column.likelyType}` : ""}</span>
    <${Histogram} column=${column} />
    <${Quality} of=${of} missing=${missing} wrong=${wrong} />
    <span class="grid-figures">${column.distinctValuesCount !== undefined
        && html`<span>${count(column.distinctValuesCount)} different</span>`}
      ${missing > 0 && html`<${Only} kind="missing" number=${missing} />`}
      ${wrong > 0 && html`<${Only} kind="invalid" number=${wrong} />`}</span></span>`;
}

function Quality({ of, missing, wrong }) {
  const part = (number) => `${of ? (100 * number) / of : 0}%`;
  return html`<span class="quality" aria-hidden="true"><i class="valid"
    style=${{ width: part(of - missing - wrong) }} />
    <i class="invalid" style=${{ width: part(wrong) }} /><i class="missing"
      style=${{ width: part(missing) }} /></span>`;
}

// Bars of a column: numbers by their size, others by their most common values.
export function barsOf(column) {
  if (ranged(column) && column.valueDistribution?.length) return column.valueDistribution
    .map(({ bucket, count: number }) => ({ name: `${bucket[0]} to ${bucket[1] === "inf" ? "the largest" : bucket[1]}`,
      count: number }));
  return (column.mostCommonValues ?? []).slice(0, BARS).map(({ value, count: number }) => ({ name: String(value),
    count: number }));
}

export function Histogram({ column, width = 160, height = 30 }) {
  const bars = barsOf(column);
  if (!bars.length) return html`<span class="histogram-none"></span>`;
  const most = Math.max(...bars.map((bar) => bar.count), 1);
  const step = width / Math.max(bars.length, ranged(column) ? 1 : BARS);
  return html`<svg class="histogram" viewBox=${`0 0 ${width} ${height}`} role="img"
      aria-label=${`${column.name}: ${bars.slice(0, 3).map((bar) => `${bar.name}, ${count(bar.count)}`).join("; ")}`}>
    ${bars.map((bar, at) => {
      const tall = bar.count ? Math.max(1.5, (bar.count / most) * height) : 0;
      return html`<rect x=${at * step + 0.5} y=${height - tall} width=${Math.max(1, step - 1)} height=${tall}>
        <title>${bar.name}: ${count(bar.count)}</title></rect>`;
    })}</svg>`;
}
