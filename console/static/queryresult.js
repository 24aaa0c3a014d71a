// What came of a statement: its figures, its rows, its plan, or why it failed.
import { html, useState } from "./ui.js";
import { get, post } from "./api.js";
import { bytes, count, dollars, duration } from "./format.js";
import { Problem, Status, usePages } from "./parts.js";
import { Table } from "./table.js";

export function Result({ query, connection }) {
  const figures = [
    query.scanned_bytes !== null && `${bytes(query.scanned_bytes)} scanned`,
    query.total_ms !== null && `${duration(query.total_ms)}${query.queued_ms > 500
      ? `, ${duration(query.queued_ms)} of it queued` : ""}`,
    query.dollars !== null && `${dollars(query.dollars)} on AWS`,
    query.reused && "an earlier result again", `work group ${query.group}`,
  ].filter(Boolean);
  const error = query.error;
  return html`<p class="bar" aria-live="polite"><${Status} status=${query.state} />
      <span class="quiet">${figures.join(" · ")}</span><span class="quiet mono">${query.id}</span></p>
    ${query.state === "FAILED" && html`<p class="problem" role="alert">${query.reason ?? "Athena gave no reason."}
      ${error && html`<br /><span>${[`${{ 1: "Athena's fault", 2: "the query's fault", 3: "another fault" }[
        error.ErrorCategory] ?? `category ${error.ErrorCategory}`}`, error.ErrorType && `type ${error.ErrorType}`,
        error.Retryable && "worth another try"].filter(Boolean).join(" · ")}</span>`}</p>`}
    ${query.state === "SUCCEEDED" && html`<${Found} query=${query} />`}
    ${query.over && query.can_explain && html`<${Plan} query=${query} connection=${connection} />`}`;
}

function Found({ query }) {
  const { pages, next, more, busy, error } = usePages((after) => get("rows", { id: query.id, next: after }));
  const rows = pages.flatMap((page) => page.rows);
  const columns = pages[0]?.columns ?? [];
  return html`<${Problem} error=${error} />
    ${pages.length > 0 && html`<p class="bar"><span>${count(rows.length)}${next ? "+" : ""} ${rows.length === 1 ? "row"
      : "rows"}</span>
      <a class="button" href=${`/api/result?id=${encodeURIComponent(query.id)}`} download>
        ${query.kind === "DML" ? "CSV" : "File"}</a></p>`}
    ${columns.length > 0 && html`<${Table} label="Rows" columns=${columns.map((column) => column.name)} rows=${rows}
      types=${columns.map((column) => column.type)} />`}
    ${next && html`<p><button disabled=${busy} onClick=${more}>More rows</button></p>`}`;
}

function Plan({ query, connection }) {
  const [plan, setPlan] = useState(null);
  const [error, setError] = useState(null);
  const ask = () => {
    setPlan("asked");
    post("plan", { query: query.id }).then(setPlan, (problem) => (setPlan(null), setError(problem)));
  };
  return html`<p class="bar"><button disabled=${plan === "asked" || connection?.read_only} onClick=${ask}>
      ${plan === "asked" ? "Asking…" : "Explain"}</button>
      <span class="quiet">EXPLAIN reads no data and costs nothing.</span></p>
    <${Problem} error=${error} />
    ${plan?.text && html`<pre class="plan" tabindex="0" aria-label="Plan">${plan.text}</pre>`}`;
}
