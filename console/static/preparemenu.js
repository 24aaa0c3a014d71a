// The actions that a step can be: searched by words, listed by kind.
import { html, useEffect, useRef, useState } from "./ui.js";

const found = (action, words) => {
  const text = `${action.title} ${action.description} ${action.operation} ${action.operation.replaceAll("_", " ")} ${
    action.category}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

// Those that have more of the words in their title come first.
export function search(actions, asked) {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const missed = ({ title }) => words.filter((word) => !title.toLowerCase().includes(word)).length;
  return [...actions.values()].filter((action) => found(action, words)).sort((a, b) => missed(a) - missed(b));
}

export function Menu({ actions, local, onPick, onClose, column }) {
  const [asked, setAsked] = useState("");
  const field = useRef(null);
  const list = useRef(null);
  useEffect(() => field.current?.focus(), []);
  const shown = search(actions, asked);
  const groups = asked.trim() ? new Map([["Found", shown]]) : Map.groupBy(shown, (action) => action.category);
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") onClose();
    if (!step) return;
    event.preventDefault();
    const all = [...list.current.querySelectorAll("button:not([aria-disabled])")];
    const at = all.indexOf(document.activeElement);
    if (at + step < 0) field.current.focus();
    else all[Math.min(all.length - 1, at + step)]?.focus();
  };
  const first = () => shown.find((action) => !refusal(action, local));
  return html`<div class="action-menu" onKeyDown=${move}>
    <div class="bar"><h2>${column ? `Step for ${column}` : "Add a step"}</h2><span class="grow"></span>
      <button class="close" aria-label="Close the menu" onClick=${onClose}>×</button></div>
    <input type="search" ref=${field} placeholder="What shall be done? trim, date, split, group …"
      aria-label="Search actions" value=${asked} onInput=${(event) => setAsked(event.target.value)}
      onKeyDown=${(event) => event.key === "Enter" && first() && onPick(first())} />
    <p class="spoken" aria-live="polite">${asked ? `${shown.length} actions` : ""}</p>
    <div class="action-list" ref=${list}>
      ${shown.length === 0 && html`<p class="quiet">No action has these words.</p>`}
      ${[...groups].map(([category, members]) => html`<h3>${category}</h3><ul>
        ${members.map((action) => html`<li key=${action.operation}><${Entry} action=${action} local=${local}
          onPick=${onPick} /></li>`)}</ul>`)}</div></div>`;
}

// Why an action cannot be picked here, if so.
const refusal = (action, local) => (action.local && (local || action.local.endsWith("no step")) ? action.local : null);

function Entry({ action, local, onPick }) {
  const why = refusal(action, local);
  return html`<button class="action" aria-disabled=${why ? "true" : undefined} title=${action.operation}
    onClick=${() => !why && onPick(action)}><b>${action.title}</b>
    <span>${why ? `Not here: ${why}.${action.local.endsWith("no step") ? "" : " AWS has it."}`
      : action.description}</span>
    </button>`;
}
