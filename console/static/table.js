// Rows under columns.
import { html } from "./ui.js";

// types: a word under each column's name. marked: column -> {word, cells: whether all its cells are marked}.
export function Table({ label, columns, rows, types = [], marked = new Map() }) {
  const cells = columns.map((column) => (marked.get(column)?.cells ? "marked" : ""));
  return html`<div class="table" tabindex="0" role="region" aria-label=${label}><table><thead><tr>
    ${columns.map((column, index) => html`<th scope="col" class=${marked.has(column) ? "marked" : ""}>${column}
      ${marked.has(column) && html` <i class="badge">${marked.get(column).word}</i>`}
        ${types[index] && html`<small>${types[index]}</small>`}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>
      ${row.map((cell, index) => html`<td class=${cells[index]}>
        ${cell === null || cell === undefined ? html`<span class="quiet">null</span>` : String(cell)}</td>`)}</tr>`)}
          </tbody></table></div>`;
}
