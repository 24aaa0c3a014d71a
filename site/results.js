// Many rows: asks for them piece by piece, shows a table that sorts, and saves it as CSV.
import { readRows, write } from "./csv.js";
import { predictMany, Problem } from "./client.js";
import { at, element, percent, save } from "./dom.js";
import { EXAMPLES, FIELDS, NAMES } from "./fields.js";

const ROWS_A_REQUEST = 500; // the API takes 1,000
const SHOWN_AT_ONCE = 100;
const EXTRA_SHOWN = 3;

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

let file; // {name, extra, rows, threshold, model}; rows gain probability and willBuy
let sort = { by: "number", descending: false };
let shown = SHOWN_AT_ONCE;
let turn = 0; // a file that is chosen later wins over one that is still being answered

export const header = () => NAMES.join(",");

export function template() {
  save("purchase-rows.csv", `customer,product,${header()}\r\n${sampleLines().join("\r\n")}\r\n`);
}

const sampleLines = () => EXAMPLES.map(({ line }, index) => `Customer ${index + 1},Product ${"ABC"[index]},${line}`);

// 60 rows around the examples, made on the spot and always the same.
export function sample() {
  let seed = 7;
  const random = () => ((seed = (seed * 48271) % 2147483647) / 2147483647);
  const lines = Array.from({ length: 60 }, (_, index) => {
    const orders = 4 + Math.floor(random() * 50);
    const bought = 1 + Math.floor(random() * random() * orders);
    const first = 1 + Math.floor(random() * (orders - bought + 1));
    const last = Math.min(orders, first + bought - 1 + Math.floor(random() * 12));
    const basket = 3 + random() * 15;
    const total = Math.round(orders * basket);
    const gap = 3 + random() * 25;
    const repeat = random();
    const row = {
      up_orders: bought, user_mean_days_since_prior: gap, user_period: gap * (orders - 1),
      user_distinct_products: Math.ceil(total * 0.5), user_reorder_ratio: repeat, user_total_products: total,
      up_average_cart_position: 1 + random() * 14, up_first_order: first, user_orders: orders, up_last_order: last,
      prod_orders: Math.round(Math.exp(4 + random() * 8)), prod_reorder_probability: 0.1 + random() * 0.6,
      prod_reorder_times: 1.2 + random() * 5, prod_reorder_ratio: 0.2 + random() * 0.6,
    };
    const line = FIELDS.map((of) => Number((of.derived ? of.compute(row) : row[of.name]).toFixed(4)));
    return `Customer ${1 + (index % 12)},Product ${String.fromCharCode(65 + Math.floor(index / 12))},${line.join(",")}`;
  });
  return `customer,product,${header()}\n${lines.join("\n")}\n`;
}

// Reads and asks; returns when all is shown. Raises Problem for a file that is none, and for an API
// that does not answer (what it had answered until then stays on the page).
export async function predictFile(name, text) {
  turn += 1;
  const mine = turn;
  let read;
  try {
    read = readRows(text);
  } catch (error) {
    throw new Problem(`${name}: ${error.message}`);
  }
  file = { name, ...read };
  sort = { by: "number", descending: false };
  shown = SHOWN_AT_ONCE;
  const good = file.rows.filter((row) => !row.wrong);
  let done = 0;
  try {
    for (let from = 0; from < good.length; from += ROWS_A_REQUEST) {
      const piece = good.slice(from, from + ROWS_A_REQUEST);
      at("progress").textContent = `${done.toLocaleString("en")} of ${count(good.length, "row")} answered…`;
      const told = await predictMany(piece.map(({ line }) => line));
      if (mine !== turn) return;
      piece.forEach((row, index) => {
        row.probability = told.predictions[index].probability;
        row.willBuy = told.predictions[index].will_buy;
      });
      Object.assign(file, { threshold: told.threshold, model: told.model });
      done += piece.length;
    }
    at("progress").textContent = `${count(done, "row")} answered.`;
  } catch (problem) {
    if (mine !== turn) return;
    at("progress").textContent = "";
    throw new Problem(done ? `${problem.message} ${done} of ${good.length} rows were answered before.` : problem.message, problem);
  } finally {
    if (mine === turn) show(good.length === 0 || done > 0);
  }
  at("results").scrollIntoView({ block: "start" });
}

function show(visible) {
  at("results").hidden = !visible;
  if (!visible) return;
  const likely = file.rows.filter(({ willBuy }) => willBuy === true).length;
  const unlikely = file.rows.filter(({ willBuy }) => willBuy === false).length;
  const others = file.rows.length - likely - unlikely;
  at("results-title").textContent = `${file.name}: ${count(file.rows.length, "row")}`;
  at("results-words").textContent = [
    `${likely.toLocaleString("en")} likely, ${unlikely.toLocaleString("en")} unlikely to be bought again`,
    others ? `, ${others.toLocaleString("en")} not answered` : "",
    file.threshold === undefined ? "." : `. Likely from ${percent(file.threshold)}; model ${file.model}.`,
  ].join("");
  drawTable();
}

const KEYS = {
  number: (row) => row.number,
  probability: (row) => row.probability ?? -1,
  answer: (row) => (row.willBuy === undefined ? -1 : Number(row.willBuy)),
};

function compare(a, b) {
  const key = KEYS[sort.by] ?? ((row) => row.extra[sort.by]);
  const [x, y] = [key(a), key(b)];
  const order = typeof x === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
  return (sort.descending ? -order : order) || a.number - b.number;
}

function heading(text, by) {
  const sorted = sort.by === by;
  const button = element("button", { type: "button", className: "sort", textContent: text });
  button.addEventListener("click", () => {
    // Probabilities are most often read from the top.
    sort = { by, descending: sorted ? !sort.descending : by === "probability" || by === "answer" };
    drawTable();
    at("table").querySelectorAll("th button").forEach((other) => other.textContent === text && other.focus());
  });
  const th = element("th", { scope: "col" }, button);
  if (sorted) th.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
  return th;
}

function tableRow(row) {
  const cells = [
    element("td", { className: "place", textContent: row.number }),
    ...row.extra.slice(0, EXTRA_SHOWN).map((textContent) => element("td", { textContent })),
  ];
  if (row.probability === undefined) {
    cells.push(element("td", { colSpan: 3, className: "unanswered", textContent: row.wrong ? `Not asked: ${row.wrong}` : "Not answered" }));
    return element("tr", {}, ...cells);
  }
  const bar = element("span", { className: "small-bar", "aria-hidden": "true" }, element("span"));
  bar.firstChild.style.width = `${row.probability * 100}%`;
  const why = element("button", { type: "button", className: "quiet", textContent: "Why?", "aria-label": `Why? Row ${row.number}` });
  why.addEventListener("click", () => at("results").dispatchEvent(new CustomEvent("why", { detail: row })));
  cells.push(
    element("td", { className: "number" }, bar, percent(row.probability)),
    element("td", {}, element("span", { className: row.willBuy ? "pill likely" : "pill", textContent: row.willBuy ? "Likely" : "Unlikely" })),
    element("td", {}, why),
  );
  return element("tr", {}, ...cells);
}

function drawTable() {
  const sorted = [...file.rows].sort(compare);
  at("table").replaceChildren(
    element("thead", {}, element("tr", {},
      heading("Row", "number"),
      ...file.extra.slice(0, EXTRA_SHOWN).map((name, index) => heading(name || `Column ${index + 1}`, index)),
      heading("Probability", "probability"), heading("Answer", "answer"),
      element("th", { scope: "col" }, element("span", { className: "visually-hidden", textContent: "Explanation" })))),
    element("tbody", {}, ...sorted.slice(0, shown).map(tableRow)),
  );
  const left = file.rows.length - shown;
  at("more").hidden = left <= 0;
  at("more").textContent = `Show more (${count(left, "row")} left)`;
}

// The file as it came, in its order, with what the model said.
export function resultsCsv() {
  const lines = file.rows.map((row) => [
    ...row.extra, ...row.values, row.probability ?? "", row.willBuy ?? "", row.probability === undefined ? "" : file.threshold,
    row.probability === undefined ? "" : file.model, row.wrong || (row.probability === undefined ? "not answered" : ""),
  ]);
  return write([[...file.extra, ...NAMES, "probability", "will_buy", "threshold", "model", "problem"], ...lines]);
}

at("download").addEventListener("click", () => save(`${file.name.replace(/\.[^.]*$/, "")}-predicted.csv`, resultsCsv()));
at("more").addEventListener("click", () => {
  shown += 500;
  drawTable();
});
