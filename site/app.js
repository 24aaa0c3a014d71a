// The page: a line of 18 numbers in, the model's answer out.
import { health, predict, Problem } from "./client.js";
import { EXAMPLE, FIELDS } from "./fields.js";

const at = (id) => document.getElementById(id);
const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const rows = FIELDS.map(({ name, meaning }, index) => {
  const value = element("td", { className: "value" });
  const row = element(
    "tr",
    {},
    element("td", { className: "place", textContent: index + 1 }),
    element(
      "td",
      {},
      element("code", { textContent: name }),
      element("span", { className: "meaning", textContent: meaning }),
    ),
    value,
  );
  at("fields").append(row);
  return { row, value };
});

const line = () => at("line").value.trim();
const cells = () => (line() ? line().split(",").map((cell) => cell.trim()) : []);

function showValues() {
  const given = cells();
  rows.forEach(({ row, value }, index) => {
    value.textContent = given[index] ?? "";
    row.classList.remove("wrong");
  });
  const count = given.length;
  at("count").textContent =
    count === 0 ? "No value yet. The order is listed below." : `${count} of 18 values`;
  at("count").dataset.complete = count === FIELDS.length;
}

function clearOutcome() {
  at("problem").hidden = true;
  at("answer").hidden = true;
  at("line").removeAttribute("aria-invalid");
}

// Selects the value at `position` (from 1) in the line, so that typing replaces it.
function selectValue(position) {
  const text = at("line").value;
  const parts = text.split(",");
  const start = parts.slice(0, position - 1).join(",").length + (position > 1 ? 1 : 0);
  at("line").focus();
  at("line").setSelectionRange(start, start + (parts[position - 1] ?? "").length);
}

function showProblem(problem) {
  const errors = problem.errors.filter((error) => error.detail);
  const several = errors.length > 1;
  at("problem-title").textContent = several
    ? `${errors.length} values need another look:`
    : (errors[0]?.detail ?? problem.message).replace(/^Row 1: v/, "V");
  at("problem-list").replaceChildren(
    ...errors
      .filter((error) => several || error.position)
      .map((error) => {
        const detail = error.detail.replace(/^Row 1: v/, "V");
        if (!error.position) return element("li", { textContent: detail });
        const button = element("button", {
          type: "button",
          className: "quiet",
          textContent: several ? detail : `Go to value ${error.position}`,
        });
        button.addEventListener("click", () => selectValue(error.position));
        return element("li", {}, button);
      }),
  );
  for (const { position } of errors) rows[position - 1]?.row.classList.add("wrong");
  if (errors.length) at("line").setAttribute("aria-invalid", "true");
  at("problem").hidden = false;
}

function showAnswer({ will_buy: willBuy, probability, threshold, model }) {
  at("verdict").textContent = willBuy ? "Likely to buy again" : "Unlikely to buy again";
  at("answer").dataset.verdict = willBuy ? "likely" : "unlikely";
  at("probability").textContent = percent(probability);
  at("threshold").textContent = percent(threshold);
  at("model").textContent = model;
  at("bar").style.width = `${probability * 100}%`;
  at("mark").style.left = `${threshold * 100}%`;
  at("answer").hidden = false;
  at("answer").scrollIntoView({ block: "nearest" }); // on a phone it starts below the window
}

async function submit(event) {
  event.preventDefault();
  if (at("predict").ariaDisabled === "true") return;
  clearOutcome();
  showValues();
  at("predict").ariaDisabled = "true"; // `disabled` would take the keyboard's focus away
  at("form").setAttribute("aria-busy", "true");
  try {
    if (!line()) throw new Problem("Enter 18 numbers, or use the example.");
    if (/[\r\n]/.test(line())) throw new Problem("One line at a time: this one has several.");
    showAnswer(await predict(line()));
  } catch (error) {
    showProblem(error instanceof Problem ? error : new Problem(`The page failed: ${error.message}`));
  } finally {
    at("predict").ariaDisabled = null;
    at("form").removeAttribute("aria-busy");
  }
}

async function showStatus() {
  const status = at("status");
  try {
    const { model } = await health();
    status.dataset.state = "ready";
    status.textContent = `Model ${model} is answering`;
  } catch (error) {
    status.dataset.state = "down";
    status.textContent = error.message;
  }
}

at("form").addEventListener("submit", submit);
at("line").addEventListener("input", () => {
  clearOutcome();
  showValues();
});
at("line").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  at("form").requestSubmit();
});
at("example").addEventListener("click", () => {
  at("line").value = EXAMPLE;
  clearOutcome();
  showValues();
  at("predict").focus();
});

showValues();
showStatus();
