// The graph as one SVG that needs nothing around it: the same layout, colours and words as the page.
import { html } from "./ui.js";
import { duration } from "./format.js";
import { standing, wayOf, WORDS } from "./fold.js";
import { aside, path } from "./elkgraph.js";
import { glyph, kindOf, sharedCatches } from "./machine.js";
import { fitted, pixels, styleOf } from "./svgtext.js";

const FOOT = 30; // the line below the graph
const TONES = { Choice: "caught", Fail: "failed", Succeed: "succeeded", Task: "running", Parallel: "idle",
  Map: "idle" };

// `placed` is placedOf's answer; `fold` the history of an execution, or null for the definition
// alone; `colours` {light, dark}: names of style.css to colours; `theme` leaves only one of them;
// `id` is for this SVG alone in the document that it comes to stand in.
export function Picture({ machine, placed, fold = null, now = 0, id, title, colours, theme = null }) {
  const ways = fold?.ways;
  const at = new Map(placed.nodes.filter((node) => node.entry).map((node) => [node.entry.name, node]));
  const shared = sharedCatches(machine);
  const shown = shared.filter((edge) => ways?.has(wayOf(edge)));
  const curves = shown.map((edge) => aside(at.get(edge.from), at.get(edge.to)));
  const foot = footnote(shared, shown, machine);
  const width = Math.ceil(Math.max(placed.width, ...curves.map((curve) => curve.right + 10), foot
    ? pixels(foot, 11) + 32 : 0));
  const height = Math.ceil(placed.height + (foot ? FOOT : 0));
  const left = (width - Math.max(placed.width, ...curves.map((curve) => curve.right + 10))) / 2;
  const style = styleOf(id, colours, theme);
  const standings = new Map([...(fold?.states ?? [])].map(([name, visits]) => [name, standing(visits, now)]));
  return html`<svg xmlns="http://www.w3.org/2000/svg" id=${id} width=${width} height=${height}
    viewBox=${`0 0 ${width} ${height}`} role="img" aria-labelledby=${`${id}-title ${id}-desc`}>
<title id=${`${id}-title`}>${title}</title>
<desc id=${`${id}-desc`}>${inWords(machine, standings, Boolean(fold))}</desc>
<style>${style}</style>
<defs>${["", "taken", "catch"].map((kind) => html`<marker id=${`${id}-arrow${kind}`} viewBox="0 0 8 8" refX="7"
  refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
    <path d="M0,0.8L7.5,4L0,7.2z" class=${`head ${kind}`} /></marker>`)}</defs>
<rect class="paper" width=${width} height=${height} rx="10" />
<g transform=${`translate(${left},0)`}>
${placed.nodes.filter((node) => node.container || node.branch)
  .map((node) => html`<${State} node=${node} found=${standings.get(node.entry?.name)} ran=${Boolean(fold)} />\n`)}
${placed.lines.map((line) => html`<${Line} id=${id} line=${line} times=${line.edge
  ? (ways?.get(wayOf(line.edge)) ?? 0) : ways && fold.visits.length ? 1 : 0} />\n`)}
${shown.map((edge, index) => html`<g class="line catch taken">
  <path d=${curves[index].d} marker-end=${`url(#${id}-arrowcatch)`} /></g>\n`)}
${placed.nodes.filter((node) => !node.container && !node.branch)
  .map((node) => html`<${node.mark ? Mark : State} node=${node} found=${standings.get(node.entry?.name)}
    ran=${Boolean(fold)} />\n`)}
</g>
${foot && html`<text class="quiet" x="16" y=${height - 14} font-size="11">${foot}</text>`}
</svg>`;
}

function footnote(shared, shown, machine) {
  const dashed = [...machine.states.values()].some((entry) => entry.state.Catch?.length);
  if (!dashed) return "";
  const left = shared.filter((edge) => !shown.includes(edge));
  const handlers = [...new Set(left.map((edge) => edge.to))];
  const named = handlers.length > 2 ? `${handlers.length} handlers`
    : handlers.map((name) => `“${fitted(name, 11, 200)}”`).join(" and ");
  return `Dashed: on an error.${left.length ? ` Not drawn: ${left.length} more, to ${named}.` : ""}`;
}

// What somebody hears who does not see it.
function inWords(machine, standings, ran) {
  const told = [...machine.states.values()].map((entry) => {
    const found = standings.get(entry.name);
    return `${entry.name} (${kindOf(entry)}${ran
      ? `, ${found ? `${WORDS[found.status]}, ${duration(found.milliseconds)}` : "not reached"}` : ""})`;
  });
  return `${machine.states.size} states, starting at ${machine.root.startAt}: ${told.join("; ")}.`;
}

function Mark({ node }) {
  return html`<g class="plain">
    <rect class="box" x=${node.x} y=${node.y} width=${node.width} height=${node.height} rx=${node.height / 2} />
      <text class="quiet" x=${node.x + node.width / 2} y=${node.y + node.height / 2 + 4} font-size="11"
        text-anchor="middle">${node.mark.text}</text></g>`;
}

function State({ node, found, ran }) {
  if (node.branch) return html`<rect class="branch" x=${node.x} y=${node.y} width=${node.width} height=${node.height}
    rx="9" />`;
  const { entry, x, y, width } = node;
  const tone = found ? found.status.replace("timed out", "failed")
    : `${TONES[entry.type] ?? "idle"} plain${ran ? " unreached" : ""}`;
  const badges = found ? badgesOf(found) : [];
  const height = node.container ? 46 : node.height;
  const room = width - 56 - badges.reduce((sum, text) => sum + pixels(text, 10) + 13, 0);
  const size =
    Math.max(10.5,
      Math.min(12.5,
        Math.floor((125 * room) / pixels(entry.name, 12.5, true)) / 10)); // a little smaller before it is cut
  const took = found ? duration(found.milliseconds) : "";
  const kind = `${kindOf(entry)}${entry.type === "Parallel"
    ? `, ${entry.branches.length} ${entry.branches.length === 1 ? "branch" : "branches"}` : ""}`;
  let right = x + width - 7;
  return html`<g class=${`${tone} ${node.container ? "container" : "state"}`}>
<title>${entry.name}${entry.state.Comment ? `: ${entry.state.Comment}` : ""}</title>
<rect class="box" x=${x} y=${y} width=${width} height=${node.height} rx=${node.container ? 12
  : ["Choice", "Succeed", "Fail"].includes(entry.type) ? 20 : 9} />
<rect class="tile" x=${x + 8} y=${y + height / 2 - 16} width="32" height="32"
  rx=${["Choice", "Succeed", "Fail"].includes(entry.type) ? 16 : 7} />
<text class="sign" x=${x + 24} y=${y + height / 2 + 4.5} font-size="12.5" font-weight="700" text-anchor="middle">
  ${glyph(entry)}</text>
<text x=${x + 48} y=${y + height / 2 - 3} font-size=${size} font-weight="600">${fitted(entry.name, size, room, true)}
  </text>
<text class="quiet" x=${x + 48} y=${y + height / 2 + 13} font-size="11">
  ${took && html`<tspan class="took" font-weight="700">${took}</tspan>${"  "}`}
    ${fitted(kind, 11, width - 56 - (took ? pixels(took, 11) + 12 : 0))}</text>
${badges.map((text) => {
  const wide = pixels(text, 10) + 9;
  right -= wide + 3;
  return html`<rect class="badge" x=${right} y=${y + height / 2 - 15} width=${wide} height="15" rx="7.5" />
    <text x=${right + wide / 2} y=${y + height / 2 - 4} font-size="10" font-weight="650" text-anchor="middle">${text}
      </text>`;
})}</g>`;
}

function badgesOf(found) {
  return [
    found.visits > 1 && `×${found.visits}`,
    found.retries > 0 && `↻${found.retries}`,
    found.rounds && `${found.rounds.Succeeded}/${found.items ?? found.rounds.Started}`,
  ].filter(Boolean).reverse();
}

function Line({ id, line, times }) {
  const kind = line.edge?.kind === "catch" ? "catch" : times ? "taken" : "";
  const middle = line.points[Math.floor(line.points.length / 2)];
  return html`<g class=${`line ${line.edge?.kind ?? "next"} ${times ? "taken" : ""}`}>
    ${line.edge?.label && html`<title>${line.edge.label}</title>`}
      <path d=${path(line.points)} marker-end=${`url(#${id}-arrow${kind})`} />
        ${line.label && html`<text x=${line.label.x + 4} y=${line.label.y + 11} font-size="10.5">
          ${fitted(line.label.text, 10.5, 400)}${times > 1 ? ` ×${times}` : ""}</text>`}
            ${!line.label && times > 1
              && html`<text x=${middle.x + 5} y=${middle.y - 5} font-size="10.5" font-weight="700">×${times}</text>`}
                </g>`;
}
