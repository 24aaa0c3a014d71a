// Shows one answer: verdict, words, scale, chart.
import { draw } from "./chart.js";
import { at, percent } from "./dom.js";
import { NAMES } from "./fields.js";

function words(probability, willBuy, threshold) {
  const of100 = Math.round(probability * 100);
  const often = of100 < 1 ? "Fewer than 1 in 100" : of100 > 99 ? "More than 99 in 100" : `About ${of100} in 100`;
  const close = Math.abs(probability - threshold) < 0.15 * threshold;
  const where = close ? `It is a close call: just ${willBuy ? "above" : "below"} the line.` : "";
  return `${often} such customers have the product in their next order. ${where}`.trim();
}

export function showAnswer(told, line, of = "") {
  const { will_buy: willBuy, probability, threshold, model, explanation } = told;
  at("verdict").textContent = willBuy ? "Likely to buy it again" : "Unlikely to buy it again";
  at("answer").dataset.verdict = willBuy ? "likely" : "unlikely";
  at("words").textContent = words(probability, willBuy, threshold);
  at("probability").textContent = percent(probability);
  at("threshold").textContent = percent(threshold);
  at("model").textContent = model;
  at("bar").style.width = `${probability * 100}%`;
  at("mark").style.left = `${threshold * 100}%`;
  at("mark-label").textContent = `likely from ${percent(threshold)}`;
  // Clear of the labels at both ends.
  at("mark-label").style.left = `clamp(5.6rem, ${threshold * 100}%, calc(100% - 6.6rem))`;
  at("answer-of").textContent = of;
  at("answer-of").hidden = !of;
  at("why").hidden = !explanation;
  if (explanation) {
    const values = line.split(",").map(Number);
    const row = Object.fromEntries(NAMES.map((name, index) => [name, values[index]]));
    at("why-words").textContent = draw(at("chart"), explanation, row);
  }
  at("no-answer").hidden = true;
  at("answered").hidden = false;
  const { top, bottom } = at("verdict").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) at("answer").scrollIntoView({ block: "start" }); // on a phone
}

export function clearAnswer() {
  at("answered").hidden = true;
  at("no-answer").hidden = false;
  delete at("answer").dataset.verdict;
}
