// A recipe's steps as text and as words: imported, exported, described, checked against the actions.

const LIST = /^json-list/;
export const isList = (parameter) => LIST.test(parameter.type);
export const listOf = (text) => {
  try {
    const found = JSON.parse(text || "[]");
    return Array.isArray(found) ? found : [found];
  } catch {
    return [text];
  }
};

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

// A step as the API takes it; conditions are left out where there are none.
export function stepOf(operation, parameters, conditions = []) {
  const step = { Action: { Operation: operation, Parameters: parameters } };
  return conditions.length ? { ...step, ConditionExpressions: conditions } : step;
}

// The JSON that DataBrew's console downloads: a list of steps, parameters sorted and all of them text.
export const exported = (steps) => `${JSON.stringify(steps.map((step) => stepOf(step.Action.Operation,
  sorted(step.Action.Parameters ?? {}), step.ConditionExpressions)), null, 2)}\n`;

// The steps of a downloaded recipe, of a request (Steps) or of the guide's examples. Throws an Error that says
// what is wrong, with the step.
export function imported(written) {
  let found;
  try {
    found = JSON.parse(written);
  } catch (error) {
    throw new Error(`Not JSON: ${error.message}`);
  }
  const steps = Array.isArray(found) ? found : found?.Steps;
  if (!Array.isArray(steps)) throw new Error("A recipe is a list of steps.");
  return steps.map((step, at) => {
    const action = step?.Action ?? step?.RecipeAction ?? step?.RecipeStep?.Action;
    if (typeof action?.Operation !== "string") throw new Error(`Step ${at + 1} has no Action with an Operation.`);
    const parameters = Object.entries(action.Parameters ?? {}).map(([name, value]) => [name, text(value)]);
    return stepOf(action.Operation, Object.fromEntries(parameters), step.ConditionExpressions);
  });
}

// What a step does, in short: {title, columns, rest}.
export function told(step, actions) {
  const { Operation: operation, Parameters: parameters = {} } = step.Action;
  const action = actions.get(operation);
  const columns = [];
  const rest = [];
  for (const [name, value] of Object.entries(parameters)) {
    const type = action?.parameters.find((one) => one.name === name)?.type ?? "string";
    if (type === "column") columns.push(value);
    else if (type === "json-list<column>") columns.push(...listOf(value));
    else if (type === "boolean") value.toLowerCase() === "true" && rest.push(words(name));
    else if (type === "new-column") rest.push(`→ ${value}`);
    else rest.push(value);
  }
  for (const { TargetColumn: column, Condition: condition, Value: value } of step.ConditionExpressions ?? [])
    rest.push(`where ${column} ${condition.toLowerCase().replaceAll("_", " ")} ${value ?? ""}`.trim());
  return { title: action?.title ?? operation, columns, rest };
}

// "removeLeadingAndTrailingWhitespace" -> "Remove leading and trailing whitespace"
export function words(name) {
  const said = name.replace(/([a-z])([A-Z0-9])/g, "$1 $2").toLowerCase();
  return said[0].toUpperCase() + said.slice(1);
}

const WHOLE = /^[+-]?\d+$/;
const CHECKS = {
  int: (value) => (WHOLE.test(value.trim()) ? null : "A whole number."),
  number: (value) => (value.trim() !== "" && /^-?Infinity$|^[^a-z]*(e[+-]?\d+)?$/i.test(value.trim())
    && !Number.isNaN(Number(value)) ? null : "A number."),
  "json-object": (value) => shaped(value, (found) => typeof found === "object" && !Array.isArray(found), "object"),
  "json-list": (value) => shaped(value, Array.isArray, "list"),
};

function shaped(value, fits, what) {
  try {
    const found = JSON.parse(value);
    return found !== null && fits(found) ? null : `A JSON ${what}.`;
  } catch (error) {
    return `A JSON ${what}: ${error.message}`;
  }
}

// {parameter: what is wrong} of a form's values, as far as the page can know.
export function problems(action, values, conditions, columns) {
  const found = {};
  const groups = new Map();
  for (const parameter of action.parameters) {
    const { name, type, required, oneOf } = parameter;
    const value = values[name] ?? "";
    if (oneOf) groups.set(oneOf, [...(groups.get(oneOf) ?? []), parameter]);
    if (value === "" || value === "[]") {
      if (required) found[name] = "This is needed.";
      continue;
    }
    const wrong = CHECKS[isList(parameter) ? "json-list" : type]?.(value);
    if (wrong) found[name] = wrong;
    else if (type === "column" && columns.length && !columns.includes(value)) found[name] = "There is no such column.";
    else if (type === "new-column" && columns.some((one) => one.toLowerCase() === value.toLowerCase()))
      found[name] = `There is a column ${value} already.`;
  }
  for (const group of groups.values()) {
    const told = group.some(({ name }) => values[name] !== undefined && values[name] !== "" && values[name] !== "[]");
    if (!told) found[shownOf(group, values).name] = "This is needed.";
  }
  if (action.operation === "REMOVE_VALUES" && !conditions.length) found.conditions = "Say which rows.";
  if (conditions.some((one) => !one.TargetColumn)) found.conditions = "Each condition needs a column.";
  return found;
}

// Of parameters that stand for one another the one that is given, else a list of columns, else the first.
export const shownOf = (group, values) => group.find(({ name }) => values[name] !== undefined)
  ?? group.find(({ type }) => type === "json-list<column>") ?? group[0];

// The field that an error of the service is about: by the parameter it names, else by the value it quotes.
export function fieldOf(message, action, values) {
  const named = /parameters? '?(\w+)'?/.exec(message)?.[1];
  if (action.parameters.some(({ name }) => name === named)) return named;
  const quoted = /'([^']*)'/.exec(message)?.[1];
  return action.parameters.find(({ name }) => quoted !== undefined
    && (values[name] === quoted || listOf(values[name]).includes(quoted)))?.name ?? null;
}

// The message without the step's number and name, which the form shows already.
export const withoutStep = (message) => message.replace(/^Step \d+ \(\w+\): /, "");

// The number of the step, from 1, that an error is about.
export const stepNumber = (message) => Number(/^Step (\d+) \(/.exec(message ?? "")?.[1] ?? 0);
