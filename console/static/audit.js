// The audit record of an execution as a document, whether its hashes hold, and the record itself.
import { html, useState } from "./ui.js";
import { get } from "./api.js";
import { Json } from "./json.js";
import { Problem, useAnswer } from "./parts.js";
import { RecordDocument } from "./record.js";

const NONE = "No audit record of this execution was found: no state answered with one, and the state machine has " +
  "no tag audit-records that says where they are.";

export function Audit({ arn, live, version }) {
  const [found, error] = useAnswer(() => get("audit", { arn }), [arn, version]);
  const [findings, setFindings] = useState(null);
  const [problem, setProblem] = useState(null);
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="quiet centred">Reading…</p>`;
  if (!found.found) return html`<p class="quiet centred">${live ? "The record is written at the end." : NONE}</p>`;
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
  const done = Array.isArray(findings) ? findings : null;
  return html`<div class="audit">
    <div class="bar"><button class="primary" disabled=${findings === "busy"} onClick=${verify}>
      ${findings === "busy" ? "Recomputing…" : "Verify every hash"}</button>
      <span class="quiet mono">${found.uri}</span></div>
    <${Problem} error=${problem} />
    ${done && html`<p role="status" class=${toneOf(done)}>${summaryOf(done)}</p>`}
    <${RecordDocument} record=${found.record} uri=${found.uri} sha256=${found.sha256} findings=${done} />
    <details class="raw"><summary>The record as JSON</summary><${Json} value=${found.record} /></details>
  </div>`;
}

const howMany = (findings, ok) => findings.filter((item) => item.ok === ok).length;

const toneOf = (findings) => (howMany(findings, false) ? "problem" : howMany(findings, null) ? "quiet" : "good");

function summaryOf(findings) {
  const [bad, missing] = [howMany(findings, false), howMany(findings, null)];
  const first = bad ? `${bad} of ${findings.length} hashes differ.`
    : `${findings.length - missing} of ${findings.length} hashes are the same.`;
  return `${first}${missing ? ` ${missing} could not be reached.` : ""}`;
}
