// What a training job says of its model, beside the model that was live.
import { html } from "./ui.js";
import { BarChart, LineChart, domainOf, short } from "./charts.js";

const FIGURES = { auc: "AUC", average_precision: "Average precision", mean_f1: "Mean F1",
  mean_f1_of_baskets: "Mean F1 of baskets",
  logloss: "Log loss",
  threshold: "Threshold" };
const CALIBRATION =
  "Share that happened against the mean predicted probability, in groups of equal size; on the diagonal, " +
  "predictions are right on average.";
const LOWER_IS_BETTER = new Set(["logloss"]);

export function Model({ section }) {
  const [own, live] = section.models;
  const of = (key) => section.models.filter((model) => model[key].length)
    .map((model) => ({ name: model.role, points: model[key] }));
  const calibration = section.models.filter((model) => model.calibration.length)
    .map((model) => (
      { name: model.role, points: model.calibration.map((group) => [group.mean_predicted, group.observed]) }));
  const threshold = own.figures.threshold;
  const points = (x, y) =>
    section.models.flatMap((model, index) => (model.point[x] !== undefined && model.point[y] !== undefined
      ? [{ x: model.point[x], y: model.point[y], of: index, text: index ? ""
        : `threshold ${short(model.figures.threshold ?? NaN)}` }] : []));
  const roc = of("roc");
  const precision = of("precision_recall");
  const auc = (model) => (model?.figures.auc === undefined ? "" : `, AUC ${short(model.figures.auc)}`);
  return html`<div class="model">
    <${Figures} own=${own} live=${live} />
    <div class="charts">
      ${roc.length > 0
        && html`<${LineChart} title="ROC curve"
          text=${`True against false positive rate${auc(own)}${live ? `; the live model${auc(live)}` : ""}.`}
            xLabel="false positive rate" yLabel="true positive rate" series=${roc}
              marks=${points("false_positive_rate", "true_positive_rate")} diagonal />`}
      ${precision.length > 0
        && html`<${LineChart} title="Precision and recall"
          text=${`Precision against recall${own.figures.average_precision === undefined ? ""
            : `, average precision ${short(own.figures.average_precision)}`}.`} xLabel="recall" yLabel="precision"
              series=${precision} marks=${points("recall", "precision")} />`}
      ${calibration.length > 0
        && html`<${LineChart} title="Calibration"
          text=${CALIBRATION}
            xLabel="predicted" yLabel="observed" series=${calibration} marks=${threshold === undefined ? []
              : [{ x: threshold, text: `threshold ${short(threshold)}` }]} diagonal dots />`}
      ${section.learning && html`<${Learning} learning=${section.learning} />`}
      ${own.importance.length > 0
        && html`<${BarChart} title="Feature importance"
          text=${`Most important: ${own.importance.slice(0, 3).map((item) => item.name).join(", ")}.`} label="gain"
            items=${own.importance.map((item) => ({ name: item.name, value: item.gain }))} />`}
    </div>
    ${section.tables.map((table) => html`<${Table} table=${table} />`)}
    <p class="quiet mono">${section.uri}</p>
    ${live?.name && html`<p class="quiet">The live model then: <span class="mono">${live.name}</span></p>`}
  </div>`;
}

function Table({ table }) {
  return html`<section><h4>${table.title}</h4><p class="quiet">${table.text}</p>
    <div class="table" tabindex="0" role="region" aria-label=${table.title}><table class="figures"><thead><tr>
      ${table.columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
      <tbody>${table.rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>
        ${rest.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

function Figures({ own, live }) {
  const names = Object.keys(FIGURES).filter((name) => own.figures[name] !== undefined);
  const better = (name) => (live?.figures[name] === undefined || name === "threshold"
    || live.figures[name] === own.figures[name] ? ""
      : (own.figures[name] > live.figures[name]) !== LOWER_IS_BETTER.has(name) ? "better" : "worse");
  if (!names.length) return null;
  return html`<div class="table" tabindex="0" role="region" aria-label="Figures"><table class="figures"><thead><tr>
    <th scope="col">Figure</th><th scope="col">This model</th>
      ${live && html`<th scope="col">The live one then</th><th scope="col">So this is</th>`}</tr></thead>
    <tbody>
      ${names.map((name) => html`<tr><th scope="row">${FIGURES[name]}</th><td class="number">
        ${own.figures[name].toFixed(4)}</td>
          ${live && html`<td class="number">${live.figures[name]?.toFixed(4) ?? ""}</td><td>${better(name)}</td>`}
            </tr>`)}</tbody></table></div>`;
}

function Learning({ learning }) {
  const series =
    learning.series.map(({ name, values }) => (
      { name, points: values.map((value, index) => [learning.round[index], value]) }));
  const rounds = [learning.round[0], Math.max(learning.round.at(-1), learning.round[0] + 1)];
  return html`<${LineChart} title="Learning curve"
    text=${`${series.map((item) => item.name).join(" and ")} by round.`} xLabel="round" yLabel=${series.length === 1
      ? series[0].name : (series[0].name.split(" ").at(-1) ?? "")} series=${series} xDomain=${rounds}
        yDomain=${domainOf(series.flatMap((item) => item.points.map((point) => point[1])))}
          marks=${learning.best === null ? [] : [{ x: learning.best, text: `best round ${learning.best}` }]} />`;
}
