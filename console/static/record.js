// An audit record (docs/audit.md) as a document: what came in, what was done to it, what was measured,
// what went live, who or what decided, and the seal. The same in the page and in a report.
import { html } from "./ui.js";
import { labelled } from "./fold.js";
import { bytes, count, duration, lastPart } from "./format.js";
import { message } from "./cause.js";

const SCORES = { auc: "AUC", average_precision: "Average precision", mean_f1: "Mean F1",
  mean_f1_of_baskets: "Mean F1 of baskets", logloss: "Log loss", threshold: "Threshold" };
const QUANTITIES = { athena_scanned_bytes: ["scanned by Athena", bytes],
  athena_charged_bytes: ["of Athena charged", bytes],
  glue_dpu_seconds: ["DPU seconds of Glue", count], databrew_node_minutes: ["node minutes of DataBrew", count],
  training_billable_seconds: ["seconds of training", count], state_transitions: ["state transitions", count] };
const OUTCOMES = {
  published: ["good", "A new model went live."],
  "not better": ["", "The new model was not better; what was live before stays live."],
  "features only": ["", "Features were built; no model was asked for."],
  "nothing new": ["", "Nothing was new since an earlier run, so nothing was done."],
  failed: ["problem", "The run failed."],
  "timed out": ["problem", "The run took longer than it may."],
  stopped: ["problem", "The run was stopped."],
};

// `extra.model`: the model's charts, where there are some; `findings`: hashes that were computed again.
export function RecordDocument({ record, uri, sha256, findings, extra = {}, open = false }) {
  return html`<article class="record" aria-label="Audit record">
    <${Verdict} record=${record} /><${Tries} tries=${record.tries} gaps=${record.gaps} />
    <${Part} title="What came in"><${CameIn} record=${record} /><//>
    <${Part} title="What was done to it"><${Done} record=${record} /><//>
    <${Part} title="What was measured"><${Measured} record=${record} model=${extra.model} /><//>
    <${Part} title="What went live"><${WentLive} record=${record} /><//>
    <${Part} title="Who or what decided"><${Decided} record=${record} /><//>
    <${Part} title="The seal"><${Seal} record=${record} uri=${uri} sha256=${sha256} findings=${findings} open=${open} />
      ${extra.verify}<//>
  </article>`;
}

const Part = ({ title, children }) => html`<section class="record-part"><h3>${title}</h3><div>${children}</div>
  </section>`;
const None = ({ children }) => html`<p class="quiet">${children}</p>`;
const Hash = ({ value }) => (value ? html`<code class="hash" title=${value}>${value.slice(0, 12)}…</code>` : "");
const isSet = (value) => value !== null && value !== undefined && value !== "";

function Facts({ rows }) {
  const shown = rows.filter(([, value]) => isSet(value) && value !== false);
  return shown.length > 0 && html`<dl class="facts">${shown.map(([name, value]) => html`<dt>${name}</dt>
    <dd>${value}</dd>`)}</dl>`;
}

function Grid({ label, columns, rows, numbers = [] }) {
  const tone = (index) => (numbers.includes(index) ? "number right" : null);
  return html`<div class="table" tabindex="0" role="region" aria-label=${label}><table><thead><tr>
    ${columns.map((name, index) => html`<th scope="col" class=${tone(index)}>${name}</th>`)}</tr></thead><tbody>
    ${rows.map((row) => html`<tr>${row.map((cell, index) => html`<td class=${tone(index)}>${cell ?? ""}</td>`)}</tr>`)}
    </tbody></table></div>`;
}

function Verdict({ record }) {
  const [tone, words] = OUTCOMES[record.outcome]
    ?? [record.status === "FAILED" ? "problem" : "", `${record.status ?? ""}`];
  const same = record.outcome === "nothing new" ? record.run?.same_as?.execution : null;
  return html`<div class=${`verdict ${tone}`}><p><b>${words}</b>${same ? ` The same as ${lastPart(same)}.` : ""}</p>
    ${record.error && html`<p>
      ${record.failed_state ? `At “${labelled(record.failed_state, record.failed_item)}”: ` : ""}
      <b>${record.error}</b>${" "}
      ${message(record.cause, 400)}</p>`}</div>`;
}

// What an execution that was redriven tried, and what the record has no room for.
function Tries({ tries, gaps }) {
  const ended = ({ status, failed_state: state, failed_item: item, error, cause }) => (
    `${status.toLowerCase().replace("_", " ")}${state ? ` at “${labelled(state, item)}”` : ""}`
      + `${error ? `: ${error}` : ""}`
      + `${cause ? `, ${message(cause, 160)}` : ""}`
  );
  return html`${tries?.length > 1 && html`<ol class="tries" aria-label="Tries">${tries.map((one) => html`<li>
      <b>Try ${one.number}</b> ${ended(one)}</li>`)}</ol>`}
    ${gaps?.length > 0 && html`<p class="problem">This record has gaps: ${gaps.map((gap) =>
      `${gap.member} (${gap.error})`).join("; ")}.</p>`}`;
}

function CameIn({ record }) {
  const files = record.inputs ?? [];
  const total = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const began = startedBy(record);
  return html`${began && html`<p>${began}</p>`}
    ${files.length === 0 ? html`<${None}>No raw file was noted.<//>` : html`
    <p>${count(files.length)} raw files, ${bytes(total)}.</p>
    <${Grid} label="Raw files" columns=${["File", "Size", "Version", "SHA-256"]} numbers=${[1]}
      rows=${files.map((file) => [file.key, bytes(file.bytes), html`<span title=${file.version_id}>
        ${String(file.version_id ?? "").slice(0, 12)}</span>`, html`<${Hash} value=${file.sha256} />`])} />`}`;
}

function startedBy(record) {
  const { trigger } = record;
  if (!trigger) return "";
  if (trigger.kind === "manual") return "Started by a person or a program.";
  if (trigger.kind === "schedule")
    return `Started by the schedule ${String(trigger.schedule?.arn ?? "").split("/").at(-1)}.`;
  if (trigger.kind === "upload") return `Started by an upload${trigger.upload?.newest ? `: ${trigger.upload.newest}`
    : ""}.`;
  return `Started by: ${trigger.kind}.`;
}

function Done({ record }) {
  const checks = record.checks?.checks ?? [];
  const outputs = record.outputs ?? [];
  const work = (record.states ?? []).filter((visit) => visit.job || visit.attempts?.length > 1);
  const parameters = Object.entries(record.hyperparameters ?? {});
  return html`${checks.length > 0 && html`<details><summary>${checks.length} checks of the raw data held</summary>
      <p class="quiet">${checks.join(", ")}</p></details>`}
    ${outputs.length > 0
      ? html`<${Grid} label="Outputs" columns=${["Dataset", "Rows", "Size", "Files"]} numbers=${[1, 2, 3]}
      rows=${outputs.map((output) => [output.dataset, isSet(output.rows) ? count(output.rows) : "", bytes(output.bytes),
        output.objects?.length])} />` : html`<${None}>It wrote no dataset.<//>`}
    <${Profiles} profiles=${record.profiles} />
    ${work.length > 0 && html`<details><summary>${work.length} jobs</summary><${Grid} label="Jobs"
      columns=${["State", "Service", "Took", "Attempts", "What it says"]} numbers=${[2, 3]}
      rows=${work.map((visit) => [labelled(visit.state, visit.item), visit.job?.service, isSet(visit.seconds)
        ? duration(visit.seconds * 1000) : "", visit.attempts.length, figuresOf(visit)])} /></details>`}
    ${parameters.length > 0 && html`<details><summary>${parameters.length} hyperparameters</summary>
      <${Facts} rows=${parameters.map(([name, value]) => [name, String(value)])} /></details>`}`;
}

function figuresOf({ figures, attempts }) {
  if (!figures) return attempts.at(-1)?.error ?? "";
  return [isSet(figures.scanned_bytes) && `${bytes(figures.scanned_bytes)} scanned`,
    isSet(figures.recipe) && `recipe ${figures.recipe} ${figures.recipe_version}`,
    isSet(figures.dpu_seconds) && `${count(figures.dpu_seconds)} DPU seconds`, figures.instance_type,
    figures.look_up_error].filter(Boolean).join(", ");
}

// Profiles of the run's tables: the rules that hold, and what is not as in the run before.
function Profiles({ profiles }) {
  if (!profiles?.length) return "";
  const drift = profiles.flatMap((of) => of.drift.map((one) => [of.name, one.column, one.what, one.before, one.now]));
  const before = [...new Set(profiles.map((of) => of.compared_with).filter(Boolean))];
  return html`<${Grid} label="Profiles" columns=${["Profile", "Rows", "Columns", "Rows twice", "Rules that hold"]}
      numbers=${[1, 2, 3, 4]} rows=${profiles.map((of) => [html`<span title=${of.uri}>${of.name}</span>`,
        count(of.rows), of.columns, count(of.duplicate_rows ?? 0), of.rules.length])} />
    ${before.length > 0 && (drift.length === 0
      ? html`<p>No table has drifted since ${before.join(", ")}.</p>`
      : html`<p>What is not as in ${before.join(", ")}:</p><${Grid} label="Drift" numbers=${[3, 4]}
        columns=${["Table", "Column", "Figure", "Before", "Now"]} rows=${drift} />`)}`;
}

function Measured({ record, model }) {
  const own = record.gate?.challenger ?? record.metrics?.challenger;
  if (!own) return html`<${None}>No model was measured.<//>`;
  const live = record.gate?.champion ?? record.metrics?.champion;
  const number = (value) => (typeof value === "number" ? value.toFixed(4) : "");
  const names = Object.keys(SCORES).filter((name) => typeof own[name] === "number");
  return html`<p>On this run’s own holdout, which no model has seen:</p>
    <${Grid} label="Scores" columns=${["Score", "New model", live ? "Live model" : "Live model (none)"]}
      numbers=${[1, 2]}
      rows=${names.map((name) => [SCORES[name], number(own[name]), number(live?.[name])])} />${model}`;
}

function WentLive({ record }) {
  const { endpoint, model, smoke_test: smoke } = record;
  const published = record.outcome === "published";
  if (!endpoint && !model) return html`<${None}>Nothing: the run did not come to a model.<//>`;
  return html`<${Facts} rows=${[
    ["Model", model && html`<span class="mono">${model.uri}</span>`],
    ["Its SHA-256", model?.sha256 && html`<${Hash} value=${model.sha256} />`],
    ["Endpoint", endpoint?.name],
    ["Before", endpoint && (endpoint.before?.endpoint_config ?? "nothing was live")],
    ["After", endpoint && (endpoint.after?.endpoint_config ?? "nothing is live")],
    ["Smoke test", smoke && `${count(smoke.rows)} rows were sent; the largest difference from the probabilities `
      + `of training was ${smoke.largest_difference}.`],
  ]} />${!published && endpoint && html`<p class="quiet">This run changed nothing that is live.</p>`}`;
}

function Decided({ record }) {
  const { gate, execution = {}, code } = record;
  return html`${gate && html`<p><b>${gate.publish ? "The gate let it through." : "The gate kept it back."}</b>
      ${` ${gate.reason ?? ""}`}</p>`}
    <${Facts} rows=${[
      ["Started by", startedBy(record).replace(/^Started by:? /, "").replace(/\.$/, "")],
      ["State machine", lastPart(execution.state_machine)],
      ["Version", lastPart(execution.state_machine_version ?? "")],
      ["Alias", lastPart(execution.state_machine_alias ?? "")],
      ["Definition", execution.definition_sha256 && html`<${Hash} value=${execution.definition_sha256} />`],
      ["Code", code?.files && `${count(Object.keys(code.files).length)} files, each with its SHA-256`],
      ["Written", record.written_at],
      ["Quantities", Object.entries(QUANTITIES).filter(([name]) => record.cost_inputs?.[name])
        .map(([name, [words, unit]]) => `${unit(record.cost_inputs[name])} ${words}`).join(", ")],
    ]} />`;
}

export function Seal({ record, uri, sha256, findings, open }) {
  const { previous } = record;
  const links = (findings ?? []).filter((item) => item.kind === "previous audit record");
  const broken = links.filter((item) => item.ok !== true).length;
  return html`<ol class="chain" aria-label="Chain of records">
      <li><b>This record</b> <span class="mono">${String(uri ?? "").split("/").at(-1)}
        </span> <${Hash} value=${sha256} /></li>
      <li>${previous ? html`<span>holds the hash of</span> <span class="mono">${previous.key.split("/").at(-1)}</span>
        ${" "}
        <${Hash} value=${previous.sha256} />` : html`<span>is the first of its chain</span>`}</li>
      ${links.length > 0 && html`<li class=${broken ? "bad" : ""}>${broken
        ? `${broken} of ${links.length} records before it are not as they were.`
        : `${count(links.length)} ${links.length === 1 ? "record" : "records"} back to the first: unchanged.`}</li>`}
    </ol>
    ${findings && html`<${Findings} findings=${findings} open=${open} />`}`;
}

// How many hashes of each kind are the same; every one on request, those that differ at once.
function Findings({ findings, open }) {
  const kinds = [...new Set(findings.map((item) => item.kind))];
  const bad = findings.filter((item) => item.ok === false);
  const of = (kind, ok) => findings.filter((item) => item.kind === kind && item.ok === ok).length || "";
  const order = { false: 0, null: 1, true: 2 };
  const rows = [...findings].sort((a, b) => order[a.ok] - order[b.ok]);
  return html`<${Grid} label="Hashes by kind" columns=${["What", "Same", "Differ", "Not reached"]} numbers=${[1, 2, 3]}
      rows=${kinds.map((kind) => [kind, of(kind, true), of(kind, false), of(kind, null)])} />
    <details open=${open || bad.length > 0}><summary>Every hash</summary>
      <${Grid} label="Hashes" columns=${["Result", "Kind", "What", "SHA-256"]}
        rows=${rows.map((item) => [item.ok === null ? "not reached" : item.ok ? "same"
          : html`<b class="bad">DIFFERS</b>`,
          item.kind, html`<span class="mono">${item.what}</span>`, html`<span class="mono">${item.detail}</span>`])} />
    </details>`;
}
