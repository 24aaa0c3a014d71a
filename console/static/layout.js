// Places of states and lines, worked out by ELK's layered algorithm in a worker.
import "/static/vendor/elk-api.js";
import { graphOf, placedOf } from "./elkgraph.js";

let elk = null;
const known = new Map(); // what was laid out last, by content

// The worker takes a moment to load; it may do so while the history is read.
export function warm() {
  elk ??= new window.ELK({ workerUrl: "/static/vendor/elk-worker.min.js" });
}

// The same as placedOf in elkgraph.js.
export async function layOut(machine) {
  warm();
  const { graph, extras } = graphOf(machine);
  const key = JSON.stringify(graph);
  const placed = known.get(key) ?? (await elk.layout(graph));
  if (known.size > 6) known.clear();
  known.set(key, placed);
  return placedOf(placed, extras);
}
