// A definition as text that other tools draw: Mermaid (GitHub renders it) and Graphviz's DOT.
// Both know no shared places, so every state has a number, and a line to or from a container
// goes to its frame. Stages, where the definition has them, are frames around their states.
import { kindOf } from "./machine.js";
import { stagesOf } from "./stages.js";

function numbered(machine) {
  return new Map([...machine.states.keys()].map((name, index) => [name, `s${index}`]));
}

const oneLine = (text) => String(text).replace(/\s+/g, " ")
  .replace(/[\u0000-\u001f\u007f\ufffe\uffff\p{Cs}]/gu, "\ufffd");

// In quotes Mermaid takes any character but the quote itself; Markdown and entities are marked by
// these. Entities are written with # and without &.
const forMermaid = (text) => oneLine(text).replace(/[^\p{L}\p{N} .,:?!/()+-]/gu, (sign) => `#${sign.codePointAt(0)};`)
  .replace(/^(\d+)([.)])/, (_, number, sign) => `${number}#${sign.codePointAt(0)};`)
    .replace(/^([-+])/, (sign) => `#${sign.codePointAt(0)};`).replace(/:\/\//g, "#58;//")
      .replace(/www\./gi, (found) => `${found.slice(0, 3)}#46;`);

const SHAPES = { Choice: ["{", "}"], Succeed: ["([", "])"], Fail: ["([", "])"], Pass: ["[", "]"], Wait: ["[", "]"] };

export function mermaid(machine) {
  const ids = numbered(machine);
  const lines = ["flowchart TD"];
  const states = (names, depth) => {
    const indent = "    ".repeat(depth);
    for (const name of names) {
      const entry = machine.states.get(name);
      const id = ids.get(name);
      if (entry.branches.length) {
        lines.push(`${indent}subgraph ${id}["${forMermaid(name)} (${entry.type})"]`);
        entry.branches.forEach((branch, index) => {
          const several = entry.branches.length > 1;
          if (several) lines.push(`${indent}    subgraph ${id}b${index}[" "]`);
          walk(branch, depth + (several ? 2 : 1));
          if (several) lines.push(`${indent}    end`);
        });
        lines.push(`${indent}end`);
      } else {
        const [open, close] = SHAPES[entry.type] ?? ["[", "]"];
        const kind = entry.type === "Task" ? `<br/><small>${forMermaid(kindOf(entry))}</small>` : "";
        lines.push(`${indent}${id}${open}"${forMermaid(name)}${kind}"${close}`);
      }
    }
  };
  const ways = (scope, depth) => {
    const indent = "    ".repeat(depth);
    for (const edge of edgesOf(scope, machine)) {
      const label = edge.label ? `|"${forMermaid(shorten(edge.label))}"|` : "";
      lines.push(`${indent}${ids.get(edge.from)} ${edge.kind === "catch" ? "-.->"
        : "-->"}${label} ${ids.get(edge.to)}`);
    }
  };
  const walk = (scope, depth) => {
    states(scope.names, depth);
    ways(scope, depth);
  };
  if (ids.has(machine.root.startAt)) lines.push(`    start(["Start"]) --> ${ids.get(machine.root.startAt)}`);
  for (const { id, label, names } of framesOf(machine)) {
    if (!id) states(names, 1);
    else {
      lines.push(`    subgraph ${id}["${forMermaid(label)}"]`);
      states(names, 2);
      lines.push("    end");
    }
  }
  ways(machine.root, 1);
  for (const [name, entry] of machine.states)
    if (entry.type === "Fail") lines.push(`    style ${ids.get(name)} stroke:#a62c24`);
  return `${lines.join("\n")}\n`;
}

const quoted = (text) => `"${oneLine(text).replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
const STYLES = { Choice: "shape=diamond, style=solid, margin=0.05", Succeed: "shape=oval, style=solid",
  Fail: 'shape=oval, style=solid, color="#a62c24"' };

export function dot(machine) {
  const ids = numbered(machine);
  const lines = [
    `digraph ${quoted(machine.definition.Comment ?? "workflow")} {`,
    '    graph [compound=true, rankdir=TB, fontname="Helvetica", fontsize=12];',
    '    node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    '    edge [fontname="Helvetica", fontsize=9];',
  ];
  // A line cannot end at a cluster: it ends at the first state within, cut off at the frame.
  const anchor = (name) => {
    const branch = machine.states.get(name).branches.find((one) => machine.states.has(one.startAt));
    return branch ? anchor(branch.startAt) : name;
  };
  const states = (names, depth) => {
    const indent = "    ".repeat(depth);
    for (const name of names) {
      const entry = machine.states.get(name);
      if (entry.branches.length) {
        lines.push(`${indent}subgraph cluster_${ids.get(name)} {`,
          `${indent}    label=${quoted(`${name} (${entry.type})`)}; style=rounded;`);
        entry.branches.forEach((branch, index) => {
          const several = entry.branches.length > 1;
          if (several) lines.push(`${indent}    subgraph cluster_${ids.get(name)}b${index} {`,
            `${indent}        label=""; style=dashed;`);
          walk(branch, depth + (several ? 2 : 1));
          if (several) lines.push(`${indent}    }`);
        });
        lines.push(`${indent}}`);
      } else {
        const label = quoted(name).slice(0, -1) + (entry.type === "Task" ? `\\n${quoted(kindOf(entry)).slice(1)}`
          : '"');
        const style = STYLES[entry.type];
        lines.push(`${indent}${ids.get(name)} [label=${label}${style ? `, ${style}` : ""}];`);
      }
    }
  };
  const ways = (scope, depth) => {
    const indent = "    ".repeat(depth);
    for (const edge of edgesOf(scope, machine)) {
      const [from, to] = [anchor(edge.from), anchor(edge.to)];
      const given = [
        edge.label && `label=${quoted(shorten(edge.label))}`,
        edge.kind === "catch" && "style=dashed",
        edge.kind === "catch" && !edge.needed && "constraint=false",
        from !== edge.from && `ltail=cluster_${ids.get(edge.from)}`,
        to !== edge.to && `lhead=cluster_${ids.get(edge.to)}`,
      ].filter(Boolean);
      lines.push(`${indent}${ids.get(from)} -> ${ids.get(to)}${given.length ? ` [${given.join(", ")}]` : ""};`);
    }
  };
  const walk = (scope, depth) => {
    states(scope.names, depth);
    ways(scope, depth);
  };
  if (ids.has(machine.root.startAt)) {
    const first = anchor(machine.root.startAt);
    lines.push('    start [label="Start", shape=oval, style=solid];',
      `    start -> ${ids.get(first)}${first === machine.root.startAt ? ""
        : ` [lhead=cluster_${ids.get(machine.root.startAt)}]`};`);
  }
  for (const { id, label, names } of framesOf(machine)) {
    if (!id) states(names, 1);
    else {
      const look = `label=${quoted(label)}; style="rounded,filled"; color="#f2f3f5";`;
      lines.push(`    subgraph cluster_${id} {`, `        ${look}`);
      states(names, 2);
      lines.push("    }");
    }
  }
  ways(machine.root, 1);
  return `${lines.join("\n")}\n}\n`;
}

// The stages with their states, [{id, label, names}]; without stages one without id: all states.
function framesOf(machine) {
  const stages = stagesOf(machine);
  if (!stages.length) return [{ names: machine.root.names }];
  return stages.map(({ number, title, names }, index) => (
    { id: `stage${index}`, label: number === null ? title : `${number} ${title}`, names }
  ));
}

const shorten = (label) => (label.length > 60 ? `${label.slice(0, 59)}…` : label);

// Ways within one level; a handler's error names would hide the graph that they lie on.
function edgesOf(scope, machine) {
  return scope.edges.filter((edge) => edge.to !== null && scope.names.includes(edge.to))
    .map((edge) => (edge.kind === "catch" && edge.label === "any error" ? { ...edge, label: "" } : edge));
}
