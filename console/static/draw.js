// What Python asks of the page's modules (console/drawing.py): everything in, text out.
// Python reads imports and exports of this file, and of all that it imports, in these forms, each on a
// line of its own: import { a, b as c } from "./x.js"; import d from "./x.js"; import "./vendor/x.js";
// export { a } from "./x.js"; export function, class or const before a name; export default.
import { written } from "./markup.js";
import { html } from "./ui.js";
import { Fold } from "./fold.js";
import { graphOf, placedOf } from "./elkgraph.js";
import { parse } from "./machine.js";
import { Picture } from "./picture.js";
import { dot, mermaid } from "./flowchart.js";
import { Report } from "./report.js";
import { StagePicture } from "./stagepicture.js";
import { rowsOf, stagesOf } from "./stages.js";

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

// Stages first, where the definition has them; `states` asks for every state.
export function svg({ definition, title, events, now, colours, theme, states, costs }) {
  const machine = parse(definition);
  const story = events ? fold(events) : null;
  const stages = states ? [] : stagesOf(machine);
  const id = identity(JSON.stringify(
    [stages.length, graphOf(machine).graph, title, theme, events && [events[0]?.timestamp, events.length]],
  ));
  const shared = { id, title: title ?? machine.definition.Comment ?? "Workflow", colours, theme };
  const time = now ?? story?.last ?? 0;
  const drawn = stages.length
    ? written(html`<${StagePicture} ...${shared} ran=${Boolean(story)}
      rows=${rowsOf(stages, machine, story, time, costs)} />`)
    : written(html`<${Picture} ...${shared} machine=${machine} placed=${place(machine)} fold=${story} now=${time} />`);
  return `${drawn.replace(/(<\/(?:g|defs|style|desc|title)>)(?=<(?:g|defs|style|desc|rect class="paper"))/g,
    "$1\n")}\n`;
}

export function report(given) {
  const machine = parse(given.definition);
  return `<!doctype html>\n${written(html`<${Report} given=${given} machine=${machine} place=${place}
    story=${fold(given.events)} id="execution" />`)}\n`;
}

export const mermaidText = ({ definition }) => mermaid(parse(definition));
export const dotText = ({ definition }) => dot(parse(definition));
