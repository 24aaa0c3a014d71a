// Prepare: a sample of a dataset, and the recipe that cleans it, step by step.
import { html, useCallback, useEffect, useMemo, useState } from "./ui.js";
import { get } from "./api.js";
import { count } from "./format.js";
import { Problem, Tabs, useAnswer } from "./parts.js";
import { differences, said } from "./difference.js";
import { Grid } from "./preparegrid.js";
import { Menu } from "./preparemenu.js";
import { useProject } from "./preparing.js";
import { Finish } from "./preparefinish.js";
import { Start } from "./preparestart.js";
import { Column, RecipeText, Steps, Suggestions } from "./preparesteps.js";
import { stepNumber } from "./recipe.js";
import { StepForm } from "./stepform.js";
import { suggestions } from "./suggestions.js";

const TABS = [["steps", "Steps"], ["text", "JSON"], ["finish", "Finish"]];
const actionsOf = () => fetch("/static/recipeactions.json").then((answer) => answer.json())
  .then((list) => new Map(list.map((action) => [action.operation, action])));

export function Prepare({ name, connection }) {
  const [actions, error] = useAnswer(actionsOf, []);
  if (!name) return html`<${Start} connection=${connection} />`;
  if (error) return html`<section class="prepare"><${Problem} error=${error} /></section>`;
  return actions ? html`<${Editor} key=${name} name=${name} actions=${actions} connection=${connection} />` : null;
}

function Editor({ name, actions, connection }) {
  const work = useProject(name);
  const { project, steps, view, busy, error } = work;
  const [keep] = useAnswer(() => get("preparing").then((known) => known.keep), []);
  const [tab, setTab] = useState("steps");
  const [column, setColumn] = useState(null);
  const [filter, setFilter] = useState(null);
  const [menu, setMenu] = useState(false);
  const [form, setForm] = useState(null); // {action, start, index, editing, rest: steps that follow}
  const [trial, setTrial] = useState(null); // {key, before, after} or {key, error}
  const [before, setBefore] = useState(false);
  const [only, setOnly] = useState(false); // of a trial: the rows that it changes
  const disabled = Boolean(busy) || connection?.read_only || !view;

  const open = (next) => {
    setMenu(false);
    setTrial(null);
    setBefore(false);
    setForm(next);
  };
  const close = () => {
    open(null);
    if (form && form.index < steps.length) work.look(steps.length);
  };
  const pick = (action) => open({ action, index: steps.length, key: Date.now() });
  const edit = async (index) => {
    if (!actions.has(steps[index].Action.Operation)) return setTab("text"); // an alias of before
    const { Action: { Operation: operation, Parameters: parameters }, ConditionExpressions: conditions } = steps[index];
    await work.look(index); // the columns that the step sees
    open({ action: actions.get(operation), index, editing: true, key: Date.now(),
      start: { parameters, conditions: conditions ?? [] } });
    return undefined;
  };
  // A suggestion of several steps shows one after the other.
  const take = ({ steps: [[operation, parameters, conditions = []], ...rest] }, index = steps.length) => open({
    action: actions.get(operation), index, rest, key: Date.now(), start: { parameters, conditions } });
  const tryOut = useCallback(async (step) => {
    if (!step) return setTrial(null);
    const key = JSON.stringify(step);
    try {
      setTrial({ key, ...(await work.tried(step, form.index)) });
    } catch (problem) {
      setTrial({ key, error: problem });
    }
    return undefined;
  }, [form, work.tried]);
  const apply = async (step) => {
    const done = await work.apply(step, form.index);
    if (!done) return;
    setFilter(null);
    if (form.rest?.length) take({ steps: form.rest }, form.index + 1);
    else open(null);
  };
  useEffect(() => {
    const key = (event) => {
      if (!(event.ctrlKey || event.metaKey) || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      if (event.key.toLowerCase() === "z" && !disabled && !form) {
        event.preventDefault();
        event.shiftKey ? work.redo() : work.undo();
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });

  const trying = trial?.after ? trial : null;
  const shown = trying && !before ? trying.after : trying ? trying.before : view;
  const rows = useMemo(() => (shown ? differences(trying && !before ? trying.before : null, shown) : []),
    [shown, trying, before]);
  const had = useMemo(() => trying && !before && new Set(trying.before.columns.map((one) => one.name)),
    [trying, before]);
  const touched = trying && !before ? rows.filter((row) => row.state !== "same").length : 0;
  const hide = touched > 0 && only;
  const hints = useMemo(() => (view && !form ? suggestions(view) : []), [view, form]);
  const current = shown?.columns.find((one) => one.name === column);
  const columns = view?.columns ?? [];
  return html`<section class="prepare" aria-label=${`Prepare ${name}`}>
    <header class="bar prepare-head"><h1><a href="#/prepare">Prepare</a> / ${name}</h1>
      <span class="quiet">${view?.rowCount !== undefined
        && `${count(view.rowCount)} rows of the sample · ${view.columnCount} columns`}</span>
      <span class="quiet" role="status">${busy ?? ""}</span><span class="grow"></span>
      <button disabled=${disabled || form || !work.canUndo} title="Ctrl+Z" onClick=${work.undo}>Undo</button>
      <button disabled=${disabled || form || !work.canRedo} title="Ctrl+Shift+Z"
        onClick=${work.redo}>Redo</button></header>
    <${Problem} error=${error} />
    ${!view && error?.code === "ConflictException" && html`<p><button class="primary"
      onClick=${() => work.enter(true)}>Take the session over</button></p>`}
    ${view?.text !== undefined && html`<p class="problem">This endpoint answers a session in a form that is not
      documented and cannot be drawn: ${view.text.slice(0, 400)}</p>`}
    <div class="prepare-body">
      <div class="prepare-data">
        ${(trying || work.at !== null || filter) && html`<div class="bar trial" aria-live="polite">
          ${trying && html`<div class="choices" role="group" aria-label="Sample before or after the step">
            <button aria-pressed=${before} onClick=${() => setBefore(true)}>Before</button>
            <button aria-pressed=${!before} onClick=${() => setBefore(false)}>After</button></div>
            <span>${said(trying.before, trying.after, differences(trying.before, trying.after))}</span>
            ${touched > 0 && touched < rows.length && html`<button class="small" aria-pressed=${only}
              onClick=${() => setOnly(!only)}>Only these rows</button>`}`}
          ${!trying && work.at !== null && html`<span>The sample after ${work.at} of ${steps.length} steps.</span>
            ${!form && html`<button class="small"
              onClick=${() => work.look(steps.length)}>Show it after all</button>`}`}
          ${filter && html`<span>Only rows where ${filter.column} is ${filter.kind}.</span>
            <button class="small" onClick=${() => setFilter(null)}>Show all rows</button>`}</div>`}
        ${shown && html`<${Grid} view=${shown} rows=${rows} hide=${hide} filter=${filter} onFilter=${setFilter}
          had=${had}
          chosen=${column} onChoose=${(chosen) => (setColumn(chosen), setTab("steps"))}
          label=${trying ? (before ? "Sample before the step" : "Sample after the step") : "Sample"} />`}</div>
      <aside class="prepare-side" aria-label="Recipe">
        ${menu ? html`<${Menu} actions=${actions} local=${connection?.local} column=${current?.name} onPick=${pick}
            onClose=${() => setMenu(false)} />`
        : form ? html`<${StepForm} key=${form.key} ...${form} column=${current} columns=${columns} trial=${trial}
            busy=${Boolean(busy)} onTry=${tryOut} onApply=${apply} onClose=${close} />`
        : html`<${Tabs} tabs=${TABS} current=${tab} onChange=${setTab} label="Of the recipe" />
          <div role="tabpanel" aria-label=${TABS.find(([key]) => key === tab)[1]} class="side-panel">
            ${tab === "steps" && html`
              ${current && html`<${Column} column=${current} of=${shown.rowCount} actions=${actions}
                disabled=${disabled}
                onPick=${pick} onMore=${() => setMenu(true)} onClose=${() => setColumn(null)} />`}
              <${Steps} steps=${steps} actions=${actions} at=${work.at} problemAt=${stepNumber(error?.message)}
                disabled=${disabled} onAdd=${() => setMenu(true)} onEdit=${edit} onLook=${work.look}
                onChange=${work.change} />
              <${Suggestions} found=${hints} column=${current?.name} disabled=${disabled} onTake=${take} />`}
            ${tab === "text" && html`<${RecipeText} name=${project?.recipe ?? name} steps=${steps} disabled=${disabled}
              onChange=${work.change} />`}
            ${tab === "finish" && project && html`<${Finish} project=${project} steps=${steps} keep=${keep}
              disabled=${disabled} onPublished=${(versions) => work.setProject({ ...project, versions })} />`}</div>`}
      </aside></div></section>`;
}
