// Queries: an editor over Athena, the result of a statement, and those of before.
import { html, useEffect, useRef, useState } from "./ui.js";
import { get, post } from "./api.js";
import { bytes, count, date, dollars, duration } from "./format.js";
import { Problem, Status, Tabs, useAnswer } from "./parts.js";
import { SqlEditor } from "./sqleditor.js";
import { statementAt, statements } from "./statements.js";
import { Table } from "./table.js";

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
    setTab("result");
    try {
      const started = await post("run", { sql, group: chosen.name, database: inside, parameters });
      location.hash = `#/query/${encodeURIComponent(started.id)}`;
      setCurrent(await get("query", { id: started.id }));
    } catch (problem) {
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
  const own = selected.trim() ? selected : null;
  const one = own ? statements(own)[0] : statementAt(text, position);
  if (!one) return null;
  const from = own ?? text;
  return { sql: from.slice(one.from, one.to), parameters: one.parameters, of: statements(from).length };
}

function said(wanted, written, connection) {
  if (connection?.read_only) return "This console is read-only.";
  if (!wanted) return "";
  if (wanted.of > 1 && !written.selected.trim()) return `One of ${wanted.of} statements: the one at the cursor. Ctrl+Enter`;
  return wanted.of > 1 ? "The first of the selected statements." : "Ctrl+Enter";
}

const limits = (group) => [
  group.engine,
  group.managed ? "Athena keeps results" : group.output ? `results in ${group.output}` : "says no place for results",
  group.cutoff_bytes ? `stops a query after ${bytes(group.cutoff_bytes)}` : "no limit of scanned bytes",
].filter(Boolean).join(" · ");

function useTables(database) {
  const [found, setFound] = useState([null, null]);
  useEffect(() => {
    if (!database) return undefined;
    let current = true;
    setFound([null, null]);
    (async () => {
      const all = [];
      let next = null;
      do {
        const page = await get("tables", { database, next });
        all.push(...page.tables);
        next = page.next;
      } while (next && current);
      if (current) setFound([all, null]);
    })().catch((problem) => current && setFound([[], problem]));
    return () => {
      current = false;
    };
  }, [database]);
  return found;
}

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
    ${shown.map((table) => html`<details key=${table.name} class="run"><summary title=${table.name}>${table.name}</summary>
      <p class="bar"><button class="small" onClick=${() => insert(quoted(table.name))}>Insert name</button>
        <span class="quiet">${table.format}</span></p>
      <ul class="columns-of">${[...table.columns, ...table.keys].map((column) => html`<li>
        <button class="plain" title=${`Insert ${column.name}`} onClick=${() => insert(quoted(column.name))}>${column.name}
        </button> <span class="quiet">${column.type}</span></li>`)}</ul></details>`)}`;
}

function Parameters({ count: most, values, set }) {
  return html`<fieldset class="parameters"><legend>Values for ? in their order, as SQL writes them: 'Ann', 5,
      DATE '2026-01-01'</legend>${Array.from({ length: most }, (_, n) => html`<label>${n + 1} <input class="mono"
      value=${values[n] ?? ""} onInput=${(event) => set({ ...values, [n]: event.target.value })} /></label>`)}</fieldset>`;
}

function Result({ query, connection }) {
  const figures = [
    query.scanned_bytes !== null && `${bytes(query.scanned_bytes)} scanned`,
    query.total_ms !== null && `${duration(query.total_ms)}${query.queued_ms > 500
      ? `, ${duration(query.queued_ms)} of it queued` : ""}`,
    query.dollars !== null && `${dollars(query.dollars)} on AWS`,
    query.reused && "an earlier result again", `work group ${query.group}`,
  ].filter(Boolean);
  const error = query.error;
  return html`<p class="bar" aria-live="polite"><${Status} status=${query.state} />
      <span class="quiet">${figures.join(" · ")}</span><span class="quiet mono">${query.id}</span></p>
    ${query.state === "FAILED" && html`<p class="problem" role="alert">${query.reason ?? "Athena gave no reason."}
      ${error && html`<br /><span>${[`${{ 1: "Athena's fault", 2: "the query's fault", 3: "another fault" }[
        error.ErrorCategory] ?? `category ${error.ErrorCategory}`}`, error.ErrorType && `type ${error.ErrorType}`,
        error.Retryable && "worth another try"].filter(Boolean).join(" · ")}</span>`}</p>`}
    ${query.state === "SUCCEEDED" && html`<${Found} query=${query} />`}
    ${query.over && query.can_explain && html`<${Plan} query=${query} connection=${connection} />`}`;
}

function Found({ query }) {
  const [pages, setPages] = useState([]);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const next = pages.at(-1)?.next;
  const more = () => {
    setBusy(true);
    get("rows", { id: query.id, next })
      .then((page) => setPages((old) => [...old, page]), setError).finally(() => setBusy(false));
  };
  useEffect(more, []);
  const rows = pages.flatMap((page) => page.rows);
  const columns = pages[0]?.columns ?? [];
  return html`<${Problem} error=${error} />
    ${pages.length > 0 && html`<p class="bar"><span>${count(rows.length)}${next ? "+" : ""} ${rows.length === 1 ? "row"
      : "rows"}</span>
      <a class="button" href=${`/api/result?id=${encodeURIComponent(query.id)}`} download>
        ${query.kind === "DML" ? "CSV" : "File"}</a></p>`}
    ${columns.length > 0 && html`<${Table} label="Rows" columns=${columns.map((column) => column.name)} rows=${rows}
      types=${columns.map((column) => column.type)} />`}
    ${next && html`<p><button disabled=${busy} onClick=${more}>More rows</button></p>`}`;
}

function Plan({ query, connection }) {
  const [plan, setPlan] = useState(null);
  const [error, setError] = useState(null);
  const ask = () => {
    setPlan("asked");
    post("plan", { query: query.id }).then(setPlan, (problem) => (setPlan(null), setError(problem)));
  };
  return html`<p class="bar"><button disabled=${plan === "asked" || connection?.read_only} onClick=${ask}>
      ${plan === "asked" ? "Asking…" : "Explain"}</button>
      <span class="quiet">EXPLAIN reads no data and costs nothing.</span></p>
    <${Problem} error=${error} />
    ${plan?.text && html`<pre class="plan" tabindex="0" aria-label="Plan">${plan.text}</pre>`}`;
}

function Earlier({ group, open }) {
  const [pages, setPages] = useState([]);
  const [error, setError] = useState(null);
  const next = pages.at(-1)?.next;
  const more = () => get("queries", { group, next }).then((page) => setPages((old) => [...old, page]), setError);
  useEffect(() => void more(), []);
  const found = pages.flatMap((page) => page.queries);
  const heads = ["Started", "State", "Statement", "Took", "Scanned", "Cost"];
  return html`<${Problem} error=${error} />
    ${pages.length > 0 && found.length === 0 && html`<p class="quiet">No statement of this work group yet.</p>`}
    ${found.length > 0 && html`<div class="table" tabindex="0" role="region" aria-label="Earlier statements"><table>
      <thead><tr>${heads.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${found.map((query) => html`<tr key=${query.id}><td class="number">${date(query.submitted)}</td>
        <td><${Status} status=${query.state} /></td>
        <td><button class="plain mono" title="Open in the editor" onClick=${() => open(query)}>
          ${query.sql.replace(/\s+/g, " ").slice(0, 160)}</button></td>
        <td class="number">${duration(query.total_ms)}</td><td class="number">${bytes(query.scanned_bytes)}</td>
        <td class="number">${dollars(query.dollars)}</td></tr>`)}</tbody></table></div>`}
    ${next && html`<p><button onClick=${more}>Earlier ones</button></p>`}`;
}

function Saved({ group, open, connection }) {
  const [pages, setPages] = useState(null);
  const [error, setError] = useState(null);
  const [asked, setAsked] = useState(null);
  const next = pages?.at(-1)?.next;
  const more = () => get("saved", { group, next }).then((page) => setPages((old) => [...(old ?? []), page]), setError);
  useEffect(() => void more(), []);
  const forget = async (query) => {
    try {
      await post("forget", { id: query.id });
      setPages((old) => old.map((page) => ({ ...page, queries: page.queries.filter((one) => one.id !== query.id) })));
    } catch (problem) {
      setError(problem);
    }
    setAsked(null);
  };
  const found = (pages ?? []).flatMap((page) => page.queries);
  return html`<${Problem} error=${error} />
    ${pages && found.length === 0 && html`<p class="quiet">Nothing is saved in this work group.</p>`}
    ${found.length > 0 && html`<div class="table" tabindex="0" role="region" aria-label="Saved queries"><table>
      <thead><tr>${["Name", "Database", "Statement", ""].map((name) => html`<th scope="col">${name
        || html`<span class="spoken">Actions</span>`}</th>`)}</tr></thead>
      <tbody>${found.map((query) => html`<tr key=${query.id}>
        <td><button class="plain" title="Open in the editor" onClick=${() => open(query)}>${query.name}</button>
          ${query.description && html`<br /><span class="quiet">${query.description}</span>`}</td>
        <td>${query.database}</td><td class="mono">${query.sql.replace(/\s+/g, " ").slice(0, 120)}</td>
        <td>${asked === query.id
          ? html`<button class="small danger" onClick=${() => forget(query)}>Delete ${query.name}</button> <button
            class="small" onClick=${() => setAsked(null)}>Keep</button>`
          : html`<button class="small" disabled=${connection?.read_only} aria-label=${`Delete ${query.name}`}
            onClick=${() => setAsked(query.id)}>Delete…</button>`}</td></tr>`)}</tbody></table></div>`}
    ${next && html`<p><button onClick=${more}>More</button></p>`}`;
}

function Save({ sql, group, database, connection }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [told, setTold] = useState(null);
  const save = async (event) => {
    event.preventDefault();
    try {
      await post("save", { name, description, sql, group, database });
      setTold({ good: `Saved as ${name}.` });
      setOpen(false);
    } catch (error) {
      setTold({ error });
    }
  };
  return html`<span aria-live="polite">${told?.good && !open && html`<span class="quiet">${told.good}</span>`}</span>
    ${open ? html`<form class="bar" onSubmit=${save}><label>Name <input value=${name} required maxlength="128"
        onInput=${(event) => setName(event.target.value)} /></label><label>What it is for <input value=${description}
        maxlength="1024" onInput=${(event) => setDescription(event.target.value)} /></label><button class="primary">Save</button>
        <button type="button" onClick=${() => setOpen(false)}>Not now</button></form>`
      : html`<button disabled=${!sql || !database || connection?.read_only} onClick=${() => (setTold(null), setOpen(true))}>
        Save query</button>`}
    <${Problem} error=${told?.error} />`;
}
