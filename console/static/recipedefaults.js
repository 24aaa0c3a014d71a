// What a form is filled with before anybody writes: what the column and its figures suggest.

const OF_TYPE = { byte: "number", short: "number", int: "number", long: "number", float: "number", double: "number",
  decimal: "number", boolean: "boolean", timestamp: "timestamp", date: "date" };
const GROUP = (type) => OF_TYPE[type] ?? "string";

export const isNumber = (type) => GROUP(type) === "number";

// "Order Date " -> "order_date"
export const tidy = (name) => name.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "")
  || name;

function free(name, columns) {
  let found = name;
  for (let n = 2; columns.some((one) => one.name.toLowerCase() === found.toLowerCase()); n += 1) found = `${name}_${n}`;
  return found;
}

// Values for parameters that have none yet. `column`: the one that is looked at, or none.
export function withDefaults(action, values, column, columns) {
  const found = { ...values };
  const source = columns.find((one) => one.name === (values.sourceColumn ?? values.sourceColumn1)) ?? column;
  for (const { name, type, required, oneOf, values: allowed } of action.parameters) {
    if (found[name] !== undefined && found[name] !== "") continue;
    if (column && type === "column" && (name === "sourceColumn" || name === "sourceColumn1"))
      found[name] = column.name;
    else if (column && type === "json-list<column>" && name === "sourceColumns")
      found[name] = JSON.stringify([column.name]);
    else if (!required || oneOf) continue;
    else if (allowed?.length === 1) found[name] = allowed[0];
    else if (name === "columnDataType" && source) found[name] = kindFor(action, allowed, source);
    else if (type === "new-column" && source) found[name] = targetFor(action, source, columns);
    if (found[name] === undefined || (found[name] === "" && values[name] === undefined)) delete found[name];
  }
  const both = action.parameters.find((one) => one.name === "sourceColumns")?.oneOf;
  if (both && found.sourceColumn !== undefined && values.sourceColumn === undefined) delete found.sourceColumn;
  return found;
}

function kindFor(action, allowed, source) {
  const wanted = source.likelyType ?? source.type;
  if (allowed.includes(wanted) && action.operation === "CHANGE_DATA_TYPE") return source.likelyType ?? "";
  return allowed.includes(GROUP(wanted)) ? GROUP(wanted) : "";
}

function targetFor(action, source, columns) {
  if (action.operation === "RENAME") return tidy(source.name) === source.name ? "" : free(tidy(source.name), columns);
  return free(`${source.name}_${action.operation === "DUPLICATE" ? "copy" : action.operation.toLowerCase()}`, columns);
}
