// CSV files as spreadsheets write them: RFC 4180, and semicolons or tabs where a header has them.
import { FIELDS, NAMES, wrongWith } from "./fields.js";

export const MAX_ROWS = 10_000;

// The cells of every line; a quoted cell may hold separators, line ends and doubled quotes.
export function parse(text, separator = ",") {
  const lines = [];
  let line = [];
  let cell = "";
  let quoted = false;
  const endCell = () => {
    line.push(cell);
    cell = "";
  };
  const endLine = () => {
    endCell();
    if (line.length > 1 || line[0].trim() !== "") lines.push(line);
    line = [];
  };
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else quoted = false;
    } else if (c === '"' && cell.trim() === "") {
      cell = "";
      quoted = true;
    } else if (c === separator) endCell();
    else if (c === "\n" || c === "\r") {
      if (c === "\r" && text[i + 1] === "\n") i += 1;
      endLine();
    } else cell += c;
  }
  if (quoted) throw new Error("A quotation mark is opened and never closed.");
  endLine();
  return lines;
}

const quote = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

export const write = (lines) => lines.map((cells) => cells.map((c) => quote(String(c))).join(",")).join("\r\n") + "\r\n";

// {extra, rows}: the names of the columns that are no features, and for each data line `number` (its
// place in the file), `values` and `line` (the 18 as the API takes them), `extra` (the other cells) and
// `wrong` (why it cannot be asked, or ""). Throws an Error that says what is wrong with the file.
export function readRows(text) {
  const clean = text.replace(/^\uFEFF/, "");
  const first = clean.split(/\r|\n/, 1)[0];
  const separator = [",", ";", "\t"].find((s) => first.split(s).length >= FIELDS.length) ?? ",";
  const lines = parse(clean, separator);
  if (!lines.length) throw new Error("The file is empty.");
  const header = lines[0].map((cell) => cell.trim());
  const named = header.some((cell) => /^[A-Za-z_]/.test(cell));
  let positions = NAMES.map((_, index) => index);
  let extra = [];
  if (named) {
    const missing = NAMES.filter((name) => !header.includes(name));
    if (missing.length === NAMES.length) throw new Error("The first line names none of the 18 features. Take the template, or leave the header out.");
    if (missing.length) throw new Error(`The header lacks ${missing.join(", ")}.`);
    positions = NAMES.map((name) => header.indexOf(name));
    extra = header.map((name, index) => ({ name, index })).filter(({ index }) => !positions.includes(index));
  }
  const data = named ? lines.slice(1) : lines;
  if (!data.length) throw new Error("The file has a header and no rows.");
  if (data.length > MAX_ROWS) throw new Error(`The file has ${data.length.toLocaleString("en")} rows; at most ${MAX_ROWS.toLocaleString("en")} are answered.`);
  const width = named ? header.length : FIELDS.length;
  const rows = data.map((cells, index) => {
    const values = positions.map((position) => (cells[position] ?? "").trim());
    let wrong = cells.length === width ? "" : `has ${cells.length} values instead of ${width}.`;
    for (let i = 0; i < FIELDS.length && !wrong; i += 1) {
      const reason = wrongWith(FIELDS[i], values[i]);
      if (reason) wrong = `${FIELDS[i].name} ${reason}`;
    }
    return { number: index + 1, values, line: values.join(","), extra: extra.map(({ index: at }) => cells[at] ?? ""), wrong };
  });
  return { extra: extra.map(({ name }) => name), rows };
}
