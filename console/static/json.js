// JSON as a tree that opens and closes; text that holds JSON is shown as such.
import { html, useMemo, useState } from "./ui.js";
import { count } from "./format.js";

const OPEN_DEPTH = 2;
const SMALL = 2500; // characters: all of it is open at once
const LARGE = 300_000;
const MOST_MEMBERS = 200;

function parsed(text) {
  if (typeof text !== "string" || !/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function Copy({ text, label = "Copy" }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1200);
  };
  return html`<button class="small" onClick=${copy}>${done ? "Copied" : label}</button>`;
}

export function Json({ text, value, label }) {
  const [raw, setRaw] = useState(false);
  const given = useMemo(() => (value !== undefined ? value : (parsed(text) ?? text)), [text, value]);
  const pretty = useMemo(() => (typeof given === "string" ? given : JSON.stringify(given, null, 2)), [given]);
  if (given === undefined || given === null || given === "") return html`<p class="quiet">Nothing.</p>`;
  const large = pretty.length > LARGE;
  const shown = given === null || typeof given !== "object" || raw || large;
  return html`<div class="json">
    <div class="json-tools">${label && html`<span class="quiet">${label}</span>`}<span class="quiet">
      ${count(pretty.length)} characters</span>
      ${typeof given === "object" && !large
        && html`<button class="small" aria-pressed=${raw} onClick=${() => setRaw(!raw)}>Text</button>`}
      <${Copy} text=${pretty} /></div>
    ${shown ? html`<pre tabindex="0">${pretty}</pre>` : html`<div class="tree">
      <${Node} value=${given} depth=${0} most=${pretty.length < SMALL ? 9 : OPEN_DEPTH} /></div>`}
  </div>`;
}

function Node({ name, value, depth, most }) {
  const inner = typeof value === "string" ? parsed(value) : undefined;
  const [open, setOpen] = useState(depth < most);
  const key = name !== undefined && html`<span class="key">${name}</span><span class="quiet">: </span>`;
  const data = inner ?? value;
  if (data === null || typeof data !== "object") return html`<div class="leaf">${key}<${Leaf} value=${value} /></div>`;
  const entries = Array.isArray(data) ? data.map((item, index) => [index, item]) : Object.entries(data);
  const brief = Array.isArray(data) ? `[${entries.length}]` : `{${entries.length}}`;
  if (!entries.length) return html`<div class="leaf">${key}<span class="quiet">${Array.isArray(data) ? "[]" : "{}"}
    </span></div>`;
  return html`<details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${key}<span class="quiet">${brief}${inner !== undefined ? " in text" : ""}</span></summary>
    ${open && html`<div class="members">
      ${entries.slice(0, MOST_MEMBERS)
        .map(([member, item]) => html`<${Node} key=${member} name=${member} value=${item} depth=${depth + 1}
          most=${most} />`)}
      ${entries.length > MOST_MEMBERS
        && html`<p class="quiet">… ${count(entries.length - MOST_MEMBERS)} more; Text shows all.</p>`}
    </div>`}
  </details>`;
}

function Leaf({ value }) {
  if (typeof value === "string") return value.includes("\n") ? html`<pre class="text">${value}</pre>`
    : html`<span class="string">${value}</span>`;
  return html`<span class=${typeof value}>${String(value)}</span>`;
}
