// The form: one input for each of the 18 numbers, four of which can be worked out from the others.
import { at, element } from "./dom.js";
import { BY_NAME, contradictions, EXAMPLES, FIELDS, GROUPS, NAMES, wrongWith } from "./fields.js";

const inputs = {};

function control(of) {
  const { name, label, unit, help, derived, whole } = of;
  const input = element("input", {
    id: `field-${name}`, name, type: "text", inputMode: whole ? "numeric" : "decimal", autocomplete: "off",
    "aria-describedby": `unit-${name} help-${name}`,
  });
  inputs[name] = input;
  return element("div", { className: "field" },
    element("label", { for: input.id, textContent: label }),
    element("span", { className: "with-unit" }, input, element("span", { className: "unit", id: `unit-${name}`, textContent: unit })),
    element("span", { className: "help", id: `help-${name}`, textContent: `${help}${derived ? ` ${derived[0].toUpperCase()}${derived.slice(1)}.` : ""}` }));
}

const number = (name) => {
  const text = inputs[name].value.trim();
  return wrongWith(BY_NAME[name], text) ? undefined : Number(text);
};

const valuesByName = () => Object.fromEntries(NAMES.map((name) => [name, number(name)]));

function workOut() {
  if (!at("work-out").checked) return;
  const row = valuesByName();
  for (const of of FIELDS.filter((f) => f.derived)) {
    const value = of.from.every((name) => row[name] !== undefined) ? of.compute(row) : undefined;
    inputs[of.name].value = value >= of.low && value <= of.high ? String(value) : "";
  }
}

function showContradictions() {
  const found = contradictions(valuesByName());
  at("contradictions").replaceChildren(...found.map((textContent) => element("li", { textContent })));
  at("contradictions").hidden = !found.length;
}

function setReadOnly() {
  for (const of of FIELDS.filter((f) => f.derived)) inputs[of.name].readOnly = at("work-out").checked;
}

export const formLine = () => NAMES.map((name) => inputs[name].value.trim()).join(",");

export function fillForm(line) {
  const values = line.split(",").map((value) => value.trim());
  NAMES.forEach((name, index) => { inputs[name].value = values[index] ?? ""; });
  // Numbers that do not follow from the others are somebody's own: they stay as they are.
  const row = valuesByName();
  at("work-out").checked = FIELDS.filter((f) => f.derived).every((of) => {
    const value = of.compute(row);
    return value !== undefined && Math.abs(value - row[of.name]) <= 1e-4 * Math.max(1, Math.abs(value));
  });
  setReadOnly();
  clearMarks();
  showContradictions();
}

export function clearMarks() {
  for (const input of Object.values(inputs)) {
    input.removeAttribute("aria-invalid");
    input.closest(".field").querySelector(".wrong")?.remove();
    input.setAttribute("aria-describedby", `unit-${input.name} help-${input.name}`);
  }
}

export function mark(name, reason) {
  const input = inputs[name];
  if (!input || input.hasAttribute("aria-invalid")) return;
  const id = `wrong-${name}`;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${id} unit-${name} help-${name}`);
  input.closest(".field").append(element("span", { className: "wrong", id, textContent: reason }));
}

export const focusField = (name) => {
  inputs[name].focus();
  inputs[name].select();
};

// [{field, position, detail}] for every input that holds no value of its field.
export function formErrors() {
  return FIELDS.flatMap((of, index) => {
    const reason = wrongWith(of, inputs[of.name].value.trim());
    if (!reason) return [];
    const why = of.derived && at("work-out").checked ? "cannot be worked out from the others." : reason;
    return [{ field: of.name, position: index + 1, detail: `${of.label} ${why}`, reason: `This ${why}` }];
  });
}

export function makeForm(onChange, onExample) {
  at("groups").append(
    ...GROUPS.map(({ id, title }) => element("fieldset", {}, element("legend", { textContent: title }),
      element("div", { className: "grid" }, ...FIELDS.filter((f) => f.group === id && !f.derived).map(control)))),
    element("fieldset", {}, element("legend", { textContent: "Worked out from the above" }),
      element("label", { className: "check" }, element("input", { type: "checkbox", id: "work-out", checked: true }),
        "Work these four out for me"),
      element("div", { className: "grid" }, ...FIELDS.filter((f) => f.derived).map(control))),
  );
  at("examples").append(...EXAMPLES.map(({ title, hint, line }) => {
    const button = element("button", { type: "button", className: "example" },
      element("strong", { textContent: title }), element("span", { textContent: hint }));
    button.addEventListener("click", () => onExample(line));
    return button;
  }));
  at("groups").addEventListener("input", ({ target }) => {
    if (target.id === "work-out") setReadOnly();
    workOut();
    showContradictions();
    clearMarks();
    onChange();
  });
  fillForm(EXAMPLES[1].line);
}
