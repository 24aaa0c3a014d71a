// Queries: an editor over Athena, the result of a statement, and those of before.
import { html, useEffect, useRef, useState } from "./ui.js";
import { get, post } from "./api.js";
import { bytes } from "./format.js";
import { Problem, Tabs, useAnswer } from "./parts.js";
import { Earlier, Save, Saved } from "./querylists.js";
import { Result } from "./queryresult.js";
import { SqlEditor } from "./sqleditor.js";
import { at, statements } from "./statements.js";
import { useTables } from "./tables.js";

const kept = (name, fallback) => localStorage.getItem(`query-${name}`) ?? fallback;
const keep = (name, value) => localStorage.setItem(`query-${name}`, value ?? "");
const quoted = (name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const POLL_MILLISECONDS = { first: 100, most: 2000 };

export function Query({ connection, id }) {
  const [groups, groupsError] = useAnswer(() => get("groups"), []);
  const [databases, databasesError] = useAnswer(() => get("lake"), []);
  const [group, setGroup] = useState(kept("group", ""));
  const [database, setDatabase] = useState(kept("database", ""));
  const [written, setWritten] = useState({ text: "", selected: "", position: 0 });
  const [values, setValues] = useState({});
  const [current, setCurrent] = useState(null);
  const [error, setError] = useState(null);
  const [tab, setTab] = useState("result");
  const editor = useRef(null);

  const usable = (groups ?? []).filter((one) => one.enabled);
  const chosen = usable.find((one) => one.name === group)
    ?? usable.find((one) => one.name !== "primary" && (one.output || one.managed)) ?? usable[0];
  const known = (databases ?? []).map((one) => one.name);
  const inside = known.includes(database) ? database : known[0];
  const [tables, tablesError] = useTables(inside);
  const schema = useSchema(known, inside, tables);

  useFollowed(current, setCurrent, setError);
  useEffect(() => {
    if (id && id !== current?.id) get("query", { id }).then(setCurrent, setError);
  }, [id]);

  const wanted = wantedOf(written);
  const running = current && !current.over;
  const ask = async (sql, parameters) => {
    if (running || !chosen || connection?.read_only) return;
    setError(null);
    setCurrent(null); // what stands there is of the earlier statement
    setTab("result");
    try {
      const started = await post("run", { sql, group: chosen.name, database: inside, parameters });
      location.hash = `#/query/${encodeURIComponent(started.id)}`;
      setCurrent(await get("query", { id: started.id }));
    } catch (problem) {
      location.hash = "#/query";
      setError(problem);
    }
  };
  const run = () => wanted && ask(wanted.sql, Array.from({ length: wanted.parameters }, (_, n) => values[n] ?? ""));
  const choose = (name, set) => (event) => {
    set(event.target.value);
    keep(name, event.target.value);
  };
  const open = (query) => {
    editor.current?.replace(query.sql);
    setValues({ ...(query.parameters ?? []) });
    if (query.database && known.includes(query.database)) setDatabase(query.database);
  };

  return html`<nav class="machines tables" aria-label="Tables">
      <label class="field">Database <select value=${inside} onChange=${choose("database", setDatabase)}>
        ${known.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <${Problem} error=${databasesError ?? tablesError} />
      <${Catalog} tables=${tables} insert=${(text) => editor.current?.insert(text)} /></nav>
    <section class="query" aria-label="Query">
      <div class="bar">
        <label>Work group <select value=${chosen?.name} onChange=${choose("group", setGroup)}>
          ${usable.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select></label>
        <span class="quiet">${chosen && limits(chosen)}</span><span class="grow"></span>
        <${Save} sql=${wanted?.sql} group=${chosen?.name} database=${inside} connection=${connection} /></div>
      <${Problem} error=${groupsError} />
      <div class="editor-box">
        <${SqlEditor} initial=${kept("text", "")} schema=${schema} database=${inside} handle=${editor} label="SQL"
          onRun=${run} onChange=${(now) => (setWritten(now), keep("text", now.text))} /></div>
      ${wanted?.parameters > 0 && html`<${Parameters} count=${wanted.parameters} values=${values} set=${setValues} />`}
      <div class="bar">
        <button class="primary" disabled=${!wanted || running || !chosen || connection?.read_only} onClick=${run}>
          ${written.selected.trim() ? "Run selection" : "Run"}</button>
        <button disabled=${!running} onClick=${() => post("cancel", { id: current.id }).catch(setError)}>Cancel</button>
        <span class="quiet">${said(wanted, written, connection)}</span></div>
      <${Problem} error=${error} />
      <${Tabs} label="Of queries" current=${tab} onChange=${setTab}
        tabs=${[["result", "Result"], ["history", "History"], ["saved", "Saved"]]} />
      <div role="tabpanel" class="panel" aria-label=${{ result: "Result", history: "History", saved: "Saved" }[tab]}>
        ${tab === "result" && (current ? html`<${Result} key=${current.id} query=${current} connection=${connection} />`
          : html`<p class="quiet">The result of a statement stands here.</p>`)}
        ${tab === "history" && chosen && html`<${Earlier} key=${`${chosen.name} ${current?.state}`} group=${chosen.name}
          open=${(query) => (open(query), setCurrent(query), setTab("result"))} />`}
        ${tab === "saved" && chosen && html`<${Saved} key=${chosen.name} group=${chosen.name} connection=${connection}
          open=${open} />`}</div></section>`;
}

// The selection, else the statement at the cursor: {sql, parameters, of (how many there are)}.
function wantedOf({ text, selected, position }) {
  const from = selected.trim() ? selected : text;
  const all = statements(from);
  const one = from === selected ? all[0] : at(all, position);
  return one ? { sql: from.slice(one.from, one.to), parameters: one.parameters, of: all.length } : null;
}

function said(wanted, written, connection) {
  if (connection?.read_only) return "This console is read-only.";
  if (!wanted) return "";
  if (wanted.of === 1) return "Ctrl+Enter";
  return written.selected.trim() ? "The first of the selected statements."
    : `One of ${wanted.of} statements: the one at the cursor. Ctrl+Enter`;
}

const limits = (group) => [
  group.engine,
  group.managed ? "Athena keeps results" : group.output ? `results in ${group.output}` : "says no place for results",
  group.cutoff_bytes ? `stops a query after ${bytes(group.cutoff_bytes)}` : "no limit of scanned bytes",
].filter(Boolean).join(" · ");

// {database: {table: [column]}}; one object as long as nothing changes.
function useSchema(known, database, tables) {
  const last = useRef({});
  const key = `${known.join()} ${database} ${tables?.length}`;
  if (last.current.key !== key) {
    const schema = Object.fromEntries(known.map((name) => [name, {}]));
    for (const table of tables ?? [])
      schema[database][table.name] = [...table.columns, ...table.keys].map((column) => column.name);
    last.current = { key, schema };
  }
  return last.current.schema;
}

// Looks at a statement until it is over.
function useFollowed(query, set, failed) {
  useEffect(() => {
    if (!query || query.over) return undefined;
    let pause = POLL_MILLISECONDS.first;
    let timer = null;
    const look = () => get("query", { id: query.id }).then((found) => {
      if (timer === null) return;
      set(found);
      pause = Math.min(pause * 1.5, POLL_MILLISECONDS.most);
      if (!found.over) timer = setTimeout(look, pause);
    }, failed);
    timer = setTimeout(look, pause);
    return () => {
      clearTimeout(timer);
      timer = null;
    };
  }, [query?.id, query?.over]);
}

function Catalog({ tables, insert }) {
  const [filter, setFilter] = useState("");
  if (!tables) return null;
  const shown = tables.filter((table) => table.name.toLowerCase().includes(filter.toLowerCase()));
  return html`${tables.length > 8 && html`<input type="search" placeholder="Filter" aria-label="Filter tables"
      value=${filter} onInput=${(event) => setFilter(event.target.value)} />`}
    ${tables.length === 0 && html`<p class="quiet">No table in this database.</p>`}
    ${shown.map((table) => html`<details key=${table.name} class="run">
      <summary title=${table.name}>${table.name}</summary>
      <p class="bar"><button class="small" onClick=${() => insert(quoted(table.name))}>Insert name</button>
        <span class="quiet">${table.format}</span></p>
      <ul class="columns-of">${[...table.columns, ...table.keys].map((column) => html`<li>
        <button class="plain" title=${`Insert ${column.name}`} onClick=${() => insert(quoted(column.name))}>
          ${column.name}</button> <span class="quiet">${column.type}</span></li>`)}</ul></details>`)}`;
}

function Parameters({ count: most, values, set }) {
  return html`<fieldset class="parameters"><legend>Values for ? in their order, as SQL writes them: 'Ann', 5,
      DATE '2026-01-01'</legend>${Array.from({ length: most }, (_, n) => html`<label>${n + 1} <input class="mono"
      value=${values[n] ?? ""} onInput=${(event) => set({ ...values, [n]: event.target.value })} /></label>`)}
    </fieldset>`;
}
