// The tables of a database, as the catalog tells them page by page, and the choice of one.
import { html, useEffect, useState } from "./ui.js";
import { get } from "./api.js";
import { Problem, useAnswer } from "./parts.js";

// [tables (null until the first are there), what went wrong]; asked again for another database.
export function useTables(database) {
  const [found, setFound] = useState([null, null]);
  useEffect(() => {
    if (!database) return undefined;
    let current = true;
    setFound([null, null]);
    (async () => {
      let next = null;
      do {
        const page = await get("tables", { database, next });
        if (!current) return;
        setFound(([old]) => [[...(old ?? []), ...page.tables], null]);
        next = page.next;
      } while (next);
    })().catch((problem) => current && setFound(([old]) => [old, problem]));
    return () => {
      current = false;
    };
  }, [database]);
  return found;
}

// value: {database, table, where}; `of` comes behind the fields' names.
export function TableChoice({ value, set, of = "" }) {
  const [databases, error] = useAnswer(() => get("lake"), []);
  const [tables, tablesError] = useTables(value.database);
  const choose = (table) => set({ ...value, table, where: tables.find(({ name }) => name === table)?.where ?? "" });
  return html`<${Problem} error=${error ?? tablesError} /><div class="two">
    <label class="field">Database${of} <select value=${value.database}
      onChange=${(event) => set({ database: event.target.value, table: "" })}><option value="">Choose</option>
      ${(databases ?? []).map(({ name }) => html`<option>${name}</option>`)}</select></label>
    <label class="field">Table${of} <select value=${value.table} disabled=${!tables}
      onChange=${(event) => choose(event.target.value)}><option value="">Choose</option>
      ${(tables ?? []).map(({ name }) => html`<option>${name}</option>`)}</select></label></div>`;
}
