// Files from this machine to where the catalog's crawlers look.
import { html, useEffect, useRef, useState } from "./ui.js";
import { get } from "./api.js";
import { bytes, clock } from "./format.js";
import { Problem, Status, useAnswer } from "./parts.js";

const LOOK_FOR_MINUTES = 5;

// Where a file goes: over the one object that has its name, else below the prefix with its folders.
export function keyFor(path, prefix, keys) {
  const name = path.split("/").at(-1);
  const same = keys.filter((key) => key.split("/").at(-1) === name);
  const folders = path.includes("/") && keys.some((key) => key.startsWith(`${prefix}${path.split("/")[0]}/`));
  return same.length === 1 && !folders ? same[0] : `${prefix}${path}`;
}

async function filesIn(entry) {
  if (entry.isFile) return [
    [entry.fullPath.replace(/^\//, ""), await new Promise((resolve, reject) => entry.file(resolve, reject))]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found;
    for (const inner of entries) found.push(...(await filesIn(inner)));
  }
}

export function Upload({ connection }) {
  const [places, error] = useAnswer(() => get("places"), []);
  const [at, setAt] = useState(0);
  const [prefix, setPrefix] = useState(null);
  const [files, setFiles] = useState([]); // {path, file, key, sent, state, error}
  const [over, setOver] = useState(false);
  const [begun, setBegun] = useState(null);
  if (error) return html`<h2>Upload</h2><${Problem} error=${error} />`;
  if (!places) return null;
  if (!places.length) return html`<h2>Upload</h2>
    <p class="quiet">No crawler of this account reads a place in S3, so nothing says where new files belong.</p>`;
  const place = places[at];
  const below = prefix ?? place.prefix;
  const take = (found) => {
    setBegun(null);
    setFiles((old) =>
      [...old.filter((item) => item.state !== "done"), ...found.filter(([path]) => !path.split("/").at(-1)
        .startsWith("."))
          .map(([path, file]) => ({ path, file, key: keyFor(path, below, place.keys), sent: 0, state: "ready" }))]);
  };
  const change = (index, changes) =>
    setFiles((old) => old.map((item, number) => (number === index ? { ...item, ...changes } : item)));
  const dropped = async (event) => {
    event.preventDefault();
    setOver(false);
    // Entries know folders; they are read now, since the event forgets them.
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file")
      .map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
    take((await Promise.all(items.map(([entry, file]) => (entry ? filesIn(entry) : [[file.name, file]])))).flat());
  };
  const reprefix = (value) => {
    setPrefix(value);
    setFiles((old) => old.map((item) => (item.state === "ready" ? { ...item, key: `${value}${item.path}` } : item)));
  };
  const send = async () => {
    setBegun(Date.now());
    for (const [index, item] of files.entries()) {
      if (item.state === "done") continue;
      change(index, { state: "sending", sent: 0, error: null });
      try {
        await put(place.bucket, item.key, item.file, (sent) => change(index, { sent }));
        change(index, { state: "done", sent: item.file.size });
      } catch (problem) {
        change(index, { state: "failed", error: problem.message });
      }
    }
  };
  const busy = files.some((item) => item.state === "sending");
  const waiting = files.filter((item) => item.state !== "done");
  const total = waiting.reduce((sum, item) => sum + item.file.size, 0);
  return html`<h2>Upload</h2>
    ${connection?.read_only ? html`<p class="quiet">This console is read-only.</p>` : html`
    <div class=${over ? "drop over" : "drop"} onDragOver=${(event) => (event.preventDefault(), setOver(true))}
      onDragLeave=${() => setOver(false)} onDrop=${dropped}>
      <p><b>Drop files or folders here</b>, or choose</p>
      <p><label class="button">Files<input type="file" multiple class="spoken" aria-label="Files to upload"
        onChange=${(event) => (
          take([...event.target.files].map((file) => [file.name, file])), (event.target.value = ""))} /></label>
      <label class="button">A folder<input type="file" webkitdirectory class="spoken" aria-label="Folder to upload"
        onChange=${(event) => (
          take([...event.target.files].map((file) => [file.webkitRelativePath, file])), (event.target.value = ""))} />
            </label></p>
      <p class="quiet">Up to 50 GB a file; it passes through this console’s server in parts.</p>
    </div>
    <div class="two">
      <label class="field">To <select value=${at}
        onChange=${(event) => (setAt(Number(event.target.value)), setPrefix(null))}>
          ${places.map((item, index) =>
            html`<option value=${index}>s3://${item.bucket}/${item.prefix} (crawler ${item.crawler})</option>`)}
              </select></label>
      <label class="field">Below <input class="mono" value=${below}
        onInput=${(event) => reprefix(event.target.value)} /></label></div>
    ${place.problem && html`<p class="problem">${place.problem}</p>`}
    ${files.length > 0 && html`<div class="table" tabindex="0" role="region" aria-label="Files"><table class="files">
      <thead><tr><th scope="col">File</th><th scope="col">Size</th><th scope="col">Key in ${place.bucket}</th>
        <th scope="col">State</th></tr></thead>
      <tbody>${files.map((item, index) => html`<tr><td>${item.path}</td><td class="number">${bytes(item.file.size)}</td>
        <td><input class="mono" aria-label=${`Key of ${item.path}`} value=${item.key}
          disabled=${item.state === "sending" || item.state === "done"}
            onInput=${(event) => change(index, { key: event.target.value })} /> ${place.keys.includes(item.key)
              && item.state !== "done" && html`<i class="badge retry">replaces</i>`}</td>
        <td>${item.state === "sending"
          ? html`<progress aria-label=${`Progress of ${item.path}`} max=${item.file.size || 1} value=${item.sent}>
            </progress>` : item.state === "failed" ? html`<span class="bad">${item.error}</span>`
              : item.state === "done" ? "uploaded"
                : html`<button class="small"
                onClick=${() => setFiles((old) => old.filter((_, number) => number !== index))}
                aria-label=${`Leave out ${item.path}`}>×</button>`}</td></tr>`)}</tbody></table></div>
      <div class="bar">${waiting.length > 0 && html`<button class="primary" disabled=${busy} onClick=${send}>
        ${busy ? "Uploading…"
          : `Upload ${waiting.length} ${waiting.length === 1 ? "file" : "files"}, ${bytes(total)}`}</button>`}
            ${!busy && html`<button onClick=${() => (setFiles([]), setBegun(null))}>Clear</button>`}</div>`}
    ${begun && !busy && files.some((item) => item.state === "done") && html`<${Started} since=${begun} />`}`}`;
}

function put(bucket, key, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    request.open("PUT", `/api/upload?${new URLSearchParams({ bucket, key })}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status === 200) return resolve();
      try {
        reject(new Error(JSON.parse(request.responseText).error.message));
      } catch {
        reject(new Error(`HTTP ${request.status}`));
      }
    };
    request.onerror = () => reject(new Error("The console’s server is gone."));
    request.send(file);
  });
}

// Whether the upload started something: executions of any state machine that began after it.
function Started({ since }) {
  const [found, setFound] = useState([]);
  const [given, setGiven] = useState(false);
  const first = useRef(Date.now());
  useEffect(() => {
    let current = true;
    const look = async () => {
      try {
        const machines = (await get("machines")).filter((machine) => machine.type !== "EXPRESS").slice(0, 20);
        const pages =
          await Promise.all(machines.map((machine) => get("executions", { machine: machine.stateMachineArn })));
        if (current) setFound(pages.flatMap((page) => page.executions.filter((item) => item.startDate >= since)));
      } catch {
        // The next look may do better.
      }
      if (!current) return;
      if (Date.now() - first.current > LOOK_FOR_MINUTES * 60000) setGiven(true);
      else timer = setTimeout(look, 3000);
    };
    let timer = setTimeout(look, 500);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [since]);
  return html`<div role="status" class="started">
    ${found.length ? html`<p>Started since the upload:</p><ul class="plain-list">
      ${found.map((item) => html`<li key=${item.executionArn}>
        <${Status} status=${item.status} /> <a href=${`#/execution/${encodeURIComponent(item.executionArn)}`}>
          ${item.name}</a> <span class="quiet">${clock(item.startDate)}</span></li>`)}</ul>`
    : given ? html`<p class="quiet">Nothing has started in ${LOOK_FOR_MINUTES} minutes.</p>`
      : html`<p
        class="quiet">Looking whether this starts an execution… A trigger may wait until no more files come.</p>`}
          </div>`;
}
