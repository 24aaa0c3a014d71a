// Which features pushed a prediction up or down: a table whose middle column is a bar chart in SVG.
// Contributions are log-odds; exp of one is the factor by which it multiplies the odds.
import { element, percent, short } from "./dom.js";
import { reason } from "./fields.js";

const SHOWN = 8;
const COUNTED = ["orders", "days", "products", "purchases", "times"]; // the other units say what a number may be
const SVG = "http://www.w3.org/2000/svg";

const share = (logOdds) => 1 / (1 + Math.exp(-logOdds));

export function factor(contribution) {
  const times = Math.exp(Math.abs(contribution));
  if (times < 1.005) return "none";
  const text = times.toFixed(times < 10 ? 2 : 0);
  return `${contribution > 0 ? "×" : "÷"} ${text}`;
}

// One bar from the middle line to the right (speaks for buying) or to the left.
function bar(contribution, longest) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-1 0 2 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const width = Math.max(Math.abs(contribution) / longest, 0.006);
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("x", contribution > 0 ? 0 : -width);
  rect.setAttribute("y", 0.14);
  rect.setAttribute("width", width);
  rect.setAttribute("height", 0.72);
  rect.setAttribute("class", contribution > 0 ? "up" : "down");
  const axis = document.createElementNS(SVG, "line");
  for (const [name, value] of Object.entries({ x1: 0, x2: 0, y1: 0, y2: 1 })) axis.setAttribute(name, value);
  svg.append(rect, axis);
  return svg;
}

function line(name, detail, contribution, longest) {
  return element("tr", {},
    element("th", { scope: "row" }, name, element("span", { className: "meaning", textContent: detail })),
    element("td", { className: "bars" }, bar(contribution, longest)),
    element("td", { className: "factor", textContent: factor(contribution) }));
}

function shown(value, unit) {
  if (value === undefined) return "";
  if (value === null) return "not known";
  if (unit === "0 to 1") return percent(value);
  return COUNTED.includes(unit) ? `${short(value)} ${unit}` : short(value);
}

// Fills `table`, and returns in words what it says. `row`: the values by name.
export function draw(table, { bias, contributions }, row) {
  const sorted = Object.entries(contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const first = sorted.slice(0, SHOWN);
  const rest = sorted.slice(SHOWN).reduce((sum, [, value]) => sum + value, 0);
  const longest = Math.max(Math.abs(first[0]?.[1] ?? 0), Math.abs(rest), 0.1);
  const label = (name) => reason(name)?.label ?? name;
  const detail = (name) => {
    const { unit, about } = reason(name) ?? {};
    return [shown(row[name], unit), about].filter(Boolean).join(" · ");
  };
  table.replaceChildren(
    element("caption", { className: "visually-hidden", textContent: "What each feature does to the odds" }),
    element("thead", {}, element("tr", {},
      element("th", { scope: "col", textContent: "Feature" }),
      element("th", { scope: "col", className: "sides" }, element("span", { textContent: "against" }), element("span", { textContent: "for" })),
      element("th", { scope: "col", className: "factor", textContent: "Odds" }))),
    element("tbody", {},
      ...first.map(([name, value]) => line(label(name), detail(name), value, longest)),
      ...(sorted.length > SHOWN ? [line(`The other ${sorted.length - SHOWN}`, "together", rest, longest)] : [])),
  );
  const name = (found) => `“${label(found[0]).toLowerCase()}”`;
  const up = sorted.find(([, value]) => value > 0.005);
  const down = sorted.find(([, value]) => value < -0.005);
  return [
    `Before looking at the numbers the model says ${percent(share(bias))}.`,
    up ? `What speaks most for buying is ${name(up)}` : "Nothing speaks for buying",
    down ? `${up ? "; " : ", and "}against it, ${name(down)}.` : up ? "; nothing speaks against it." : ".",
  ].join(" ").replace(" ;", ";").replace(" ,", ",").replace(" .", ".");
}
