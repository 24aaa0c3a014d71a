// What ui.js is to the page, for text: the same templates, written out as HTML that is XML too.
import htm from "htm";

const VOID = new Set(["meta", "br", "hr", "link", "input"]);
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu; // Cs: half a character
const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

class Markup {
  constructor(text) {
    this.text = text;
  }
}

export const escaped = (value) => String(value).replace(NOT_XML, "\ufffd").replace(/[&<>"\r]/g, (sign) => NAMES[sign]);

// Text that is markup already: a style sheet of our own, never anything given.
export const asIs = (text) => new Markup(text);

export function written(value) {
  if (value === null || value === undefined || value === false || value === true) return "";
  if (Array.isArray(value)) return value.map(written).join("");
  return value instanceof Markup ? value.text : escaped(value);
}

function h(kind, props, ...children) {
  if (typeof kind === "function") return kind({ ...props, children });
  let text = `<${kind}`;
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false || name === "key" || name === "ref"
      || name.startsWith("on")) continue;
    const given = name === "style" && typeof value === "object"
      ? Object.entries(value)
        .map(([key, item]) => `${key.replace(/[A-Z]/g, (sign) => `-${sign.toLowerCase()}`)}:${item}`).join(";") : value;
    text += ` ${name}="${given === true ? "" : escaped(given)}"`;
  }
  return new Markup(VOID.has(kind) ? `${text} />` : `${text}>${written(children)}</${kind}>`);
}

export const html = htm.bind(h);
export const Fragment = ({ children }) => new Markup(written(children));

// Nothing changes in a text: the hooks give what they begin with.
export const useMemo = (make) => make();
export const useCallback = (act) => act;
export const useRef = (current) => ({ current });
export const useState = (first) => [typeof first === "function" ? first() : first, () => {}];
export const useEffect = () => {};
export const useLayoutEffect = useEffect;
