// The form of one step: its action's parameters, where it applies, and the trial of it on the sample.
import { html, useEffect, useMemo, useRef, useState } from "./ui.js";
import { withDefaults } from "./recipedefaults.js";
import { fieldOf, listOf, problems, shownOf, stepOf, withoutStep } from "./recipe.js";
import { Field, labelOf } from "./stepfields.js";

const PAUSE_MILLISECONDS = 350;
const CONDITIONS = { IS: "is one of", IS_NOT: "is none of", CONTAINS: "contains", NOT_CONTAINS: "does not contain",
  STARTS_WITH: "starts with", NOT_STARTS_WITH: "does not start with", ENDS_WITH: "ends with",
  NOT_ENDS_WITH: "does not end with", LESS_THAN: "is less than", LESS_THAN_EQUAL: "is at most",
  GREATER_THAN: "is greater than", GREATER_THAN_EQUAL: "is at least", IS_MISSING: "is missing",
    IS_INVALID: "is not a" };
const LISTED = ["IS", "IS_NOT"];
const OFFERED = 6;

// start: {parameters, conditions} of a step that is edited or suggested. trial: {error} or {view} of onTry's last step.
export function StepForm({ action, start, column, columns, trial, index, editing, busy, onTry, onApply, onClose }) {
  const [values, setValues] = useState(() => (editing ? { ...start.parameters }
    : withDefaults(action, start?.parameters ?? {}, column, columns)));
  const [conditions, setConditions] = useState(start?.conditions ?? (action.operation === "REMOVE_VALUES"
    ? [{ Condition: "IS", Value: "", TargetColumn: column?.name ?? "" }] : []));
  const [pressed, setPressed] = useState(false);
  const written = useRef(new Set());
  const form = useRef(null);
  const names = useMemo(() => columns.map(({ name }) => name), [columns]);
  const wrong = problems(action, values, conditions, names);
  const told = trial?.error ? withoutStep(trial.error.message) : null;
  const at = told && !Object.keys(wrong).length ? fieldOf(told, action, values) : null;
  const step = stepOf(action.operation, Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "")),
    conditions.map(({ Condition, Value, TargetColumn }) => (Value ? { Condition, Value, TargetColumn }
      : { Condition, TargetColumn })));
  const whole = Object.keys(wrong).length === 0;
  const key = JSON.stringify(step);
  useEffect(() => {
    const timer = setTimeout(() => onTry(whole ? step : null), PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [key, whole]);
  useEffect(() => form.current?.querySelector("select, input, textarea, button.primary")?.focus(), []);

  const set = (name) => (value) => {
    written.current.add(name);
    setValues((old) => {
      const next = { ...old, [name]: value };
      // What nobody has written follows the column.
      if (/^sourceColumn1?$/.test(name) && !editing) {
        for (const other of ["targetColumn", "columnDataType"])
          if (!written.current.has(other)) delete next[other];
        return withDefaults(action, next, columns.find((one) => one.name === value) ?? null, columns);
      }
      return next;
    });
  };
  const submit = (event) => {
    event.preventDefault();
    setPressed(true);
    if (whole && !(trial?.error && trial.key === key)) onApply(step);
    else requestAnimationFrame(() => form.current?.querySelector('[aria-invalid="true"], .bad')?.focus());
  };
  const error = (name) => (at === name ? told : (pressed || written.current.has(name)) && wrong[name]) || null;
  // A filter's column is that of its first condition.
  const filter = action.operation === "REMOVE_VALUES";
  const condition = (next) => {
    setConditions(next);
    if (filter) set("sourceColumn")(next[0]?.TargetColumn ?? "");
  };
  const groups = Map.groupBy(filter ? [] : action.parameters, (one) => one.oneOf ?? one.name);
  return html`<form class="step-form" ref=${form} onSubmit=${submit} novalidate
      onKeyDown=${(event) => event.key === "Escape" && onClose()} aria-label=${action.title}>
    <div class="bar"><h2>${editing ? `Step ${index + 1}: ` : ""}${action.title}</h2><span class="grow"></span>
      <button type="button" class="close" aria-label="Close the form" onClick=${onClose}>×</button></div>
    <p class="quiet">${action.description} <span class="mono">${action.operation}</span></p>
    ${[...groups.values()].map((group) => html`<${OneOf} group=${group} values=${values} set=${set} columns=${columns}
      setValues=${setValues} error=${error} />`)}
    ${action.conditional && html`<${Conditions} action=${action} conditions=${conditions} set=${condition}
      columns=${columns} wrong=${pressed && (wrong.conditions ?? (filter && wrong.sourceColumn))} />`}
    ${told && !at && html`<p class="problem" role="alert">${told}</p>`}
    <div class="bar form-foot"><button class="primary" disabled=${busy}>${editing ? "Change the step"
      : "Apply"}</button>
      <button type="button" onClick=${onClose}>Cancel</button>
      ${!whole && !pressed && html`<span class="quiet">What it does is shown as soon as it is complete.</span>`}</div>
  </form>`;
}

// One parameter, or one of several that stand for one another and a choice among them.
function OneOf({ group, values, set, setValues, columns, error }) {
  const kept = group.filter(({ name, written }) => !written || values[name] !== undefined);
  if (!kept.length) return null;
  const shown = shownOf(kept, values);
  const choose = (event) => setValues((old) => {
    const next = { ...old };
    for (const { name } of kept) delete next[name];
    return { ...next, [event.target.value]: "" };
  });
  return html`${kept.length > 1 && html`<label class="either">By <select value=${shown.name} onChange=${choose}>
      ${kept.map((each) => html`<option value=${each.name}>${labelOf(each).toLowerCase()}</option>`)}</select></label>`}
    <${Field} key=${shown.name} id=${`step-${shown.name}`} parameter=${shown} value=${values[shown.name]}
      set=${set(shown.name)} columns=${columns} wrong=${error(shown.name)} />`;
}

function Conditions({ action, conditions, set, columns, wrong }) {
  const names = columns.map(({ name }) => name);
  const filter = action.operation === "REMOVE_VALUES";
  const change = (at, changes) => set(conditions.map((one, n) => (n === at ? { ...one, ...changes } : one)));
  if (!conditions.length) return html`<p><button type="button" class="small"
    onClick=${() => set([{ Condition: "IS", Value: "", TargetColumn: names[0] ?? "" }])}>
    Only in some rows…</button></p>`;
  return html`<fieldset class="step-field"><legend>${filter ? "Remove rows where" : "Only where"}</legend>
    ${conditions.map((one, at) => html`<div class="members-row condition-row">
      <select aria-label=${`Column of condition ${at + 1}`} value=${one.TargetColumn}
        onChange=${(event) => change(at, { TargetColumn: event.target.value })}>
        <option value="">Choose a column</option>
        ${names.map((name) => html`<option value=${name}>${name}</option>`)}</select>
      <select aria-label=${`Condition ${at + 1}`} value=${one.Condition}
        onChange=${(event) => change(at, { Condition: event.target.value, Value: "" })}>
        ${Object.entries(CONDITIONS).map(([value, said]) => html`<option value=${value}>${said}</option>`)}
        ${!(one.Condition in CONDITIONS) && html`<option value=${one.Condition}>${one.Condition}</option>`}</select>
      <${ConditionValue} one=${one} at=${at} set=${(value) => change(at, { Value: value })}
        common=${columns.find(({ name }) => name === one.TargetColumn)?.mostCommonValues ?? []} />
      <button type="button" class="small" aria-label=${`Remove condition ${at + 1}`}
        onClick=${() => set(conditions.filter((_, n) => n !== at))}>×</button></div>`)}
    <button type="button" class="small"
      onClick=${() => set([...conditions, { Condition: "IS", Value: "", TargetColumn: names[0] ?? "" }])}>
      And another condition</button>
    ${wrong && html`<p class="field-note bad">${wrong}</p>`}</fieldset>`;
}

function ConditionValue({ one, at, common, set }) {
  const label = `Value of condition ${at + 1}`;
  if (one.Condition === "IS_MISSING") return null;
  if (LISTED.includes(one.Condition)) {
    const values = one.Value ? listOf(one.Value) : [];
    const write = (next) => set(next.length ? JSON.stringify(next) : "");
    const offered = common.map(({ value }) => String(value)).filter((value) => !values.includes(value))
      .slice(0, OFFERED);
    return html`<textarea rows="2" aria-label=${label} placeholder="one value a line" value=${values.join("\n")}
        onInput=${(event) => write(event.target.value ? event.target.value.split("\n") : [])} />
      ${offered.length > 0 && html`<p class="quick offered">${offered.map((value) => html`<button type="button"
        class="small" aria-label=${`Add ${value}`}
        onClick=${() => write([...values, value])}>+ ${value}</button>`)}</p>`}`;
  }
  return html`<input aria-label=${label} value=${one.Value ?? ""} onInput=${(event) => set(event.target.value)} />`;
}
