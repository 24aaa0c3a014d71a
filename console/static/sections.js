// The pieces of a task's work (console/sections.py), drawn by kind.
import { html } from "./ui.js";
import { clock, measured } from "./format.js";
import { Copy } from "./json.js";
import { Problem, useAnswer } from "./parts.js";
import { Table } from "./table.js";

// What only some tasks have is loaded when it is first shown.
const LATER = {
  model: () => import("./model.js").then((module) => module.Model),
  latency: () => import("./latency.js").then((module) => module.Latency),
  plan: () => import("./samples.js").then((module) => module.Plan),
  sample: () => import("./samples.js").then((module) => module.Sample),
};

function Later({ load, section }) {
  const [Part, error] = useAnswer(load, [load]);
  if (error) return html`<${Problem} error=${error} />`;
  return Part ? html`<${Part} section=${section} />` : html`<p class="quiet">Drawing…</p>`;
}

export function Section({ section }) {
  const { kind, title } = section;
  if (kind === "note") return html`<p class="problem">${section.text}</p>`;
  return html`<section class="section">
    ${title && html`<div class="section-head"><h3>${title}</h3>
      ${kind === "code" && html`<${Copy} text=${section.text} />`}
        ${kind === "log" && html`<${Copy} text=${section.lines.map((line) => line.text).join("\n")} />`}</div>`}
    ${kind === "facts" && html`<dl class="facts">
      ${Object.entries(section.rows)
        .map(([name, value]) => html`<dt>${name}</dt><dd>
          ${typeof value === "object" ? JSON.stringify(value) : measured(value, section.units?.[name])}</dd>`)}</dl>`}
    ${kind === "code" && html`<pre class="code" tabindex="0" aria-label=${title}>${sql(section.text)}</pre>`}
    ${kind === "table" && html`<${Table} label=${title} columns=${section.columns} rows=${section.rows} />`}
    ${kind === "log" && html`<p class="quiet">${section.group}</p><pre class="log" tabindex="0" aria-label=${title}>
      ${section.lines.map((line) => html`<span class=${/error|exception|traceback/i.test(line.text) ? "bad" : ""}><i>
        ${clock(line.time)}</i> ${line.text}${"\n"}</span>`)}</pre>`}
    ${LATER[kind] && html`<${Later} load=${LATER[kind]} section=${section} />`}
  </section>`;
}

const SQL = (
  "SELECT FROM WHERE GROUP ORDER BY WITH AS INNER LEFT RIGHT FULL CROSS JOIN ON AND OR NOT IN IS NULL CASE WHEN THEN " +
  "ELSE END CREATE TABLE EXTERNAL VIEW REPLACE INSERT INTO UNLOAD VALUES UNION ALL DISTINCT HAVING LIMIT OVER " +
  "PARTITION PARTITIONED STORED LOCATION CAST TRY_CAST BETWEEN EXISTS"
).replaceAll(" ", "|");
const WORDS_OF_SQL = new RegExp(`(--[^\\n]*|'(?:[^']|'')*')|\\b(${SQL})\\b`, "g");

function sql(source) {
  const parts = [];
  let at = 0;
  for (const match of source.matchAll(WORDS_OF_SQL)) {
    parts.push(source.slice(at, match.index));
    const kind = match[2] ? "word" : match[1].startsWith("--") ? "comment" : "string";
    parts.push(html`<span class=${kind}>${match[0]}</span>`);
    at = match.index + match[0].length;
  }
  return [...parts, source.slice(at)];
}
