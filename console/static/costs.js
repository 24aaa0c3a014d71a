// What an execution costs on AWS: an estimate, with everything it was made of.
import { html } from "./ui.js";
import { get } from "./api.js";
import { dollars } from "./format.js";
import { Problem, useAnswer } from "./parts.js";

export function Costs({ arn, version, live, local, onSelect }) {
  const [found, error] = useAnswer(() => get("costs", { arn }), [arn, version]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="quiet centred">Adding up…</p>`;
  const { lines, total, not_counted: untold, prices } = found;
  const services =
    [...Map.groupBy(lines, (line) => line.service)].map(([name, own]) => (
      { name, dollars: own.reduce((sum, line) => sum + line.dollars, 0) })).sort((a, b) => b.dollars - a.dollars);
  const most = Math.max(...services.map((service) => service.dollars), 1e-12);
  const states = lines.toSorted((a, b) => b.dollars - a.dollars);
  return html`<div class="costs">
    <p class="total"><b>${dollars(total)}</b> <span>${local ? "is what this would have cost on AWS" : "estimated"}
      ${live ? ", so far" : ""}</span></p>
    <p class="quiet">Estimate on AWS list prices of ${prices.region} of ${prices.date}, from the quantities
      in this execution’s history. ${prices.note}
      </p>
    <div class="columns">
      <div><h2>By service</h2><div class="table" tabindex="0" role="region" aria-label="Cost by service"><table>
        <thead><tr><th scope="col">Service</th><th scope="col">Cost</th><th scope="col">
          <span class="spoken">Share</span></th></tr></thead>
        <tbody>${services.map((service) => html`<tr><th scope="row">${service.name}</th><td class="number">
          ${dollars(service.dollars)}</td><td class="share">
            <i class="meter" style=${{ width: `${(service.dollars / most) * 90}%` }}></i></td></tr>`)}</tbody></table>
              </div>
        ${untold.length > 0 && html`<h2>Not counted</h2><ul>${untold.map((why) => html`<li>${why}</li>`)}</ul>`}
          <p class="quiet">Nor storage, requests to S3, logs, data transfer, and what functions start themselves.</p>
        <p class="quiet">Prices: ${prices.sources.map((url, index) => html`${index > 0 && ", "}
          <a href=${url} rel="noreferrer" target="_blank">
            ${url.replace("https://aws.amazon.com/", "").replace("/pricing/", "")}</a>`)}</p></div>
      <div><h2>By state</h2><div class="table" tabindex="0" role="region" aria-label="Cost by state"><table><thead>
        <tr><th scope="col">State</th><th scope="col">Service</th><th scope="col">Quantity</th>
          <th scope="col">Cost</th></tr></thead>
        <tbody>${states.map((line) => html`<tr><th scope="row">
          ${line.state ? html`<button class="plain" onClick=${() => onSelect(line.state)}>${line.state}</button>`
            : "all states"}</th><td>${line.service}</td><td>${line.quantity}
              ${line.times > 1 ? `${line.quantity ? " each, " : ""}${line.times} times` : ""}</td><td class="number">
                ${dollars(line.dollars)}</td></tr>`)}</tbody></table></div></div>
    </div></div>`;
}
