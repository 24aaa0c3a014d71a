// What Python asks of the page's modules (console/drawing.py): everything in, text out.
import { written } from "./markup.js";
import { html } from "./ui.js";
import { Fold } from "./fold.js";
import { graphOf, placedOf } from "./elkgraph.js";
import { parse } from "./machine.js";
import { Picture } from "./picture.js";
import { dot, mermaid } from "./flowchart.js";
import { Report } from "./report.js";

let asked = 0;

// ELK's worker, called in place: it answers before it returns.
function elk(message) {
  asked += 1;
  answers.length = 0;
  self.onmessage({ data: { id: asked, ...message } });
  const { data, error } = answers.pop();
  if (error) throw new Error(`The graph could not be laid out: ${error.message ?? error}`);
  return data;
}

elk({ cmd: "register", algorithms: ["layered"] });

export function place(machine) {
  const { graph, extras } = graphOf(machine);
  return placedOf(elk({ cmd: "layout", graph, layoutOptions: {}, options: {} }), extras);
}

export function fold(events) {
  const made = new Fold();
  made.add(events);
  return made;
}

// The same picture has the same id everywhere, two different ones have different ids (FNV-1a).
function identity(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return `graph-${sum.toString(16).padStart(8, "0")}`;
}

export function svg({ definition, title, events, now, colours, theme }) {
  const machine = parse(definition);
  const story = events ? fold(events) : null;
  const id =
    identity(JSON.stringify([graphOf(machine).graph, title, theme, events && [events[0]?.timestamp, events.length]]));
  const drawn =
    written(html`<${Picture} machine=${machine} placed=${place(machine)} fold=${story} now=${now ?? story?.last ?? 0}
      id=${id} title=${title ?? machine.definition.Comment ?? "Workflow"} colours=${colours} theme=${theme} />`);
  return `${drawn.replace(/(<\/(?:g|defs|style|desc|title)>)(?=<(?:g|defs|style|desc|rect class="paper"))/g,
    "$1\n")}\n`;
}

export function report(given) {
  const machine = parse(given.definition);
  return `<!doctype html>\n${written(html`<${Report} given=${given} machine=${machine} placed=${place(machine)}
    story=${fold(given.events)} id="execution" />`)}\n`;
}

export const mermaidText = ({ definition }) => mermaid(parse(definition));
export const dotText = ({ definition }) => dot(parse(definition));
