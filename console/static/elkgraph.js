// From a machine to ELK's input, and from ELK's answer to places of states and lines. Pure: the
// page lays out in a worker (layout.js), Python in an embedded V8 (console/drawing.py).

const COMMON = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.cycleBreaking.strategy": "DEPTH_FIRST",
  "elk.layered.feedbackEdges": "true",
  "elk.layered.considerModelOrder.strategy": "PREFER_NODES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.thoroughness": "4",
  "elk.layered.spacing.nodeNodeBetweenLayers": "30",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "9",
  "elk.spacing.nodeNode": "26",
  "elk.spacing.edgeNode": "16",
  "elk.spacing.edgeEdge": "10",
  "elk.spacing.edgeLabel": "3",
  "elk.edgeLabels.inline": "false",
  "elk.separateConnectedComponents": "false",
};
const NODE_HEIGHT = 50;
const HEAD = 54; // a container's own head, above its branches

const width = (entry) => Math.round(Math.min(340, Math.max(200, entry.name.length * 7.4 + 96)));

const STRAIGHT = {
  "elk.layered.priority.straightness": "10", "elk.layered.priority.direction": "10",
  "elk.layered.priority.shortness": "5",
};

// Where the graph begins, ends, or leads to another stage.
const markOf = (id, text, stage = null) => (
  { id, mark: { text, stage }, width: Math.max(56, Math.round(text.length * 6.6 + 22)), height: 24 }
);

function elkScope(scope, machine) {
  const children = [];
  const edges = [];
  scope.names.forEach((name) => children.push(elkState(machine.states.get(name), machine)));
  const key = scope.startAt;
  const root = scope === machine.root;
  const exits = scope.exits ?? new Map(); // where one stage alone is drawn: state elsewhere -> mark
  if (root) {
    children.unshift(markOf("(start)", scope.from ?? "Start", scope.source));
    if (!scope.exits || scope.edges.some((edge) => edge.to === null)) children.push(markOf("(end)", "End"));
    for (const { stage, text } of new Map([...exits.values()].map((exit) => [exit.stage, exit])).values())
      children.push(markOf(`(to ${stage})`, text, stage));
    for (const entry of scope.entries ?? [key])
      if (machine.states.has(entry))
        edges.push({
          id: `(begin) ${entry}`, sources: ["(start)"], targets: [`s:${entry}`],
        });
  }
  const spine = mainWay(scope);
  const drawn = new Set();
  scope.edges.forEach((edge, index) => {
    const exit = root ? exits.get(edge.to) : null;
    if (edge.to === null ? !root : !scope.names.includes(edge.to) && !exit) return;
    if (edge.kind === "catch" && !edge.needed) return;
    const target = edge.to === null ? "(end)" : exit ? `(to ${exit.stage})` : `s:${edge.to}`;
    if (exit && drawn.has(`${edge.from} ${target}`)) return;
    drawn.add(`${edge.from} ${target}`);
    const label = edge.kind === "next" || edge.kind === "catch" ? "" : shorten(edge.label);
    edges.push({
      id: `e:${key}:${index}`, edge, layoutOptions: spine.has(edge) ? STRAIGHT : {},
      sources: [`s:${edge.from}`], targets: [target],
      labels: label ? [{ text: label, width: label.length * 5.7 + 8, height: 15 }] : [],
    });
  });
  return { children, edges };
}

// The longest way down without a loop: it should run straight.
function mainWay(scope) {
  const found = new Map(); // name -> {length, edge}
  const longest = (name, above) => {
    if (found.has(name)) return found.get(name);
    let best = { length: 0, edge: null };
    above.add(name);
    for (const edge of scope.edges) {
      if (edge.from !== name || edge.to === null || above.has(edge.to)) continue;
      const length = longest(edge.to, above).length + (edge.kind === "catch" ? 0 : 1);
      if (length > best.length) best = { length, edge };
    }
    above.delete(name);
    found.set(name, best);
    return best;
  };
  const spine = new Set();
  let at = longest(scope.startAt, new Set());
  while (at?.edge && !spine.has(at.edge)) {
    spine.add(at.edge);
    at = found.get(at.edge.to);
  }
  return spine;
}

const shorten = (label) => (label.length > 30 ? `${label.slice(0, 29)}…` : label);

function elkState(entry, machine) {
  const node = { id: `s:${entry.name}`, entry, width: width(entry), height: NODE_HEIGHT };
  if (!entry.branches.length) return node;
  node.layoutOptions = { ...COMMON, "elk.padding": `[top=${HEAD},left=10,bottom=12,right=10]`,
    "elk.nodeSize.constraints": "MINIMUM_SIZE", "elk.nodeSize.minimum": `(${width(entry)},${NODE_HEIGHT})` };
  node.children = entry.branches.map((branch, index) => ({
    id: `b:${entry.name}:${index}`, branch: index,
      layoutOptions: { ...COMMON, "elk.alignment": "TOP", "elk.padding": "[top=8,left=8,bottom=8,right=8]" },
    ...elkScope(branch, machine),
  }));
  return node;
}

// ELK's input, and what stands behind its ids: states, edges.
export function graphOf(machine) {
  const graph = { id: "root", layoutOptions: { ...COMMON, "elk.padding": "[top=16,left=16,bottom=16,right=16]" },
    ...elkScope(machine.root, machine) };
  const extras = new Map();
  const strip = (node) => {
    if (node.entry ?? node.mark) extras.set(node.id, node.entry ?? node.mark);
    delete node.entry;
    delete node.mark;
    for (const edge of node.edges ?? []) {
      extras.set(edge.id, edge.edge);
      delete edge.edge;
    }
    (node.children ?? []).forEach(strip);
  };
  strip(graph);
  return { graph, extras };
}

// ELK's answer as {width, height, nodes: [{entry|mark|branch, x, y, width, height, container}],
// lines: [{edge, points, label}]}.
export function placedOf(graph, extras) {
  const nodes = [];
  const lines = [];
  const walk = (node, left, top, depth) => {
    for (const edge of node.edges ?? []) {
      for (const section of edge.sections ?? []) {
        const points = [section.startPoint, ...(section.bendPoints ?? []),
          section.endPoint].map(({ x, y }) => ({ x: x + left, y: y + top }));
        const label = edge.labels?.[0];
        lines.push({ id: edge.id, edge: extras.get(edge.id), points, depth, label: label
          && { text: label.text, x: label.x + left, y: label.y + top } });
      }
    }
    for (const child of node.children ?? []) {
      const [x, y] = [child.x + left, child.y + top];
      const marked = child.id.startsWith("(");
      const branch = child.id.startsWith("b:");
      if (!branch || node.children.length > 1) {
        nodes.push({
          id: child.id, entry: marked ? undefined : extras.get(child.id), mark: marked ? extras.get(child.id) : null,
          branch, x, y, width: child.width, height: child.height, container: Boolean(child.children?.length), depth,
        });
      }
      walk(child, x, y, depth + 1);
    }
  };
  walk(graph, 0, 0, 0);
  return { width: graph.width, height: graph.height, nodes, lines };
}

// A path along points, with rounded corners.
export function path(points, radius = 7) {
  let d = `M${points[0].x},${points[0].y}`;
  for (let i = 1; i < points.length - 1; i += 1) {
    const [a, b, c] = [points[i - 1], points[i], points[i + 1]];
    const into = Math.min(radius, Math.hypot(b.x - a.x, b.y - a.y) / 2);
    const out = Math.min(radius, Math.hypot(c.x - b.x, c.y - b.y) / 2);
    const from = towards(b, a, into);
    const to = towards(b, c, out);
    d += `L${from.x},${from.y}Q${b.x},${b.y} ${to.x},${to.y}`;
  }
  return `${d}L${points.at(-1).x},${points.at(-1).y}`;
}

function towards(from, to, distance) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) * distance) / length, y: from.y + ((to.y - from.y) * distance) / length };
}

// The way of a line to a handler that many states share: over the graph, right side to right side.
export function aside(a, b) {
  const from = { x: a.x + a.width, y: a.y + Math.min(a.height / 2, 25) };
  const to = { x: b.x + b.width, y: b.y + 25 };
  const out = Math.max(from.x, to.x) + 40 + Math.min(260, Math.abs(to.y - from.y) / 9);
  return { d: `M${from.x},${from.y}C${out},${from.y} ${out},${to.y} ${to.x + 2},${to.y}`, right: out };
}
