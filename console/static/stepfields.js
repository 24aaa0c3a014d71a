// A field for each type of parameter: how its text is chosen, ticked or written.
import { html, useState } from "./ui.js";
import { listOf, words } from "./recipe.js";

const TYPES = { byte: "whole number, up to 127", short: "whole number, up to 32,767",
  int: "whole number, up to 2 billion",
  long: "whole number", float: "number, 7 digits", double: "number", decimal: "number, exact", string: "text",
  boolean: "true or false", timestamp: "date and time", date: "date" };
const LABELS = { sourceColumn: "Column", sourceColumns: "Columns", targetColumn: "New column", columnDataType: "Type",
  sourceColumn1: "First column", sourceColumn2: "Second column", value1: "First value", value2: "Second value",
  groupByColumns: "In groups of", orderByColumns: "In the order of", groupByAggFunctionOptions: "Figures of each group",
  useNewDataFrame: "Keep the groups only", functionName: "Function", sourceColumnName: "Of column",
  targetColumnName: "Named", targetColumnDataType: "As", categoryMap: "Values and what they become",
  other: "All other values become", mapType: "New values are" };
const LAYOUTS = ["yyyy-mm-dd", "mm/dd/yyyy", "dd/mm/yyyy", "mm-dd-yyyy", "yyyy-mm-dd*HH:MM:SS", "dd*month*yyyy",
  "month*yyyy"];
const HINTS = { "new-column": "A name that no column has.", regex: "A text or a regular expression.",
  "datetime-format": "yyyy, mm (month), month (its name), dd, HH, MM (minutes), SS; * is a blank.",
  expression: "Columns in backticks: `price` > 10 and !isMissing(`name`)", path: "`member`.`member`[0]",
  "json-list<string>": "One a line.", number: null, int: null };

export const labelOf = (parameter) => (parameter.type === "column" && parameter.name === "targetColumn"
  ? "Beside column"
  : LABELS[parameter.name] ?? words(parameter.name));
const YES = /^true$/i;
const said = (value) => (TYPES[value] ? `${value}: ${TYPES[value]}`
  : /^[A-Z][A-Z0-9_]+$/.test(value) ? value.replaceAll("_", " ").toLowerCase() : value);

// One field with its label, hint and what is wrong. `set(text)`; "" is nothing.
export function Field({ parameter, value, set, columns, wrong, id }) {
  const shared = { id, "aria-invalid": wrong ? "true" : undefined, "aria-describedby": `${id}-note` };
  const note = html`<p class=${wrong ? "field-note bad" : "field-note"} id=${`${id}-note`}>${wrong
    ?? (parameter.type === "new-column" && !parameter.required ? "Left empty, the column itself changes."
      : HINTS[parameter.type] ?? "")}</p>`;
  const label = html`${labelOf(parameter)}${!parameter.required && !parameter.oneOf
    && html` <span class="quiet">(optional)</span>`}`;
  const Group = GROUPS[parameter.type] ?? (parameter.members ? Members : parameter.pairs ? Pairs : null);
  if (Group) return html`<fieldset class="step-field" id=${id} tabindex="-1" aria-describedby=${`${id}-note`}>
    <legend>${label}</legend><${Group} parameter=${parameter} value=${value} set=${set} columns=${columns} />${note}
    </fieldset>`;
  if (parameter.type === "boolean" && parameter.default === "false" && !parameter.values)
    return html`<label class="tick"><input type="checkbox" id=${id} checked=${value === "true"}
      onChange=${(event) => set(event.target.checked ? "true" : "")} /> ${words(parameter.name)}</label>`;
  return html`<div class="step-field"><label for=${id}>${label}</label>
    <${Single} parameter=${parameter} value=${value} set=${set} columns=${columns} shared=${shared} />${note}</div>`;
}

function Single({ parameter, value, set, columns, shared }) {
  const { type, values, default: usual } = parameter;
  const onInput = (event) => set(event.target.value);
  const choices = type === "column" ? columns.map(({ name }) => [name, name])
    : type === "boolean" ? (values ?? ["true", "false"]).map((each) => [each, YES.test(each) ? "yes" : "no"])
      : type === "enum" ? values.map((each) => [each, said(each)]) : null;
  if (choices) {
    if (value && !choices.some(([each]) => each === value)) choices.push([value, value]);
    return html`<select ...${shared} value=${value ?? ""} onChange=${onInput}>
      <option value="">${type === "column" ? "Choose a column" : usual ? `As usual: ${said(usual)}` : "Choose"}</option>
      ${choices.map(([each, name]) => html`<option value=${each}>${name}</option>`)}</select>`;
  }
  if (type === "expression" || type === "json-object" || type.startsWith("json-list")) {
    const lines = type === "json-list<string>";
    const shown = lines ? listOf(value).join("\n") : value ?? "";
    return html`<textarea ...${shared} rows="3" spellcheck="false" value=${shown}
      onInput=${(event) => set(lines ? packed(event.target.value.split("\n").filter(Boolean))
        : event.target.value)} />`;
  }
  const offered = type === "datetime-format" ? LAYOUTS : type === "timezone" ? Intl.supportedValuesOf("timeZone")
    : null;
  return html`<input ...${shared} value=${value ?? ""} onInput=${onInput} autocomplete="off" spellcheck="false"
      class=${["regex", "path"].includes(type) ? "mono" : undefined} list=${offered ? `${shared.id}-list` : undefined}
      inputmode=${["int", "number"].includes(type) ? "decimal" : undefined} placeholder=${usual} />
    ${offered && html`<datalist id=${`${shared.id}-list`}>${offered.map((each) => html`<option value=${each} />`)}
      </datalist>`}`;
}

const packed = (list) => (list.length ? JSON.stringify(list) : "");

// Ticked ones in the order in which they were ticked, which may matter (ROW_NUMBER).
function Ticked({ parameter, value, set, columns }) {
  const picked = listOf(value);
  const all = parameter.type === "json-list<column>" ? columns.map(({ name }) => name) : parameter.values;
  const toggle = (name) => set(packed(picked.includes(name) ? picked.filter((one) => one !== name)
    : [...picked, name]));
  return html`<div class="ticks">${all.map((name) => html`<label class="tick"><input type="checkbox"
    checked=${picked.includes(name)} onChange=${() => toggle(name)} /> ${said(name)}${picked.length > 1
      && picked.includes(name) ? html` <i class="badge">${picked.indexOf(name) + 1}</i>` : ""}</label>`)}</div>`;
}

const read = (text, otherwise) => {
  try {
    return JSON.parse(text) ?? otherwise;
  } catch {
    return otherwise;
  }
};

// A list of objects, or one of them, whose members are known.
function Members({ parameter, value, set, columns }) {
  const alone = parameter.type === "json-object";
  const rows = alone ? [read(value, {})] : read(value, [{}]);
  const ordered = (row) => Object.fromEntries(parameter.members.filter(({ name }) => name in row)
    .map(({ name }) => [name, row[name]]));
  const write = (changed) => set(JSON.stringify(alone ? ordered(changed[0]) : changed.map(ordered)));
  const change = (at, name, given) => write(rows.map((row, n) => (n === at ? { ...row, [name]: given } : row)));
  return html`${rows.map((row, at) => html`<div class="members-row">
      ${parameter.members.map((member) => html`<${Member} member=${member} value=${row[member.name]} columns=${columns}
        label=${alone ? labelOf(member) : `${labelOf(member)}, ${at + 1}`}
        set=${(given) => change(at, member.name, given)} />`)}
      ${!alone && rows.length > 1 && html`<button type="button" class="small" aria-label=${`Remove ${at + 1}`}
        onClick=${() => write(rows.filter((_, n) => n !== at))}>×</button>`}</div>`)}
    ${!alone && html`<button type="button" class="small" onClick=${() => write([...rows, {}])}>One more</button>`}`;
}

function Member({ member, value, set, columns, label }) {
  const onInput = (event) => set(event.target.value);
  if (member.type === "boolean") return html`<label class="tick"><input type="checkbox" checked=${value === true}
    onChange=${(event) => set(event.target.checked)} /> ${labelOf(member)}</label>`;
  const choices = member.type === "column" ? columns.map(({ name }) => name) : member.values;
  if (!choices) return html`<input aria-label=${label} placeholder=${labelOf(member)} value=${value ?? ""}
    onInput=${onInput} />`;
  return html`<select aria-label=${label} value=${value ?? ""} onChange=${onInput}>
    <option value="">${labelOf(member)}</option>${choices.map((each) => html`<option
      value=${each}>${said(each)}</option>`)}
    </select>`;
}

// Values and what they become, in the order in which they were written (an object sorts numbers).
function Pairs({ value, set }) {
  const [rows, setRows] = useState(() => [...Object.entries(read(value, {})), ["", ""]]);
  const change = (at, place, given) => {
    const next = rows.map((row, n) => (n === at ? Object.assign([...row], { [place]: given }) : row));
    const kept = next.filter(([from, to]) => from !== "" && to !== "");
    setRows(next.at(-1).some((cell) => cell !== "") ? [...next, ["", ""]] : next);
    set(kept.length ? `{${kept.map((pair) => pair.map((cell) => JSON.stringify(cell)).join(":")).join(",")}}` : "");
  };
  return html`${rows.map(([from, to], at) => html`<div class="members-row pairs-row" key=${at}>
    <input aria-label=${`Value ${at + 1}`} placeholder="value" value=${from}
      onInput=${(event) => change(at, 0, event.target.value)} /><span aria-hidden="true">→</span>
    <input aria-label=${`Becomes ${at + 1}`} placeholder="becomes" value=${to}
      onInput=${(event) => change(at, 1, event.target.value)} /></div>`)}`;
}

const GROUPS = { "json-list<column>": Ticked, "json-list<enum>": Ticked };
