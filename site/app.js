// The page: a customer's basket (customer.js), then three more ways to ask (form, line, file), one
// answer with its reasons.
import { clearAnswer, showAnswer } from "./answer.js";
import { apiUrl, health, model, predict, Problem } from "./client.js";
import { startCustomers } from "./customer.js";
import { at, element, percent } from "./dom.js";
import { EXAMPLES, FIELDS, NAMES } from "./fields.js";
import { clearMarks, fillForm, focusField, formErrors, formLine, makeForm, mark } from "./form.js";
import { predictFile, sample, template } from "./results.js";
import { tabs } from "./tabs.js";

const SLOW_AFTER_MS = 3_000;

let way = "tab-form";
let asked = 0; // an answer that comes after a newer question is not shown

const rows = FIELDS.map(({ name, help }, index) => {
  const value = element("td", { className: "value" });
  const row = element("tr", {},
    element("td", { className: "place", textContent: index + 1 }),
    element("td", {}, element("code", { textContent: name }), element("span", { className: "meaning", textContent: help })),
    value);
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
  at("count").textContent = given.length === 0 ? "No value yet. The order is listed below."
    : /[\r\n]/.test(line()) ? "Several lines: they are answered as a table." : `${given.length} of 18 values`;
  at("count").dataset.complete = given.length === FIELDS.length;
}

function clearProblem() {
  at("problem").hidden = true;
  at("problem-title").textContent = "";
  at("problem-id").textContent = "";
  at("problem-list").replaceChildren();
  at("line").removeAttribute("aria-invalid");
}

function changed() {
  clearProblem();
  clearAnswer();
  asked += 1;
}

// Selects the value at `position` (from 1) in the line, so that typing replaces it.
function selectValue(position) {
  const text = at("line").value;
  const parts = text.split(",");
  const start = parts.slice(0, position - 1).join(",").length + (position > 1 ? 1 : 0);
  at("line").focus();
  at("line").setSelectionRange(start, start + (parts[position - 1] ?? "").length);
}

const goTo = (position) => (way === "tab-form" ? focusField(NAMES[position - 1]) : selectValue(position));

function showProblem(problem) {
  const errors = problem.errors.filter((error) => error.detail);
  const several = errors.length > 1;
  const said = (error) => error.detail.replace(/^Row 1: v/, "V");
  at("problem-title").textContent = several ? `${errors.length} values need another look:` : errors[0] ? said(errors[0]) : problem.message;
  at("problem-list").replaceChildren(...errors.filter((error) => several || error.position).map((error) => {
    if (!error.position) return element("li", { textContent: said(error) });
    const one = way === "tab-form" ? "Go to the field" : `Go to value ${error.position}`;
    const button = element("button", { type: "button", className: "quiet", textContent: several ? said(error) : one });
    button.addEventListener("click", () => goTo(error.position));
    return element("li", {}, button);
  }));
  at("problem-id").textContent = problem.requestId && problem.status >= 500 ? `Request ${problem.requestId}` : "";
  for (const { position, reason, detail } of errors) {
    rows[position - 1]?.row.classList.add("wrong");
    if (way === "tab-form" && position) mark(NAMES[position - 1], reason ?? detail);
  }
  if (errors.length) at("line").setAttribute("aria-invalid", "true");
  at("problem").hidden = false;
}

// Runs `work` with the page marked as busy; a problem is shown, and the keyboard's focus stays.
async function busily(work) {
  clearProblem();
  clearMarks();
  const mine = (asked += 1);
  const buttons = [at("predict"), at("predict-line")];
  const labels = buttons.map((button) => button.textContent);
  for (const button of buttons) Object.assign(button, { ariaDisabled: "true", textContent: "Asking…" });
  document.body.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => { at("progress-of-one").textContent = "Still waiting: the model may be waking up…"; }, SLOW_AFTER_MS);
  try {
    await work(() => mine === asked);
  } catch (error) {
    if (mine === asked) showProblem(error instanceof Problem ? error : new Problem(`The page failed: ${error.message}`));
  } finally {
    clearTimeout(slow);
    at("progress-of-one").textContent = "";
    buttons.forEach((button, index) => Object.assign(button, { ariaDisabled: null, textContent: labels[index] }));
    document.body.removeAttribute("aria-busy");
  }
}

const busy = () => document.body.getAttribute("aria-busy") === "true";

const askOne = (values, of = "") => busily(async (current) => {
  if (way !== "tab-file") clearAnswer();
  const told = await predict(values);
  if (current()) showAnswer(told, values, of);
});

const askMany = (name, text) => busily(() => predictFile(name, text));

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (busy()) return;
  const errors = formErrors();
  if (errors.length) {
    changed();
    clearMarks();
    showProblem(new Problem("", { errors }));
    focusField(errors[0].field);
    return;
  }
  askOne(formLine());
});

at("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  if (busy()) return;
  showValues();
  if (/[\r\n]/.test(line())) {
    askMany("Pasted rows", line());
    return;
  }
  if (!line()) {
    changed();
    showProblem(new Problem("Enter 18 numbers, or use the example."));
    return;
  }
  askOne(line());
});

at("line").addEventListener("input", () => {
  changed();
  showValues();
});
at("line").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("paste").requestSubmit();
});
at("example").addEventListener("click", () => {
  at("line").value = EXAMPLES.at(-1).line;
  changed();
  showValues();
  at("predict-line").focus();
});

async function readFile(chosen) {
  if (!chosen) return;
  changed();
  if (chosen.size > 20_000_000) {
    showProblem(new Problem(`${chosen.name} has ${Math.round(chosen.size / 1e6)} MB; at most 20 are read.`));
    return;
  }
  await askMany(chosen.name, await chosen.text());
}

at("file").addEventListener("change", async () => {
  await readFile(at("file").files[0]);
  at("file").value = ""; // the same file may be chosen again, changed
});
for (const type of ["dragenter", "dragover"]) {
  at("drop").addEventListener(type, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) at("drop").addEventListener(type, () => at("drop").classList.remove("over"));
at("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  readFile(event.dataTransfer.files[0]);
});
at("sample").addEventListener("click", () => {
  changed();
  askMany("Sample", sample());
});
at("template").addEventListener("click", template);
at("results").addEventListener("why", ({ detail: row }) => {
  askOne(row.line, `Row ${row.number}${row.extra.length ? `: ${row.extra.slice(0, 3).join(", ")}` : ""}`).then(() => {
    at("answer").scrollIntoView({ block: "nearest" });
    at("answer").focus({ preventScroll: true });
  });
});

makeForm(changed, (example) => {
  fillForm(example);
  changed();
  askOne(example);
});
// What went wrong stands where the eye is: below the button that asked.
function place() {
  const before = { "tab-form": at("form"), "tab-paste": at("paste"), "tab-file": at("drop") }[way];
  before.after(at("outcome"));
}

place();
tabs(document.querySelector("[role=tablist]"), (id) => {
  // A line that is complete goes along from one way to the other.
  if (id === "tab-paste" && way === "tab-form" && !formErrors().length) at("line").value = formLine();
  if (id === "tab-form" && way === "tab-paste" && cells().length === FIELDS.length && !/[\r\n]/.test(line())) fillForm(line());
  way = id;
  place();
  clearProblem();
  showValues();
});

const date = (text) => {
  const when = new Date(text);
  return Number.isNaN(when.getTime()) ? text
    : when.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }) + " UTC";
};

function describe({ model: name, threshold, features, trained_at: trainedAt, trained_on: on, holdout, versions }) {
  const facts = [
    ["Model", name],
    ["Trained", trainedAt && date(trainedAt)],
    ["Learned from", on && `${on.rows.toLocaleString("en")} customer–product pairs of ${on.users.toLocaleString("en")} customers`],
    ["Ranks a bought product above another", holdout?.auc && `${percent(holdout.auc)} of the time, for customers it never saw (AUC)`],
    ["Counts as likely from", percent(threshold)],
    ["Made of", [versions?.xgboost && `XGBoost ${versions.xgboost}`, `${features.length} features`].filter(Boolean).join(", ")],
  ];
  at("about").replaceChildren(...facts.filter(([, value]) => value).map(([term, value]) =>
    element("div", {}, element("dt", { textContent: term }), element("dd", { textContent: value }))));
}

async function showStatus() {
  const status = at("status");
  try {
    at("openapi").href = `${await apiUrl()}/openapi.json`;
    const { model: name } = await health();
    status.dataset.state = "ready";
    status.textContent = `Model ${name} is answering`;
    describe(await model());
  } catch (error) {
    if (status.dataset.state === "ready") return; // it answers, and cannot say more of itself
    status.dataset.state = "down";
    status.textContent = error.message;
  }
}

showValues();
showStatus();
startCustomers();
