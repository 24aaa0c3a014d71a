// A Glue job without writing code: a table, a target and a mapping of columns become a script, a job and its run.
import { html, useEffect, useState } from "./ui.js";
import { get, post } from "./api.js";
import { Copy } from "./json.js";
import { Problem, Status, useAnswer } from "./parts.js";
import { TableChoice } from "./tables.js";

const POLL_MILLISECONDS = 1000;
const LOCAL_ROLE = "arn:aws:iam::000000000000:role/glue";
const FORMATS = [["parquet", "Parquet"], ["csv", "CSV"], ["json", "JSON lines"], ["orc", "ORC"], ["avro", "Avro"]];
const TYPES = ["string", "int", "long", "short", "byte", "float", "double", "decimal(18,2)", "boolean", "date",
  "timestamp", "binary"];
const NONE = { database: "", table: "", where: "" };

export function Glue({ connection }) {
  const [source, setSource] = useState(NONE);
  const [target, setTarget] = useState({ ...NONE, kind: "files", uri: "", format: "parquet" });
  const [columns, setColumns] = useState([]);
  const [script, setScript] = useState(null);
  const [error, setError] = useState(null);
  const into = target.kind === "table" && target.table ? target : null;
  useEffect(() => {
    setColumns([]);
    if (!source.table || (target.kind === "table" && !into)) return undefined;
    let current = true;
    get("mapping", { ...source, where: null, into_database: into?.database, into_table: into?.table })
      .then((found) => current && (setColumns(found.map((each) => ({ ...each, taken: true }))), setError(null)),
        (problem) => current && setError(problem));
    return () => {
      current = false;
    };
  }, [source.database, source.table, target.kind, into?.database, into?.table]);
  useEffect(() => setScript(null), [source, target, columns]);
  const taken = columns.filter((column) => column.taken);
  const write = async (event) => {
    event.preventDefault();
    try {
      const mapping = taken.map(({ taken: _, ...column }) => column);
      const place = into ? { database: into.database, table: into.table } : { uri: target.uri, format: target.format };
      setScript((await post("script", { source, target: place, mapping })).script);
      setError(null);
    } catch (problem) {
      setError(problem);
    }
  };
  const place = into ? into.table : target.uri.trim();
  return html`<section class="glue" aria-label="Glue"><header class="title"><div><h1>Glue</h1><p class="quiet">A table
      of the catalog, a target and which column becomes which: Glue writes the PySpark script, and a job runs it.
      </p></div></header>
    <div class="columns"><form onSubmit=${write}>
      <div class="card"><h2>From</h2><${TableChoice} value=${source} set=${setSource} /></div>
      <div class="card"><h2>To</h2><${Target} target=${target} set=${setTarget} /></div>
      ${columns.length > 0 && html`<div class="card"><h2>Columns</h2>
        <${Mapping} columns=${columns} set=${setColumns} named=${Boolean(into)} /></div>`}
      <${Problem} error=${error} />
      <p class="bar"><button class="primary" disabled=${!taken.length || !place}>Write the script</button></p></form>
      ${script && html`<div><div class="section-head"><h2>Script</h2><${Copy} text=${script} /></div>
        <pre class="code" tabindex="0" aria-label="Script">${script}</pre>
        <${Job} key=${script} script=${script} source=${source} target=${target} connection=${connection} /></div>`}
    </div></section>`;
}

function Target({ target, set }) {
  const change = (members) => set({ ...target, ...members });
  return html`<div class="choices" role="group" aria-label="Kind of target">
      ${[["files", "Files in S3"], ["table", "A table"]].map(([kind, said]) => html`<button type="button"
        aria-pressed=${target.kind === kind} onClick=${() => change({ kind })}>${said}</button>`)}</div>
    ${target.kind === "table"
      ? html`<${TableChoice} value=${target} set=${change} of=" of the target" />
        <p class="field-note">Rows are added to the table, in its columns and types.</p>`
      : html`<div class="two"><label class="field">Folder <input class="mono" value=${target.uri} required
          placeholder="s3://bucket/folder/" onInput=${(event) => change({ uri: event.target.value })} /></label>
        <label class="field">Format <select value=${target.format}
          onChange=${(event) => change({ format: event.target.value })}>
          ${FORMATS.map(([value, said]) => html`<option value=${value}>${said}</option>`)}</select></label></div>
        <p class="field-note">Each run adds files; what lies there stays.</p>`}`;
}

function Mapping({ columns, set, named }) {
  const change = (at, members) => set(columns.map((old, index) => (index === at ? { ...old, ...members } : old)));
  return html`<div class="table" tabindex="0" role="region" aria-label="Mapping"><table><thead><tr>
    <th scope="col">Take</th><th scope="col">Column</th><th scope="col">Type</th><th scope="col">Becomes</th>
      <th scope="col">As</th></tr></thead><tbody>${columns.map((column, at) => html`<tr key=${column.source}>
      <td><input type="checkbox" checked=${column.taken} aria-label=${`Take ${column.source}`}
        onChange=${(event) => change(at, { taken: event.target.checked })} /></td>
      <th scope="row">${column.source}</th><td>${column.type}</td>
      <td>${named ? column.target : html`<input value=${column.target} required disabled=${!column.taken}
        aria-label=${`New name of ${column.source}`}
        onInput=${(event) => change(at, { target: event.target.value })} />`}</td>
      <td><select value=${column.target_type} disabled=${!column.taken} aria-label=${`New type of ${column.source}`}
        onChange=${(event) => change(at, { target_type: event.target.value })}>
        ${[...new Set([column.target_type, column.type, ...TYPES])].map((type) => html`<option>${type}</option>`)}
          </select></td></tr>`)}</tbody></table></div>`;
}

// Scripts lie beside the data: in the bucket of the target, else of the source.
const scriptFor = (name, ...places) => {
  const bucket = places.map((place) => /^s3:\/\/([^/]+)/.exec(place)?.[1]).find(Boolean);
  return bucket ? `s3://${bucket}/scripts/${name}.py` : "";
};

function Job({ script, source, target, connection }) {
  const [known, error] = useAnswer(() => get("jobs"), []);
  const [name, setName] = useState(`${source.table}-job`);
  const [uri, setUri] = useState(null);
  const [role, setRole] = useState(null);
  const [run, setRun] = useState(null);
  const [state, setState] = useState(null);
  const [told, setTold] = useState(null);
  const place = uri ?? scriptFor(name, target.kind === "files" ? target.uri : target.where, source.where);
  const as = role ?? known?.roles[0] ?? (connection?.local ? LOCAL_ROLE : "");
  const send = async (event) => {
    event.preventDefault();
    const runs = event.submitter?.value === "run";
    setTold(null);
    setState(null);
    try {
      await post("job", { name, role: as, uri: place, script });
      if (runs) setRun(await post("runjob", { name }));
      setTold({ good: `${name} is saved.` });
    } catch (problem) {
      setTold({ error: problem });
    }
  };
  useEffect(() => {
    if (!run || state?.over) return undefined;
    const failed = (problem) => setState({ over: true, state: "FAILED", problem: problem.message });
    const timer = setTimeout(() => get("jobrun", run).then(setState, failed), POLL_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [run, state]);
  const running = run && !state?.over;
  return html`<form class="card" onSubmit=${send}><h2>Job</h2><${Problem} error=${error} />
    <div class="two"><label class="field">Name of the job <input value=${name} required maxlength="255"
        onInput=${(event) => setName(event.target.value)} /></label>
      <label class="field">Script in S3 <input class="mono" value=${place} required
        onInput=${(event) => setUri(event.target.value)} /></label></div>
    <label class="field">Role that the job runs as <input class="mono" list="glue-roles" value=${as} required
      onInput=${(event) => setRole(event.target.value)} /></label>
    <datalist id="glue-roles">${(known?.roles ?? []).map((one) => html`<option value=${one} />`)}</datalist>
    <p class="bar"><button value="save" disabled=${running || connection?.read_only}>Save</button>
      <button class="primary" value="run" disabled=${running || connection?.read_only}>Save and run</button>
      ${run && html`<${Status} status=${state?.state ?? "STARTING"} />`}
      ${connection?.read_only ? html`<span class="quiet">This console is read-only.</span>`
        : !connection?.local && html`<span class="quiet">Two workers G.1X; AWS bills at least a minute.</span>`}</p>
    <div aria-live="polite">${told?.good && html`<p class="good">${told.good}</p>`}<${Problem} error=${told?.error} />
      ${state?.state === "SUCCEEDED" && html`<p class="good">The run has succeeded, in ${state.seconds} s.</p>`}
      ${state?.problem && html`<p class="problem" role="alert">${state.problem}</p>`}</div></form>`;
}
