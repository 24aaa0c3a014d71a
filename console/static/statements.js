// A text with several statements: which one stands where, and what it leaves open.

// Comments, texts and quoted names hide what stands in them; one that is not closed goes to the end.
const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|[;?]|[\s\S]/g;

// [{from, to, parameters}] of each statement, without the ";" that ends it; blank ones are left out.
export function statements(text) {
  const found = [];
  let from = 0;
  let parameters = 0;
  let blank = true;
  const end = (to) => {
    if (!blank) found.push({ from, to, parameters });
    from = to + 1;
    parameters = 0;
    blank = true;
  };
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    if (token === ";") end(match.index);
    else if (token === "?") parameters += 1;
    if (token !== ";" && !/^(\s|--|\/\*)/.test(token)) blank = false;
  }
  end(text.length);
  return found.map((one) => {
    const lead = /^\s*/.exec(text.slice(one.from, one.to))[0].length;
    return { ...one, from: one.from + lead, to: one.from + text.slice(one.from, one.to).trimEnd().length };
  });
}

// Of these, the statement that a cursor is in, or the one before it; undefined when there is none.
export const at = (all, position) => all.find((one) => position <= one.to) ?? all.at(-1);
