// The recipe at the side of the sample: its steps, what the figures suggest, one column, and the JSON.
import { html, useEffect, useState } from "./ui.js";
import { count } from "./format.js";
import { exported, imported, told } from "./recipe.js";
import { Histogram } from "./preparegrid.js";
import { isNumber } from "./recipedefaults.js";

const QUICK = {
  text: ["REMOVE_COMBINED", "REPLACE_TEXT", "CHANGE_DATA_TYPE", "SPLIT_COLUMN_SINGLE_DELIMITER", "CATEGORICAL_MAPPING"],
  number: ["CHANGE_DATA_TYPE", "FILL_WITH_MEDIAN", "REMOVE_OUTLIERS", "BUCKETIZATION"],
  date: ["FORMAT_DATE", "YEAR", "MONTH_NAME", "DATE_DIFF"],
  all: ["RENAME", "DELETE", "DUPLICATE", "REMOVE_MISSING", "REMOVE_VALUES"],
};

export function Steps({ steps, actions, at, problemAt, disabled, onAdd, onEdit, onLook, onChange }) {
  const move = (from, to) => {
    if (to < 0 || to >= steps.length) return;
    const moved = [...steps];
    moved.splice(to, 0, ...moved.splice(from, 1));
    onChange(moved);
  };
  const key = (event, place) => {
    const step = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    move(place, place + step);
  };
  return html`<ol class="recipe-steps">
      ${steps.map((step, place) => {
        const { title, columns, rest } = told(step, actions);
        const state = problemAt === place + 1 ? "step bad" : at !== null && place >= at ? "step later" : "step";
        return html`<li key=${place} class=${state} onKeyDown=${(event) => key(event, place)}>
          <button class="step-words" disabled=${disabled} onClick=${() => onEdit(place)}
            aria-label=${`Edit step ${place + 1}: ${title} ${columns.join(", ")} ${rest.join(", ")}`}>
            <b>${title}</b> ${columns.map((name) => html`<code>${name}</code> `)}
            <span class="quiet">${rest.join(", ")}</span></button>
          <span class="step-tools">
            <button class="small" aria-label=${`Show the data after step ${place + 1}`}
              title="Show the data after this step"
              aria-pressed=${at === place + 1} onClick=${() => onLook(at === place + 1 ? steps.length
                : place + 1)}>◉</button>
            <button class="small" aria-label=${`Move step ${place + 1} up`} disabled=${disabled || place === 0}
              onClick=${() => move(place, place - 1)}>↑</button>
            <button class="small" aria-label=${`Move step ${place + 1} down`}
              disabled=${disabled || place === steps.length - 1} onClick=${() => move(place, place + 1)}>↓</button>
            <button class="small" aria-label=${`Remove step ${place + 1}`} disabled=${disabled}
              onClick=${() => onChange(steps.filter((_, n) => n !== place))}>×</button></span></li>`;
      })}</ol>
    ${steps.length === 0 && html`<p class="quiet">No step yet. Take a suggestion, press the name of a column,
      or add one:
      each is shown on the sample before it is applied.</p>`}
    <button class="primary" disabled=${disabled} onClick=${onAdd}>Add a step</button>`;
}

export function Suggestions({ found, column, disabled, onTake }) {
  const shown = column ? found.filter((one) => one.column === column) : found;
  if (!shown.length) return null;
  return html`<section class="suggestions" aria-label="Suggestions"><h3>${column ? "Suggested here" : "Suggested"}${" "}
      <span class="quiet">${count(shown.length)}</span></h3>
    <ul>${shown.map((one) => html`<li key=${`${one.column} ${one.text}`}><p><b>${one.text}</b>
      <span class="quiet"> ${one.detail}</span></p><button class="small" disabled=${disabled}
        onClick=${() => onTake(one)}>
      ${one.label}</button></li>`)}</ul></section>`;
}

// The figures of a column and the steps that are likely for it.
export function Column({ column, of, actions, disabled, onPick, onMore, onClose }) {
  const kind = isNumber(column.type) ? "number" : ["date", "timestamp"].includes(column.type) ? "date" : "text";
  const figures = [["Type", column.type], ["Different", column.distinctValuesCount],
    ["Missing", column.missingValuesCount], ...(kind === "number" ? [["Smallest", column.min],
      ["Median", column.median], ["Mean", column.mean], ["Largest", column.max]] : [])]
    .filter(([, value]) => value !== undefined && value !== null);
  return html`<section class="column-panel" aria-label=${`Column ${column.name}`}>
    <div class="bar"><h2>${column.name}</h2><span class="grow"></span>
      <button class="close" aria-label="Close the column" onClick=${onClose}>×</button></div>
    <${Histogram} column=${column} width=${320} height=${56} />
    <dl class="facts">${figures.map(([name, value]) => html`<dt>${name}</dt><dd>${typeof value === "number"
      ? count(Number(value.toPrecision(6))) : value}</dd>`)}</dl>
    ${column.mostCommonValues?.length > 0 && html`<h3>Most common</h3><ul class="common">
      ${column.mostCommonValues.slice(0, 6).map(({ value, count: number }) => html`<li><span>${String(value)}</span>
        <span class="quiet number">${count(number)} of ${count(of)}</span></li>`)}</ul>`}
    <h3>Do</h3><p class="quick">${[...QUICK[kind], ...QUICK.all].map((name) => html`<button class="small"
      disabled=${disabled}
      onClick=${() => onPick(actions.get(name))}>${actions.get(name).title}</button>`)}
      <button class="small" disabled=${disabled} onClick=${onMore}>All actions…</button></p></section>`;
}

// The recipe's text: copied, saved as a file, or changed as a whole.
export function RecipeText({ name, steps, disabled, onChange }) {
  const [text, setText] = useState(exported(steps));
  const [problem, setProblem] = useState(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    setText(exported(steps));
    setProblem(null);
  }, [steps]);
  const take = () => {
    try {
      onChange(imported(text));
      setProblem(null);
    } catch (error) {
      setProblem(error.message);
    }
  };
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([exported(steps)], { type: "application/json" }));
    link.download = `${name}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return html`<div class="bar"><button class="small" onClick=${save}>Download</button>
      <button class="small" onClick=${() => navigator.clipboard.writeText(exported(steps)).then(() => setCopied(true))}>
        ${copied ? "Copied" : "Copy"}</button>
      <label class="button small-button">Open a file<input type="file" class="spoken" accept=".json"
        aria-label="Recipe to import" onChange=${(event) => event.target.files[0]?.text().then(setText)} /></label>
      </div>
    <textarea class="recipe-text" aria-label="Recipe as JSON" spellcheck="false" value=${text}
      aria-invalid=${problem ? "true" : undefined} onInput=${(event) => setText(event.target.value)} />
    ${problem && html`<p class="field-note bad" role="alert">${problem}</p>`}
    <p><button disabled=${disabled || text === exported(steps)} onClick=${take}>Take this as the recipe</button></p>
    <p class="quiet">The form that DataBrew’s console downloads and imports.</p>`;
}
