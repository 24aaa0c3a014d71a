// What pictures have in common: their style, and how wide a text is where nothing can be measured.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif';

// Rules with the colours written out: not every viewer of SVG knows variables.
function rules(id, colour) {
  const at = `#${id}`;
  const tones = ["running", "succeeded", "failed", "caught", "aborted", "idle"];
  return [
    `${at}{font-family:${FONT}}`,
    `${at} .paper{fill:${colour.paper};stroke:none}`,
    `${at} text{fill:${colour.ink}}`,
    `${at} .quiet{fill:${colour.soft}}`,
    `${at} .box{fill:${colour.card};stroke:${colour.strong};stroke-width:1.5}`,
    `${at} .unreached .box{stroke-dasharray:4 3}`,
    `${at} .branch{fill:none;stroke:${colour.line};stroke-dasharray:4 3}`,
    ...tones.flatMap((tone) => [
      `${at} .${tone} .box{stroke:${colour[tone]};fill:${colour[`${tone}-paper`]}}`,
      `${at} .${tone} .tile{fill:${colour[tone]};fill-opacity:.13}`,
      `${at} .${tone} .sign,${at} .${tone} .took{fill:${colour[tone]}}`,
    ]),
    `${at} .plain .box{stroke:${colour.strong};fill:${colour.card}}`,
    `${at} .container .box{fill-opacity:.4}`,
    `${at} .badge{fill:${colour.card};stroke:${colour.line}}`,
    `${at} .line path{fill:none;stroke:${colour.soft};stroke-opacity:.7;stroke-width:1.5}`,
    `${at} .line.taken path{stroke:${colour.succeeded};stroke-opacity:1;stroke-width:2.2}`,
    `${at} .line.catch path{stroke:${colour.failed};stroke-opacity:1;stroke-dasharray:5 4}`,
    `${at} .line text{fill:${colour.soft};stroke:${colour.paper};stroke-width:4px;` +
      "stroke-linejoin:round;paint-order:stroke}",
    `${at} .line.taken text{fill:${colour.ink}}`,
    `${at} .head{fill:${colour.soft};stroke:none}`,
    `${at} .head.taken{fill:${colour.succeeded}}`,
    `${at} .head.catch{fill:${colour.failed}}`,
  ].join("\n");
}

// Pixels that a text takes in a wide font (DejaVu Sans): where another one is there, less.
const NARROW = /[ijl|'.,:;! ]/;
const BROAD = /[A-Z0-9mw@%&“”…=<>_≥≤]/;

export function pixels(text, size, bold = false) {
  let ems = 0;
  for (const sign of text) {
    if (sign.codePointAt(0) > 0x10ff && !BROAD.test(sign)) ems += 1.05;
    else ems += NARROW.test(sign) ? 0.33 : /[frt()]/.test(sign) ? 0.41 : BROAD.test(sign) ? 0.74 : 0.62;
  }
  return ems * size * (bold ? 1.13 : 1);
}

export function fitted(text, size, room, bold = false) {
  const line = text.replace(/\s+/g, " ");
  if (pixels(line, size, bold) <= room) return line;
  const signs = [...line];
  while (signs.length && pixels(signs.join(""), size, bold) > room - size) signs.pop();
  return `${signs.join("").trimEnd()}…`;
}

// Words in lines of at most `room` pixels, up to `most` lines.
export function lines(text, size, room, most, bold = false) {
  const found = [];
  for (const word of text.replace(/\s+/g, " ").trim().split(" ")) {
    const longer = found.length ? `${found.at(-1)} ${word}` : word;
    if (found.length && pixels(longer, size, bold) <= room) found[found.length - 1] = longer;
    else found.push(word);
  }
  const kept = found.slice(0, most);
  if (found.length > most) kept[most - 1] = `${kept[most - 1]} ${found.slice(most).join(" ")}`;
  return kept.map((line) => fitted(line, size, room, bold));
}

// Light and dark, as the viewer has it; `theme` leaves only one of them.
export const styleOf = (id, colours, theme) => (theme ? rules(id, colours[theme])
  : `${rules(id, colours.light)}\n@media (prefers-color-scheme:dark){\n${rules(id, colours.dark)}\n}`);
