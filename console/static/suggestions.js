// What the figures and cells of a sample suggest: {column, text, detail, steps: [[operation, parameters, conditions]]}.
import { isNumber } from "./recipedefaults.js";

const SAYS_NOTHING = /^(n\/?a|null|none|nan|nil|-+|\?+|unknown|undefined|missing|tbd)$/i;
const MONEY = /^\s*[-+(]?\s*[$€£¥]?\s*\d{1,3}([,\s]?\d{3})*(\.\d+)?\s*[$€£¥%]?\s*\)?\s*$/;
const WORDS = { long: "a whole number", int: "a whole number", double: "a number", decimal: "a number", date: "a date",
  timestamp: "a point in time", boolean: "true or false" };
const FITS = {
  long: /^\s*-?\d+\s*$/, int: /^\s*-?\d+\s*$/, decimal: /^\s*-?\d+(\.\d*)?\s*$/,
  double: /^\s*-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/, boolean: /^(true|false)$/i, date: /^\s*\d{4}-\d\d-\d\d\s*$/,
  timestamp: /^\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?\s*$/,
};
const MOST_OF = 0.9;
const FEW = 5;

export const kindWord = (type) => WORDS[type] ?? `of the type ${type}`;
export const isMissing = (cell) => cell === null || cell === "";
export const fits = (type, cell) => isMissing(cell) || (FITS[type]?.test(cell) ?? true);

const percent = (part, all) => (part / all < 0.01 ? "Less than 1 %" : `${Math.round((100 * part) / all)} %`);
const some = (values) => [...new Set(values)].slice(0, FEW).map((one) => JSON.stringify(one)).join(", ");

// view: {columns, rows}; one suggestion a kind and column, the ones that come first first.
export function suggestions(view) {
  const found = [];
  const of = view.rows.length;
  if (!of) return found;
  const seen = new Set(view.rows.map((row) => JSON.stringify(row)));
  if (seen.size < of) found.push({ column: null, text: `${of - seen.size} of ${of} rows are there twice.`,
    detail: "Each is kept once.", label: "Remove duplicate rows", steps: [["DELETE_DUPLICATE_ROWS", {}]] });
  view.columns.forEach((column, at) => {
    const cells = view.rows.map((row) => row[at]);
    const filled = cells.filter((cell) => !isMissing(cell));
    const add = (text, detail, label, ...steps) => found.push({ column: column.name, text, detail, label, steps });
    if (!filled.length) {
      add(`${column.name} is empty.`, "No row of the sample has a value.", "Delete the column",
        ["DELETE", { sourceColumns: JSON.stringify([column.name]) }]);
      return;
    }
    if (column.type === "string") ofText(column, filled, add);
    ofMissing(column, of - filled.length, of, add);
  });
  return found;
}

function ofText(column, filled, add) {
  const { name } = column;
  const source = { sourceColumn: name };
  const padded = filled.filter((cell) => cell !== cell.trim());
  if (padded.length) add(`${percent(padded.length, filled.length)} of ${name} has white space at its ends.`,
    some(padded), "Trim", ["REMOVE_COMBINED", { ...source, removeLeadingAndTrailingWhitespace: "true" }]);
  const empty = filled.filter((cell) => SAYS_NOTHING.test(cell.trim()));
  if (empty.length && empty.length < filled.length) add(
    `${percent(empty.length, filled.length)} of ${name} says nothing.`,
    some(empty), "Make them missing", ...[...new Set(empty)].slice(0, FEW).map((cell) => ["REMOVE_COMBINED",
      { ...source, removeCustomValue: "true", customValue: cell },
      [{ Condition: "IS", Value: JSON.stringify([cell]), TargetColumn: name }]]));
  const real = filled.filter((cell) => !SAYS_NOTHING.test(cell.trim()));
  if (column.likelyType) {
    const wrong = real.filter((cell) => !fits(column.likelyType, cell));
    const word = kindWord(column.likelyType);
    add(wrong.length ? `${percent(wrong.length, filled.length)} of ${name} is not ${word}.` : `${name} is ${word}.`,
      wrong.length ? `${some(wrong)}: the preview shows what becomes of them.` : "Every value fits.", `Make it ${word}`,
      ["CHANGE_DATA_TYPE", { ...source, columnDataType: column.likelyType }]);
  } else if (real.filter((cell) => MONEY.test(cell)).length > real.length * MOST_OF) {
    const signs = [...new Set(real.join("").replace(/[\d.+\-\s]/g, ""))].join("");
    if (signs) add(`${name} is numbers with signs (${signs}).`, some(real.filter((cell) => /[^\d.]/.test(cell))),
      "Make them numbers",
      ["REMOVE_COMBINED", { ...source, removeCustomCharacters: "true", customCharacters: signs }],
      ["CHANGE_DATA_TYPE", { ...source, columnDataType: "double" }]);
  } else {
    const spellings = Map.groupBy(new Set(real.map((cell) => cell.trim())), (cell) => cell.toLowerCase());
    const twice = [...spellings.values()].filter((group) => group.length > 1);
    if (twice.length) add(`${name} has values that differ in capitals only.`,
      twice.slice(0, 3).map((group) => group.join(", ")).join("; "), "Write Them Alike", ["CAPITAL_CASE", source]);
  }
}

function ofMissing(column, missing, of, add) {
  if (!missing) return;
  const source = { sourceColumn: column.name };
  const text = `${percent(missing, of)} of ${column.name} is missing.`;
  if (isNumber(column.type)) add(text, `${missing} of ${of} rows.`, "Fill with the median",
    ["FILL_WITH_MEDIAN", source]);
  else if (missing < of / 20) add(text, `${missing} of ${of} rows.`, "Remove these rows", ["REMOVE_MISSING", source]);
  else if (column.type === "string") add(text, `${missing} of ${of} rows.`, "Fill with the most frequent",
    ["FILL_WITH_MOST_FREQUENT", source]);
}
