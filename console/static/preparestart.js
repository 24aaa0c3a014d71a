// Where preparing begins: a project of before, or a new one over a dataset, a table or a file.
import { html, useState } from "./ui.js";
import { get, post } from "./api.js";
import { date } from "./format.js";
import { Problem, useAnswer } from "./parts.js";
import { TableChoice } from "./tables.js";

const LOCAL_ROLE = "arn:aws:iam::000000000000:role/databrew";
const SIZES = [500, 1000, 2500, 5000];
const KINDS = [["file", "A file"], ["table", "A table"], ["dataset", "A dataset"]];

export const projectPath = (name) => `#/prepare/${encodeURIComponent(name)}`;

export function Start({ connection }) {
  const [known, error] = useAnswer(() => get("preparing"), []);
  return html`<section class="prepare prepare-start" aria-label="Prepare">
    <header class="title"><div><h1>Prepare data</h1><p class="quiet">Clean a file or table step by step, and see
      what each step does on a sample. The steps are a recipe of Glue DataBrew: it then runs over all the data, here and
      on AWS.</p></div>
      </header>
    <${Problem} error=${error} />
    ${known && html`<div class="columns">
      <${New} known=${known} connection=${connection} />
      <div><h2>Go on with</h2>
        ${known.projects.length === 0 && html`<p class="quiet">No project yet.</p>`}
        <ul class="plain-list">${known.projects.map((one) => html`<li key=${one.name} class="card"><h3>
          <a href=${projectPath(one.name)}>${one.name}</a></h3><p class="quiet">${one.dataset} · recipe ${one.recipe} ·
          ${date(one.changed)}</p></li>`)}</ul></div></div>`}</section>`;
}

const nameFrom = (text) => text.replace(/\/+$/, "").split("/").at(-1).replace(/\.(gz|\w{2,7})$/gi, "")
  .replace(/[^A-Za-z0-9. -]+/g, "-");

function New({ known, connection }) {
  const [kind, setKind] = useState("file");
  const [uri, setUri] = useState("");
  const [table, setTable] = useState({ database: "", table: "" });
  const [dataset, setDataset] = useState(known.datasets[0] ?? "");
  const [role, setRole] = useState(known.roles[0] ?? (connection?.local ? LOCAL_ROLE : ""));
  const [size, setSize] = useState(500);
  const [random, setRandom] = useState(false);
  const [name, setName] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const source = { file: { uri: uri.trim() }, table, dataset: { dataset } }[kind];
  const chosen = { file: uri.trim(), table: table.table, dataset }[kind];
  const called = name ?? nameFrom(chosen);
  const begin = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post("prepare", { name: called, source, role, size, sample: random ? "RANDOM" : "FIRST_N" });
      location.hash = projectPath(called);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<form class="card" onSubmit=${begin}><h2>Begin with</h2>
    <div class="choices" role="group" aria-label="Kind of data">${KINDS.map(([key, said]) => html`<button type="button"
      aria-pressed=${kind === key} onClick=${() => setKind(key)}>${said}</button>`)}</div>
    ${kind === "file" && html`<${File} uri=${uri} set=${setUri} />`}
    ${kind === "table" && html`<${TableChoice} value=${table} set=${setTable} />`}
    ${kind === "dataset" && html`<label class="field">Dataset <select value=${dataset}
      onChange=${(event) => setDataset(event.target.value)}>
      ${known.datasets.map((one) => html`<option>${one}</option>`)}</select></label>`}
    <div class="two"><label class="field">Sample <select value=${size}
        onChange=${(event) => setSize(Number(event.target.value))}>
        ${SIZES.map((one) => html`<option value=${one}>${one} rows</option>`)}</select></label>
      <label class="field">Which rows <select value=${random ? "random" : "first"}
        onChange=${(event) => setRandom(event.target.value === "random")}><option value="first">the first ones</option>
        <option value="random">random ones</option></select></label></div>
    <label class="field">Name of the project <input value=${called} required maxlength="240" pattern="[A-Za-z0-9. \\-]+"
      title="Letters, digits, hyphens, periods and blanks" onInput=${(event) => setName(event.target.value)} /></label>
    <label class="field">Role that DataBrew reads with <input class="mono" list="prepare-roles" value=${role} required
      onInput=${(event) => setRole(event.target.value)} /></label>
    <datalist id="prepare-roles">${known.roles.map((one) => html`<option value=${one} />`)}</datalist>
    <${Problem} error=${error} />
    <p class="bar"><button class="primary" disabled=${busy || !chosen || !role || connection?.read_only}>
      ${busy ? "Taking the sample…" : "Begin"}</button>
      ${connection?.read_only ? html`<span class="quiet">This console is read-only.</span>`
        : !connection?.local && html`<span class="quiet">AWS bills a session by the half hour.</span>`}</p></form>`;
}

// A file by its address; those where the catalog's crawlers look are offered.
function File({ uri, set }) {
  const [places] = useAnswer(() => get("places"), []);
  const keys = (places ?? []).flatMap((place) => place.keys.map((key) => `s3://${place.bucket}/${key}`));
  return html`<label class="field">File or folder in S3 <input class="mono" list="prepare-files" value=${uri} required
      placeholder="s3://bucket/folder/file.csv" onInput=${(event) => set(event.target.value)} /></label>
    <datalist id="prepare-files">${keys.map((one) => html`<option value=${one} />`)}</datalist>
    <p class="field-note">CSV, JSON, Excel, Parquet or ORC; the delimiter of a CSV is seen in its first line. A
      file of this machine comes to S3 by <a href="#/lake">Lake, Upload</a>.</p>`;
}
