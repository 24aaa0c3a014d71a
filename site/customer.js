// A customer by number: search, examples, the next basket and other products, each with its reasons.
import { draw } from "./chart.js";
import { customers, nextBasket, Problem } from "./client.js";
import { at, element, percent } from "./dom.js";

const SEARCH_AFTER_MS = 200;
const DIGITS = /^\d{1,15}$/;

let asked = 0; // an answer that comes after a newer question is not shown
let searching;

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const days = (number) => (Math.round(number) <= 1 ? "day" : `${Math.round(number)} days`);

// "Buys it every 9 days, last 12 days ago."
export function habit({ days_between_purchases: between, days_since_last_purchase: since }) {
  const often = between === null ? "Bought it once" : `Buys it every ${days(between)}`;
  if (since === null) return `${often}.`;
  const last = Math.round(since) === 0 ? "the same day" : `${count(Math.round(since), "day")} ago`;
  return `${often}, ${between === null ? "" : "last "}${last}.`;
}

function productItem(product, place) {
  const { product: name, probability, explanation, features } = product;
  const bar = element("span", { className: "small-bar", "aria-hidden": "true" }, element("span"));
  bar.firstChild.style.width = `${probability * 100}%`;
  const table = element("table", { className: "chart" });
  const words = element("p", { className: "hint" });
  const why = element("details", { className: "why" },
    element("summary", { "aria-label": `Why? ${name}` }, "Why?"), words, table);
  why.addEventListener("toggle", () => {
    if (why.open && !table.rows.length) words.textContent = draw(table, explanation, features);
  });
  return element("li", { className: "product" },
    element("span", { className: "rank", "aria-hidden": "true", textContent: place }),
    element("div", { className: "what" },
      element("strong", { textContent: name }),
      element("span", { className: "hint", textContent: `${product.aisle} · ${product.department}` }),
      element("span", { textContent: habit(product) })),
    element("span", { className: "chance" }, bar, percent(probability),
      element("span", { className: "visually-hidden", textContent: " likely" })),
    why);
}

const fill = (list, products) => list.replaceChildren(...products.map((product) => productItem(product, product.rank)));

function show({ customer_id: id, basket_size: size, products_known: known, products }) {
  const basket = products.filter((product) => product.in_basket);
  const others = products.filter((product) => !product.in_basket);
  at("basket-title").textContent = size ? `Customer ${id} will most likely buy ${count(size, "product")} again`
    : `Customer ${id} will most likely buy nothing again`;
  at("basket-words").textContent = [
    size ? "The best set for this customer: one more would more likely be wrong than right, one less would miss too much."
      : "No product is likely enough to be worth a guess.",
    basket.length < size ? `The first ${basket.length} are shown.` : "",
    `Out of ${count(known, "product")} bought before.`,
  ].filter(Boolean).join(" ");
  fill(at("basket-products"), basket);
  fill(at("other-products"), others);
  at("others").hidden = !others.length;
  at("others").open = !size;
  at("basket").hidden = false;
  progress(at("basket-title").textContent, true);
  const { top, bottom } = at("basket-title").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) at("basket").scrollIntoView({ block: "start" }); // on a phone
}

function say(text) {
  at("customer-problem").textContent = text;
  at("customer-problem").hidden = !text;
  at("customer").toggleAttribute("aria-invalid", Boolean(text));
}

// What a screen reader is told, not the whole list; `done` has its own heading for those who see.
function progress(text, done = false) {
  at("customer-progress").classList.toggle("visually-hidden", done);
  at("customer-progress").textContent = text;
}

async function ask(number) {
  const mine = (asked += 1);
  say("");
  at("basket").hidden = true;
  at("customer").value = number;
  progress("Looking…");
  try {
    const told = await nextBasket(number);
    if (mine === asked) show(told);
  } catch (problem) {
    if (mine !== asked) return;
    progress("");
    say(problem instanceof Problem ? problem.message : `The page failed: ${problem.message}`);
  }
}

function example({ customer_id: id, products_known: known, basket_size: size }) {
  const button = element("button", { type: "button", className: "example" },
    element("strong", { textContent: `Customer ${id}` }),
    element("span", { textContent: `bought ${count(known, "product")}; the next basket has ${size}` }));
  button.addEventListener("click", () => ask(String(id)));
  return button;
}

async function suggest() {
  const beginning = at("customer").value.trim();
  if (!DIGITS.test(beginning)) return;
  try {
    const told = await customers(beginning);
    if (at("customer").value.trim() !== beginning) return;
    at("customers").replaceChildren(...told.customers.map(({ customer_id: id, products_known: known }) =>
      element("option", { value: String(id), label: count(known, "product") })));
  } catch {
    // Without suggestions the number can still be asked for, and the answer says what is wrong.
  }
}

export async function startCustomers() {
  at("ask-customer").addEventListener("submit", (event) => {
    event.preventDefault();
    const number = at("customer").value.trim();
    if (DIGITS.test(number)) {
      ask(number);
      return;
    }
    asked += 1;
    progress("");
    at("basket").hidden = true;
    say("Enter a customer's number, such as one of the examples.");
    at("customer").focus();
  });
  at("customer").addEventListener("input", () => {
    say("");
    clearTimeout(searching);
    searching = setTimeout(suggest, SEARCH_AFTER_MS);
  });
  try {
    const told = await customers("");
    at("customer-examples").replaceChildren(...told.examples.map(example));
    at("customer-hint").textContent = told.count
      ? `${count(told.count, "customer")} can be looked up. Start with one of these:`
      : "The live model was asked about no customer: its data has nobody whose next order is to be predicted.";
  } catch (problem) {
    at("customer-hint").textContent = problem.status === 501
      ? "The live model is from before customers could be looked up; the next run's can. Until then, describe one below."
      : "Customers cannot be looked up at the moment.";
  }
}
