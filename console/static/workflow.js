// The workflow of an execution, or of a definition: its stages first, the states of one, or all of them.
import { html, useEffect, useMemo, useState } from "./ui.js";
import { Board, Ribbon, Steps } from "./board.js";
import { Graph } from "./graph.js";
import { machineOf, rowsOf, stageByState, stagesOf } from "./stages.js";

// `stage`: the number of the one that is open, "all", or null for the boxes (and for the stage of the
// selected state). `go` changes the address; `actions(failure, stage)` are shown where it failed.
export function Workflow({ machine, fold, version, live, selected, onSelect, stage, go, costs, local, actions }) {
  const stages = useMemo(() => stagesOf(machine), [machine]);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);
  const byState = useMemo(() => stageByState(stages, machine), [stages, machine]);
  const rows = useMemo(
    () => rowsOf(stages, machine, fold, now, costs, live), [stages, machine, fold, version, now, costs, live],
  );
  const open = stage === "all" ? "all"
    : stages.find((one) => String(one.number ?? "rest") === stage) ?? byState.get(selected) ?? null;
  const shown = useMemo(
    () => (!open || open === "all" ? machine : machineOf(open, stages, machine)), [open, stages, machine],
  );
  useEffect(() => {
    const close = (event) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      if (selected) go({ state: null });
      else if (open && stages.length) go({ stage: null });
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [selected, open, stages]);
  const graph = (key) => html`<${Graph} key=${key} machine=${shown} fold=${fold} version=${version}
    selected=${selected} onSelect=${onSelect} live=${live}
    onStage=${(number) => go({ stage: number, state: null })} />`;
  if (!stages.length) return graph("all");
  const show = (one) => go({ stage: one.number ?? "rest", state: null });
  const board = () => go({ stage: null, state: null });
  const all = () => go({ stage: "all" });
  if (!open) return html`<div class="stages"><${Board} rows=${rows} local=${local} onOpen=${show} actions=${actions} />
    <${Ribbon} rows=${rows} />
    <p class="quiet stages-foot">A stage opens its states. <button class="small" onClick=${all}>All
      ${` ${machine.states.size} states`}</button></p></div>`;
  return html`<div class="opened"><${Steps} rows=${rows} current=${open} onOpen=${show} onBoard=${board} onAll=${all} />
    ${graph(open === "all" ? "all" : open.title)}</div>`;
}
