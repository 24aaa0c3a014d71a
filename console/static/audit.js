// The audit record of an execution, and whether its hashes still hold.
import { html, useState } from "./ui.js";
import { get } from "./api.js";
import { bytes } from "./format.js";
import { Json } from "./json.js";
import { Problem, useAnswer } from "./parts.js";

export function Audit({ arn, live, version }) {
  const [found, error] = useAnswer(() => get("audit", { arn }), [arn, version]);
  const [findings, setFindings] = useState(null);
  const [problem, setProblem] = useState(null);
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="quiet centred">Reading…</p>`;
  if (!found.found) return html`<p class="quiet centred">
    ${live ? "The record is written at the end." : "No state of this execution wrote an audit record."}</p>`;
  const { record } = found;
  const verify = async () => {
    setFindings("busy");
    setProblem(null);
    try {
      setFindings((await get("audit", { arn, verify: 1 })).findings);
    } catch (failed) {
      setProblem(failed);
      setFindings(null);
    }
  };
  const done = Array.isArray(findings) ? findings : [];
  const bad = done.filter((item) => item.ok === false).length;
  const missing = done.filter((item) => item.ok === null).length;
  const rows =
    (record.outputs ?? []).map((output) => [output.dataset, output.rows, bytes(output.bytes), output.objects?.length]);
  return html`<div class="audit">
    <div class="bar"><button class="primary" disabled=${findings === "busy"} onClick=${verify}>
      ${findings === "busy" ? "Recomputing…" : "Verify every hash"}</button>
      <span class="quiet mono">${found.uri}</span></div>
    <${Problem} error=${problem} />
    ${done.length > 0 && html`<p role="status" class=${bad ? "problem" : missing ? "quiet" : "good"}>
      ${bad ? `${bad} of ${done.length} hashes differ.`
        : `${done.length - missing} of ${done.length} hashes are the same.`}
          ${missing > 0 && ` ${missing} could not be reached.`}</p>
      <div class="table" tabindex="0" role="region" aria-label="Hashes"><table><thead><tr><th scope="col">Result</th>
        <th scope="col">What</th><th scope="col">SHA-256</th></tr></thead><tbody>
        ${done.map((item) => html`<tr class=${item.ok === false ? "bad" : ""}><td>
          ${item.ok === null ? "not reached" : item.ok ? "same" : "DIFFERS"}</td><td>${item.what}</td>
            <td class="mono">${item.detail}</td></tr>`)}</tbody></table></div>`}
    <div class="columns"><div><h2>Figures</h2>
      <${Json}
        value=${{ status: record.status, error: record.error, failed_state: record.failed_state,
          trigger: record.trigger, gate: record.gate, metrics: record.metrics, smoke_test: record.smoke_test,
            cost_inputs: record.cost_inputs }} /></div>
      <div>${rows.length > 0 && html`<h2>Outputs</h2>
        <div class="table" tabindex="0" role="region" aria-label="Outputs"><table><thead><tr>
          ${["Dataset", "Rows", "Size", "Objects"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
            <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell ?? ""}</td>`)}</tr>`)}</tbody>
              </table></div>`}
        <h2>Whole record</h2><${Json} value=${record} /></div></div>
  </div>`;
}
