// The workflow as a graph: states as buttons over lines, with zoom, pan, overview and keyboard.
import { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import { duration } from "./format.js";
import { standing, wayOf, WORDS } from "./fold.js";
import { aside, path } from "./elkgraph.js";
import { layOut } from "./layout.js";
import { glyph, kindOf, sharedCatches } from "./machine.js";
import { sentenceOf } from "./stages.js";

const LEAST = 0.12;
const MOST = 2;
const READABLE = 0.72;
const OVERVIEW_PIXELS = 170;
const ROOM_FOR_OVERVIEW = 560; // a narrower window is all the graph's

export function Graph({ machine, fold, version, selected, onSelect, live, onStage }) {
  const frame = useRef(null);
  const [allCatches, setAllCatches] = useState(false);
  const [placed, setPlaced] = useState(null);
  const [problem, setProblem] = useState(null);
  const [view, setView] = useState(null); // {x, y, k}: canvas point p stands at p * k + (x, y)
  const [following, setFollowing] = useState(true);
  const [now, setNow] = useState(() => Date.now());

  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);

  useEffect(() => {
    let current = true;
    layOut(machine).then(
      (found) => setPlaced((old) => (current || !old ? found : old)),
      (error) => current && setProblem(String(error)),
    );
    return () => {
      current = false;
    };
  }, [machine]);

  const fit = useCallback(
    (whole = true) => {
      const box = frame.current?.getBoundingClientRect();
      if (!box || !placed) return;
      // The overview, which comes beside a graph that is larger, takes its place from it.
      const larger = !whole && window.innerWidth >= ROOM_FOR_OVERVIEW
        && (placed.width > box.width || placed.height > box.height);
      const beside = larger && !frame.current.closest(".graph").querySelector(".overview");
      const width = box.width - (beside ? OVERVIEW_PIXELS : 0);
      const both = Math.min(width / placed.width, box.height / placed.height);
      const k = whole ? Math.max(LEAST, Math.min(1, both))
        : Math.min(1, Math.max(READABLE, both, Math.min(1, (width - 20) / placed.width) * 0.999));
      const tight = !whole && placed.width * k > width ? READABLE : k;
      const y = placed.height * tight < box.height ? (box.height - placed.height * tight) / 2 : 0;
      const middle = placed.nodes.find((node) => node.id === "(start)");
      const x = placed.width * tight <= width ? (width - placed.width * tight) / 2
        : width / 2 - (middle.x + middle.width / 2) * tight;
      setView({ x, y, k: tight });
    },
    [placed],
  );

  useLayoutEffect(() => {
    if (placed && !view) fit(false);
  }, [placed, view, fit]);

  const standings = useMemo(() => {
    const found = new Map();
    if (fold) for (const [name, visits] of fold.states) found.set(name, standing(visits, now));
    return found;
  }, [fold, version, now]);

  const centre = useCallback(
    (name, gently = true) => {
      const node = placed?.nodes.find((item) => item.entry?.name === name);
      const box = frame.current?.getBoundingClientRect();
      if (!node || !box || !view) return;
      const [cx, cy] = [node.x + node.width / 2, node.y + Math.min(node.height, 120) / 2];
      const at = { x: cx * view.k + view.x, y: cy * view.k + view.y };
      const margin = 70;
      if (gently && at.x > margin && at.x < box.width - margin && at.y > margin && at.y < box.height - margin) return;
      setView({ ...view, x: at.x < margin || at.x > box.width - margin ? box.width / 2 - cx * view.k
        : view.x, y: box.height / 2.4 - cy * view.k });
    },
    [placed, view],
  );

  const current =
    useMemo(() => (live && fold
      ? fold.visits.findLast((visit) => visit.end === null && visit.type !== "Parallel"
        && visit.type !== "Map")?.name : null), [fold, version, live]);
  useEffect(() => {
    if (following && current && view) centre(current);
  }, [current, following, Boolean(view)]);

  useEffect(() => {
    if (selected && view) centre(selected);
  }, [selected, Boolean(view)]);

  const zoom = useCallback((factor, px, py) => {
    setView((old) => {
      if (!old) return old;
      const box = frame.current.getBoundingClientRect();
      const [x, y] = [px ?? box.width / 2, py ?? box.height / 2];
      const k = Math.max(LEAST, Math.min(MOST, old.k * factor));
      return { k, x: x - ((x - old.x) * k) / old.k, y: y - ((y - old.y) * k) / old.k };
    });
  }, []);

  useEffect(() => {
    const element = frame.current;
    const wheel = (event) => {
      event.preventDefault();
      setFollowing(false);
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.01), event.clientX - box.left,
        event.clientY - box.top);
      else setView((old) => old
        && { ...old, x: old.x - (event.shiftKey ? event.deltaY : event.deltaX), y: old.y - (event.shiftKey ? 0
          : event.deltaY) });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [zoom]);

  const drag = (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    const [x, y] = [event.clientX, event.clientY];
    const begun = view;
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    setFollowing(false);
    element.onpointermove = (move) =>
      setView({ ...begun, x: begun.x + move.clientX - x, y: begun.y + move.clientY - y });
    element.onpointerup = element.onpointercancel = () => {
      element.onpointermove = element.onpointerup = element.onpointercancel = null;
    };
  };

  const keys = (event) => {
    const names = placed?.nodes.filter((node) => node.entry) ?? [];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step && names.length) {
      event.preventDefault();
      const focused = document.activeElement?.dataset?.state ?? selected;
      const next = nearest(names, focused, event.key) ?? names[0];
      setFollowing(false);
      centre(next.entry.name);
      frame.current.querySelector(`[data-state="${CSS.escape(next.entry.name)}"]`)?.focus({ preventScroll: true });
    } else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit(true);
    else return;
    event.preventDefault();
  };

  const reached = fold?.ways.size ?? 0; // ways are only ever added
  const hidden = useMemo(() => sharedCatches(machine).filter((edge) => !fold?.ways.has(wayOf(edge))).length,
    [machine, fold, reached]);
  return html`<div class="graph"><div class="graph-main">
    <div class="graph-tools" role="toolbar" aria-label="Graph">
      <button onClick=${() => zoom(1.25)} title="Zoom in (+)" aria-label="Zoom in">+</button>
      <button onClick=${() => zoom(0.8)} title="Zoom out (−)" aria-label="Zoom out">−</button>
      <button onClick=${() => fit(true)} title="Show all (0)">Fit</button>
      <button onClick=${() => fit(false)} title="Readable size, from the start">Top</button>
      ${live && html`<button aria-pressed=${following} onClick=${() => setFollowing(!following)}
        title="Keep the running state in view">Follow</button>`}
      ${hidden > 0 && html`<button aria-pressed=${allCatches} onClick=${() => setAllCatches(!allCatches)}
        title="Lines to handlers that this execution did not take">Error paths (${hidden})</button>`}
    </div>
    <div class="frame" ref=${frame} onPointerDown=${drag} onKeyDown=${keys} tabindex="0" role="group"
      aria-label="Workflow graph; arrow keys go from state to state, Enter opens one">
      ${problem && html`<p class="problem">The graph could not be laid out: ${problem}</p>`}
      ${placed && view
        && html`<div class="canvas"
          style=${{ width: `${placed.width}px`, height: `${placed.height}px`,
            transform: `translate(${view.x}px, ${view.y}px) scale(${view.k})` }}>
        ${placed.nodes.filter((node) => node.container || node.branch)
          .map((node) => html`<${Container} key=${node.id} node=${node} standing=${standings.get(node.entry?.name)}
            selected=${selected} onSelect=${onSelect} />`)}
        <${Lines} placed=${placed} ways=${fold?.ways} version=${version} />
        <${Catches} machine=${machine} placed=${placed} all=${allCatches} ways=${fold?.ways} reached=${reached} />
        ${placed.nodes.filter((node) => !node.container && !node.branch)
          .map((node) => (node.mark ? html`<${Mark} key=${node.id} node=${node} onStage=${onStage} />`
              : html`<${State} key=${node.id} node=${node} standing=${standings.get(node.entry.name)}
                selected=${selected === node.entry.name} onSelect=${onSelect} />`))}
      </div>`}
      ${!placed && !problem && html`<p class="quiet centred">Laying out ${machine.states.size} states…</p>`}
    </div>
    </div>
    ${placed && view && html`<${Overview} placed=${placed} view=${view} frame=${frame} standings=${standings}
      onGo=${(next) => (setFollowing(false), setView(next))} />`}
  </div>`;
}

const box =
  (node) => ({ left: `${node.x}px`, top: `${node.y}px`, width: `${node.width}px`, height: `${node.height}px` });

function Mark({ node, onStage }) {
  const { text, stage } = node.mark;
  if (stage === null || !onStage) return html`<span class="mark" style=${box(node)}>${text}</span>`;
  return html`<button class="mark" style=${box(node)} onClick=${() => onStage(stage)}>${text}</button>`;
}

function nearest(nodes, name, key) {
  const from = nodes.find((node) => node.entry.name === name);
  if (!from) return null;
  const centre = (node) => ({ x: node.x + node.width / 2, y: node.y + (node.container ? 25 : node.height / 2) });
  const a = centre(from);
  const [dx, dy] = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[key];
  let best = null;
  for (const node of nodes) {
    if (node === from) continue;
    const b = centre(node);
    const along = (b.x - a.x) * dx + (b.y - a.y) * dy;
    const across = Math.abs((b.x - a.x) * dy) + Math.abs((b.y - a.y) * dx);
    if (along <= 4) continue;
    const score = along + across * 2.2;
    if (!best || score < best.score) best = { node, score };
  }
  return best?.node;
}

function Lines({ placed, ways, version }) {
  return useMemo(
    () => html`<svg class="lines" width=${placed.width} height=${placed.height} aria-hidden="true">
      <defs>
        ${["", "taken", "catch"].map((kind) => html`<marker id=${`arrow${kind}`} viewBox="0 0 8 8" refX="7" refY="4"
          markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0.8L7.5,4L0,7.2z" class=${`head ${kind}`} />
            </marker>`)}
      </defs>
      ${placed.lines.map((line) => {
        const times = line.edge ? (ways?.get(wayOf(line.edge)) ?? 0) : ways?.size ? 1 : 0;
        const kind = line.edge?.kind === "catch" ? "catch" : times ? "taken" : "";
        const middle = line.points[Math.floor(line.points.length / 2)];
        return html`<g key=${line.id} class=${`line ${line.edge?.kind ?? "next"} ${times ? "taken" : ""}`}>
          <path d=${path(line.points)} marker-end=${`url(#arrow${kind})`}>
            ${line.edge?.label && html`<title>${line.edge.label}</title>`}</path>
          ${line.label && html`<text x=${line.label.x + 4} y=${line.label.y + 11}>${line.label.text}
            ${times > 1 ? ` ×${times}` : ""}</text>`}
          ${!line.label && times > 1 && html`<text class="times" x=${middle.x + 5} y=${middle.y - 5}>×${times}</text>`}
        </g>`;
      })}
    </svg>`,
    [placed, ways, version],
  );
}

// Lines to shared handlers lie over the graph and do not move it: right side to right side.
function Catches({ machine, placed, all, ways, reached }) {
  return useMemo(() => {
    const at = new Map(placed.nodes.filter((node) => node.entry).map((node) => [node.entry.name, node]));
    const shown = sharedCatches(machine).filter((edge) => all || ways?.has(wayOf(edge)));
    return html`<svg class="lines" width=${placed.width} height=${placed.height} aria-hidden="true">${shown.map(
      (edge) => html`<g class=${`line catch ${ways?.has(wayOf(edge)) ? "taken" : ""}`}>
        <path d=${aside(at.get(edge.from), at.get(edge.to)).d} marker-end="url(#arrowcatch)" /></g>`,
    )}</svg>`;
  }, [machine, placed, all, ways, reached]);
}

function spoken(entry, found) {
  if (!found) return `, ${kindOf(entry)}, not reached`;
  const more = [found.visits > 1 && `${found.visits} passes`, found.retries
    && `${found.retries} retries`].filter(Boolean).join(", ");
  return `, ${kindOf(entry)}, ${WORDS[found.status]}, ${duration(found.milliseconds)}${more ? `, ${more}` : ""}`;
}

function Badges({ found }) {
  if (!found) return null;
  return html`${found.visits > 1 && html`<i class="badge" title=${`${found.visits} passes`}>×${found.visits}</i>`}
    ${found.retries > 0 && html`<i class="badge retry" title=${`${found.retries} retries`}>↻${found.retries}</i>`}
    ${found.rounds && html`<i class="badge" title="Iterations done of begun">
      ${found.rounds.Succeeded}/${found.items ?? found.rounds.Started}</i>`}`;
}

function State({ node, standing: found, selected, onSelect }) {
  const { entry } = node;
  return html`<button class=${`state ${found?.status.replace(" ", "-") ?? "idle"} type-${entry.type}`}
    style=${box(node)} data-state=${entry.name} aria-pressed=${selected}
    title=${sentenceOf(entry.state.Comment) || entry.name}
      onClick=${() => onSelect(entry.name)}>
    <span class="glyph" aria-hidden="true">${glyph(entry)}</span>
    <span class="name">${entry.name}</span>
    <span class="spoken">${spoken(entry, found)}</span><span class="kind" aria-hidden="true">
      ${found ? html`<b>${duration(found.milliseconds)}</b> ` : ""}
        ${entry.type === "Task" ? kindOf(entry) : entry.type}</span>
    <span class="badges" aria-hidden="true"><${Badges} found=${found} /></span>
  </button>`;
}

function Container({ node, standing: found, selected, onSelect }) {
  if (node.branch) return html`<div class="branch" style=${box(node)}></div>`;
  const { entry } = node;
  return html`<div class=${`container ${found?.status.replace(" ", "-") ?? "idle"}`} style=${box(node)}>
    <button class="state head" data-state=${entry.name} aria-pressed=${selected === entry.name}
      title=${sentenceOf(entry.state.Comment) || entry.name} onClick=${() => onSelect(entry.name)}>
      <span class="glyph" aria-hidden="true">${glyph(entry)}</span><span class="name">${entry.name}</span>
      <span class="spoken">${spoken(entry, found)}</span><span class="kind" aria-hidden="true">
        ${found ? html`<b>${duration(found.milliseconds)}</b> ` : ""}${entry.type}
          ${entry.type === "Parallel" ? `, ${entry.branches.length} branches` : ""}</span>
      <span class="badges" aria-hidden="true"><${Badges} found=${found} /></span>
    </button>
  </div>`;
}

function Overview({ placed, view, frame, standings, onGo }) {
  const box = frame.current?.getBoundingClientRect();
  if (!box) return null;
  const scale = Math.min(150 / placed.width, (box.height - 60) / placed.height, 0.25);
  if (window.innerWidth < ROOM_FOR_OVERVIEW) return null;
  if (placed.width * view.k <= box.width && placed.height * view.k <= box.height) return null;
  const go = (event) => {
    const at = event.currentTarget.getBoundingClientRect();
    const [x, y] = [(event.clientX - at.left) / scale, (event.clientY - at.top) / scale];
    onGo({ ...view, x: box.width / 2 - x * view.k, y: box.height / 2 - y * view.k });
  };
  return html`<svg class="overview" width=${placed.width * scale} height=${placed.height * scale}
    viewBox=${`0 0 ${placed.width} ${placed.height}`} aria-hidden="true"
      onPointerDown=${(event) => (event.currentTarget.setPointerCapture(event.pointerId), go(event))}
        onPointerMove=${(event) => event.buttons && go(event)}>
    ${placed.nodes.filter((node) => node.entry)
      .map((node) =>
        html`<rect key=${node.id}
          class=${`${standings.get(node.entry.name)?.status.replace(" ", "-") ?? "idle"} ${node.container
            ? "container" : ""}`} x=${node.x} y=${node.y} width=${node.width} height=${node.height} rx="12" />`)}
    <rect class="window" x=${-view.x / view.k} y=${-view.y / view.k} width=${box.width / view.k}
      height=${box.height / view.k} />
  </svg>`;
}
