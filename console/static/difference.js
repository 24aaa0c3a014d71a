// What a step does to the sample: rows as they are drawn, and how to say it.
import { isNumber } from "./recipedefaults.js";

// Rows of the view after, each {cells: [cell], was: [cell] where they differ, state: same, changed, removed or added};
// a removed row stands where it was. Rows are paired when nothing but cells, or nothing but rows, has changed.
export function differences(before, after) {
  if (!before) return after.rows.map(same);
  const places = after.columns.map(({ name }) => before.columns.findIndex((column) => column.name === name));
  const known = places.filter((place) => place >= 0).length;
  const numbers = after.columns.map(({ type }, n) => isNumber(type) && isNumber(before.columns[places[n]]?.type));
  // 25 and 25.0 are the same number in columns of numbers.
  const alike = (cell, old, n) => cell === old || (numbers[n] && cell !== null && old !== null
    && Number(cell) === Number(old));
  if (before.rows.length === after.rows.length && known) return after.rows.map((row, at) => {
    const old = before.rows[at];
    const was = row.map((cell, n) => (places[n] < 0 || alike(cell, old[places[n]], n) ? cell : old[places[n]]));
    const changed = row.some((cell, n) => cell !== was[n]);
    return changed ? { cells: row, was, state: "changed" } : same(row);
  });
  return removed(before, after, places) ?? after.rows.map(same);
}

const same = (cells) => ({ cells, was: null, state: "same" });

// The rows before with those struck that are not there afterwards; null when the others are not what they were.
function removed(before, after, places) {
  if (after.rows.length > before.rows.length || places.some((place) => place < 0)) return null;
  const keys = after.rows.map((row) => JSON.stringify(row));
  const found = [];
  let next = 0;
  for (const old of before.rows) {
    const cells = places.map((place) => old[place]);
    if (keys[next] === JSON.stringify(cells)) {
      found.push(same(cells));
      next += 1;
    } else found.push({ cells, was: null, state: "removed" });
  }
  return next === keys.length ? found : null;
}

const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// "12 cells of price change. 3 rows go. New: x."
export function said(before, after, rows) {
  const parts = [];
  const had = new Set(before.columns.map(({ name }) => name));
  const has = new Set(after.columns.map(({ name }) => name));
  const changed = new Map();
  for (const row of rows) if (row.state === "changed") row.cells.forEach((cell, at) => {
    if (cell !== row.was[at]) changed.set(after.columns[at].name, (changed.get(after.columns[at].name) ?? 0) + 1);
  });
  for (const [name, count] of changed) parts.push(`${many(count, "cell")} of ${name} ${
    count === 1 ? "changes" : "change"}`);
  const rowsNow = after.rowCount - before.rowCount;
  if (rowsNow < 0) parts.push(`${many(-rowsNow, "row")} ${rowsNow === -1 ? "goes" : "go"}`);
  if (rowsNow > 0) parts.push(`${many(rowsNow, "row")} more`);
  const made = [...has].filter((name) => !had.has(name));
  const gone = [...had].filter((name) => !has.has(name));
  if (made.length) parts.push(`new: ${made.join(", ")}`);
  if (gone.length) parts.push(`gone: ${gone.join(", ")}`);
  for (const column of after.columns) {
    const old = before.columns.find(({ name }) => name === column.name);
    if (old && old.type !== column.type) parts.push(`${column.name} is ${column.type} instead of ${old.type}`);
  }
  return parts.length ? parts.join(" · ") : "Nothing changes in the sample.";
}
