// The lake: databases and tables of the catalog, their first rows, and where new files go.
import { html, useState } from "./ui.js";
import { get, post } from "./api.js";
import { bytes, date, duration } from "./format.js";
import { Copy } from "./json.js";
import { Problem, useAnswer, usePages } from "./parts.js";
import { Table } from "./table.js";
import { useTables } from "./tables.js";
import { Upload } from "./upload.js";

const linkTo = (...parts) => `#/lake/${parts.map(encodeURIComponent).join("/")}`;

export function Lake({ database, table, connection }) {
  const [databases, error] = useAnswer(() => get("lake"), []);
  const chosen = database ?? databases?.[0]?.name;
  const [tables, problem] = useTables(chosen);
  const [filter, setFilter] = useState("");
  const shown = (tables ?? []).filter((item) => item.name.toLowerCase().includes(filter.toLowerCase()));
  const current = tables?.find((item) => item.name === table);
  const groups = groupsOf(shown);
  const link = (item) => html`<li key=${item.name}><a href=${linkTo(chosen, item.name)} title=${item.name}
    aria-current=${item.name === table ? "page" : undefined}><span>${shortOf(item)}</span>
    <span class="quiet">${item.format}</span></a></li>`;
  return html`<nav class="machines tables" aria-label="Databases and tables">
      <label class="field">Database <select value=${chosen}
        onChange=${(event) => (location.hash = linkTo(event.target.value))}>
          ${(databases ?? []).map((item) => html`<option value=${item.name}>${item.name}</option>`)}</select></label>
      ${tables?.length > 8 && html`<input type="search" placeholder="Filter" aria-label="Filter tables"
        value=${filter} onInput=${(event) => setFilter(event.target.value)} />`}
      <${Problem} error=${error ?? problem} />
      ${databases?.length === 0 && html`<p class="quiet">The catalog has no database yet.</p>`}
      ${groups.map(({ run, items }) => (run === null ? html`<ul key="published">${items.map(link)}</ul>`
        : html`<details key=${run} class="run" open=${Boolean(filter) || items.includes(current)}>
          <summary title=${run}>Run ${run}</summary><ul>${items.map(link)}</ul></details>`))}
      ${tables?.length === 0 && html`<p class="quiet">No table in this database.</p>`}
    </nav>
    <section class="lake" aria-label="Lake">
      ${current
        ? html`<${Shown} key=${`${chosen}.${table}`} database=${chosen} table=${current} connection=${connection} />`
        : html`<header class="title"><div><h1>Lake</h1><p class="quiet">
            ${databases ? `${databases.length} databases` : "Reading…"}
            ${tables ? ` · ${tables.length} tables in ${chosen}` : ""}</p></div></header>
          ${table && tables && html`<p class="problem">There is no table ${table} in ${chosen}.</p>`}
          ${groups.map(({ run, items }, index) => (run === null
            ? html`<h2 key="published">Tables</h2><${Tables} label="Tables" database=${chosen} items=${items} />`
            : html`<${Run} key=${run} run=${run} items=${items} database=${chosen} open=${Boolean(filter)}
              first=${index === 0 || groups[index - 1].run === null} />`))}
          <${Upload} connection=${connection} />`}</section>`;
}

// What everybody reads first; then each run's own tables, below their run, newest first. A run's tables
// lie in a folder run=ID.
export function groupsOf(tables) {
  const runs = new Map();
  const published = [];
  for (const item of tables) {
    const run = runOf(item);
    if (run === null) published.push(item);
    else runs.set(run, [...(runs.get(run) ?? []), item]);
  }
  const newest = (items) => Math.max(...items.map((item) => item.updated ?? 0));
  const found = [...runs].map(([run, items]) => ({ run, items })).sort((a, b) => newest(b.items) - newest(a.items));
  return published.length ? [{ run: null, items: published }, ...found] : found;
}

const runOf = ({ where }) => /\/run=([^/]+)\//.exec(where ?? "")?.[1] ?? null;

// A run's table without the run in its name.
function shortOf(item) {
  const run = runOf(item);
  return run && item.name.endsWith(`_${run}`) ? item.name.slice(0, -run.length - 1) : item.name;
}

function Run({ run, items, database, open, first }) {
  const updated = Math.max(...items.map((item) => item.updated ?? 0));
  return html`${first && html`<h2>Runs</h2>`}<details class="run" open=${open}><summary><b>${run}</b>
    <span class="quiet"> ${items.length} tables${updated ? ` · ${date(updated)}` : ""}</span></summary>
    <${Tables} label=${`Tables of run ${run}`} database=${database} items=${items} /></details>`;
}

function Tables({ label, database, items }) {
  const columns = ["Table", "Format", "Columns", "Partitioned by", "Changed", "Location"];
  return html`<div class="table" tabindex="0" role="region" aria-label=${label}><table><thead><tr>
    ${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${items.map((item) => html`<tr key=${item.name}>
      <td><a href=${linkTo(database, item.name)} title=${item.name}>${shortOf(item)}</a></td><td>${item.format}</td>
      <td class="number">${item.columns.length}</td><td>${item.keys.map((key) => key.name).join(", ")}</td>
      <td class="number">${date(item.updated)}</td><td class="mono">${item.where}</td></tr>`)}</tbody></table></div>`;
}

function Shown({ database, table, connection }) {
  const columns = [...table.columns, ...table.keys.map((key) => ({ ...key, partition: true }))];
  return html`<header class="title"><div><p class="crumbs"><a href=${linkTo(database)}>${database}</a></p><h1>
    ${table.name}</h1>
      <p class="quiet">
        ${[table.format, `${table.columns.length} columns`, table.keys.length
          ? `partitioned by ${table.keys.map((key) => key.name).join(", ")}` : "", table.rows
            ? `${table.rows} rows when crawled` : "", table.updated ? `changed ${date(table.updated)}`
              : ""].filter(Boolean).join(" · ")}</p>
      ${table.where && html`<p class="quiet mono">${table.where} <${Copy} text=${table.where} /></p>`}
        ${table.description && html`<p>${table.description}</p>`}</div></header>
    <${Preview} database=${database} table=${table.name} connection=${connection} />
    <h2>Columns</h2>
      <${Table} label="Columns" columns=${["Name", "Type", ""]}
        rows=${columns.map((column) => [column.name, column.type, column.partition ? "partition"
          : (column.comment ?? "")])} />
    ${table.keys.length > 0 && html`<${Partitions} database=${database} table=${table} />`}`;
}

function Preview({ database, table, connection }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const ask = async () => {
    setError(null);
    setFound("asked");
    try {
      setFound(await post("preview", { database, table }));
    } catch (problem) {
      setFound(null);
      setError(problem);
    }
  };
  return html`<div class="bar">
    <button class="primary" disabled=${found === "asked" || connection?.read_only} onClick=${ask}>
      ${found === "asked" ? "Reading…" : "First 20 rows"}</button>
      <span class="quiet">
        ${found?.rows
          ? html`${bytes(found.bytes)} scanned in ${duration(found.milliseconds)}, work group ${found.group}`
            : "Starts an Athena query, which reads at least a part of the table."}</span></div>
    <${Problem} error=${error} />
      ${found?.rows
        && (found.rows.length ? html`<${Table} label="First rows" columns=${found.columns} rows=${found.rows} />`
          : html`<p class="quiet">The table has no rows.</p>`)}`;
}

function Partitions({ database, table }) {
  const { pages, next, more, error } = usePages((after) =>
    get("partitions", { database, table: table.name, next: after }));
  const rows = pages.flatMap((page) => page.partitions.map((item) => [...item.values, item.where]));
  return html`<h2>Partitions <span class="quiet">${rows.length}${next ? "+" : ""}</span></h2>
    <${Problem} error=${error} />
    ${rows.length > 0
      && html`<${Table} label="Partitions" columns=${[...table.keys.map((key) => key.name), "Location"]} rows=${rows}
        />`}${next && html`<p><button onClick=${more}>More partitions</button></p>`}`;
}
