// What becomes of a recipe: published, saved beside the code, run over the whole dataset.
import { html, useEffect, useState } from "./ui.js";
import { get, post } from "./api.js";
import { date } from "./format.js";
import { exported } from "./recipe.js";
import { Problem, Status } from "./parts.js";

const POLL_MILLISECONDS = 700;

export function Finish({ project, steps, keep, disabled, onPublished }) {
  return html`<${Run} project=${project} disabled=${disabled} />
    <${Publish} project=${project} disabled=${disabled} onPublished=${onPublished} />
    ${keep && html`<${Keep} project=${project} steps=${steps} folder=${keep} disabled=${disabled} />`}`;
}

// Sends a form: [told, send(event)]; told is {good} or {error}.
function useSent(send) {
  const [told, setTold] = useState(null);
  return [told, async (event) => {
    event.preventDefault();
    try {
      setTold({ good: await send() });
    } catch (error) {
      setTold({ error });
    }
  }];
}

const Told = ({ told }) => html`<div aria-live="polite">${told?.good && html`<p class="good">${told.good}</p>`}
  <${Problem} error=${told?.error} /></div>`;

function Publish({ project, disabled, onPublished }) {
  const [description, setDescription] = useState("");
  const [told, send] = useSent(async () => {
    const { versions } = await post("publish", { recipe: project.recipe, description });
    onPublished(versions);
    setDescription("");
    return `Published as version ${versions[0].version}.`;
  });
  return html`<form onSubmit=${send}><h3>Publish</h3>
    <p class="quiet">A version never changes; jobs and workflows use one.</p>
    <label class="field">What is new <input value=${description} maxlength="1024"
      onInput=${(event) => setDescription(event.target.value)} /></label>
    <p class="bar"><button disabled=${disabled}>Publish ${project.recipe}</button></p><${Told} told=${told} />
    ${project.versions.length > 0 && html`<ul class="common">${project.versions.map((one) => html`<li>
      <span><b>${one.version}</b> ${one.description}</span>
      <span class="quiet number">${date(one.date)}</span></li>`)}</ul>`}
    </form>`;
}

function Keep({ project, steps, folder, disabled }) {
  const [name, setName] = useState(project.name.replaceAll(/[- ]/g, "_"));
  const [told, send] = useSent(async () => `Saved as ${(await post("keep", { name, text: exported(steps) })).path}.`);
  return html`<form onSubmit=${send}><h3>Save in ${folder}</h3>
    <p class="quiet">Beside the code, under version control.</p>
    <label class="field">File <input class="mono" value=${name}
      onInput=${(event) => setName(event.target.value)} /></label>
    <p class="bar"><button disabled=${disabled}>Save the recipe</button></p><${Told} told=${told} /></form>`;
}

function Run({ project, disabled }) {
  const [uri, setUri] = useState("");
  const [format, setFormat] = useState("CSV");
  const [run, setRun] = useState(null);
  const [state, setState] = useState(null);
  const [told, send] = useSent(async () => {
    setState(null);
    setRun(await post("clean", { project: project.name, role: project.role, uri, format }));
  });
  useEffect(() => {
    if (!run || state?.over) return undefined;
    const failed = (error) => setState({ over: true, state: "FAILED", problem: error.message, where: [] });
    const timer = setTimeout(() => get("cleaning", run).then(setState, failed), POLL_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [run, state]);
  const running = run && !state?.over;
  return html`<form onSubmit=${send}><h3>Clean the whole dataset</h3>
    <p class="quiet">The sample is some rows; a job runs the steps over all of ${project.dataset}.</p>
    <label class="field">Into <input class="mono" placeholder="s3://bucket/folder/" value=${uri} required
      onInput=${(event) => setUri(event.target.value)} /></label>
    <label class="field">As <select value=${format} onChange=${(event) => setFormat(event.target.value)}>
      ${["CSV", "PARQUET", "JSON", "ORC", "AVRO", "XML"].map((each) => html`<option>${each}</option>`)}</select></label>
    <p class="bar"><button disabled=${disabled || running || !uri.trim()}>Run</button>
      ${run && html`<${Status} status=${state?.state ?? "STARTING"} />`}</p>
    <${Told} told=${told} />
    ${state?.state === "SUCCEEDED" && html`<p class="good">It lies in ${state.where.join(", ")}.</p>`}
    ${state?.problem && html`<p class="problem" role="alert">${state.problem}</p>`}</form>`;
}
