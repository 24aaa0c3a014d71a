// Statements of before, and saved ones.
import { html, useState } from "./ui.js";
import { get, post } from "./api.js";
import { bytes, date, dollars, duration } from "./format.js";
import { Problem, Status, usePages } from "./parts.js";

export function Earlier({ group, open }) {
  const { pages, next, more, error } = usePages((after) => get("queries", { group, next: after }));
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

export function Saved({ group, open, connection }) {
  const { pages, next, more, error, change, fail } = usePages((after) => get("saved", { group, next: after }));
  const [asked, setAsked] = useState(null);
  const forget = async (query) => {
    try {
      await post("forget", { id: query.id });
      change((old) => old.map((page) => ({ ...page, queries: page.queries.filter((one) => one.id !== query.id) })));
    } catch (problem) {
      fail(problem);
    }
    setAsked(null);
  };
  const found = pages.flatMap((page) => page.queries);
  return html`<${Problem} error=${error} />
    ${pages.length > 0 && found.length === 0 && html`<p class="quiet">Nothing is saved in this work group.</p>`}
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

export function Save({ sql, group, database, connection }) {
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
        maxlength="1024" onInput=${(event) => setDescription(event.target.value)} /></label>
        <button class="primary">Save</button>
        <button type="button" onClick=${() => setOpen(false)}>Not now</button></form>`
      : html`<button disabled=${!sql || !database || connection?.read_only}
        onClick=${() => (setTold(null), setOpen(true))}>
        Save query</button>`}
    <${Problem} error=${told?.error} />`;
}
