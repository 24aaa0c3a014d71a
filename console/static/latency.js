// How an endpoint answered lately.
import { html } from "./ui.js";
import { count } from "./format.js";
import { LineChart, domainOf } from "./charts.js";

const sum = (points) => points.reduce((total, point) => total + point[1], 0);

export function Latency({ section }) {
  const { series } = section;
  const now = Date.now();
  const minutes = (points, scale) => points.map(([at, value]) => [(at - now) / 60000, value * scale]);
  const shown = [["model", "in the model"], ["overhead", "around it"]].filter(([key]) => series[key]?.length)
    .map(([key, name]) => ({ name, points: minutes(series[key], 0.001) }));
  const first = Math.min(-10, ...shown.flatMap((item) => item.points.map((point) => point[0])));
  const most = domainOf([0, ...shown.flatMap((item) => item.points.map((point) => point[1]))])[1];
  const total = (key) => count(sum(series[key] ?? []));
  return html`<p>
    ${total("invocations")} invocations of ${section.variant}, ${total("errors_4xx")} refused (4xx),${" "}
    ${total("errors_5xx")} failed (5xx).</p>
    ${shown.length > 0 && html`<${LineChart} title="Latency" text="Mean latency of each minute, in milliseconds."
      xLabel="minutes from now" yLabel="ms, mean of a minute" series=${shown} xDomain=${[first, 0]}
        yDomain=${[0, most]} dots />`}`;
}
