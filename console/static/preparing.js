// One project: its session, the sample after any number of steps, and a recipe that can be undone.
import { useEffect, useRef, useState } from "./ui.js";
import { ApiError, get, post } from "./api.js";
import { withFigures } from "./figures.js";

const FRAME_COLUMNS = 20; // as many as a view frame has
const MOST_COLUMNS = 100;
const MOST_ROWS = 10_000;
const KEPT_VIEWS = 24;

// The whole view, frame by frame: {columns, rows, rowCount, columnCount}; {text} where the answer is not drawn.
async function whole(ask) {
  const frame = (start) => ask({ StartColumnIndex: start, ColumnRange: FRAME_COLUMNS, StartRowIndex: 0,
    RowRange: MOST_ROWS });
  const { view, text } = await frame(0);
  if (!view) return { text, columns: [], rows: [] };
  for (let start = FRAME_COLUMNS; start < Math.min(view.columnCount, MOST_COLUMNS); start += FRAME_COLUMNS) {
    const more = (await frame(start)).view;
    view.columns.push(...more.columns);
    view.rows.forEach((row, at) => row.push(...more.rows[at]));
  }
  return withFigures(view);
}

export function useProject(name) {
  const [project, setProject] = useState(null);
  const [steps, setSteps] = useState([]);
  const [view, setView] = useState(null);
  const [at, setAt] = useState(null); // how many steps are looked at; null: all
  const [undone, setUndone] = useState({ past: [], future: [] });
  const [busy, setBusy] = useState("Opening the session…");
  const [error, setError] = useState(null);
  const session = useRef(null);
  const views = useRef(new Map());
  const turn = useRef(0);

  // An answer of the session; that a step does not fit is one, too.
  const act = async (wanted) => {
    const answer = await post("act", { name, session: session.current, ...wanted });
    if (answer.refused) throw new ApiError(answer.refused.code, answer.refused.message);
    return answer;
  };
  // Asked once for the same steps: the sample is fixed while the session lives.
  const seen = async (all, index, tried = null) => {
    const key = JSON.stringify([all.slice(0, index), tried]);
    const known = views.current.get(key);
    if (known) return known;
    const found = await whole((frame) => act({ index, frame, ...(tried && { step: tried, preview: true }) }));
    while (views.current.size >= KEPT_VIEWS) views.current.delete(views.current.keys().next().value);
    views.current.set(key, found);
    if (tried) views.current.set(JSON.stringify([[...all.slice(0, index), tried], null]), found);
    return found;
  };
  const during = async (what, work) => {
    const mine = (turn.current += 1);
    setBusy(what);
    try {
      const result = await work(() => mine === turn.current);
      if (mine === turn.current) setError(null);
      return result;
    } catch (problem) {
      if (mine === turn.current) setError(problem);
      return undefined;
    } finally {
      if (mine === turn.current) setBusy(null);
    }
  };
  const look = (all, index) => during("Looking…", async (current) => {
    setAt(index === all.length ? null : index);
    const found = await seen(all, index);
    if (current()) setView(found);
  });

  // Opens the session; somebody else's only on purpose.
  const enter = (control) => during("Opening the session…", async (current) => {
    const found = await get("project", { name });
    const opened = await post("session", { name, control });
    if (!current()) return;
    session.current = opened.ClientSessionId;
    setProject(found);
    setSteps(found.steps);
    const shown = await seen(found.steps, found.steps.length);
    if (current()) setView(shown);
  });
  useEffect(() => void enter(false), [name]);

  // Whether the recipe was written; that it does not fit the sample is told by the look that follows.
  const write = async (wanted) => {
    const sent = await during("Saving…", () => post("steps", { recipe: project.recipe, steps: wanted }));
    if (!sent) return false;
    setSteps(wanted);
    await look(wanted, wanted.length);
    return true;
  };
  const change = async (wanted) => {
    const before = steps;
    const done = await write(wanted);
    if (done) setUndone(({ past }) => ({ past: [...past, before], future: [] }));
    return done;
  };
  const undo = async () => {
    const last = undone.past.at(-1);
    if (last && await write(last))
      setUndone(({ past, future }) => ({ past: past.slice(0, -1), future: [steps, ...future] }));
  };
  const redo = async () => {
    const [next] = undone.future;
    if (next && await write(next))
      setUndone(({ past, future }) => ({ past: [...past, steps], future: future.slice(1) }));
  };
  // The step at its place: applied by the session when it is the last one, else by a change of the recipe.
  const apply = async (step, index) => {
    if (index < steps.length) return change(steps.map((old, n) => (n === index ? step : old)));
    const before = steps;
    const wanted = [...before, step];
    const done = await during("Applying…", () => act({ step,
      frame: { StartColumnIndex: 0, ColumnRange: 0, Analytics: "DISABLE" } }));
    if (!done) return false;
    setSteps(wanted);
    setUndone(({ past }) => ({ past: [...past, before], future: [] }));
    await look(wanted, wanted.length);
    return true;
  };
  return {
    project, steps, view, at, busy, error, setProject,
    canUndo: undone.past.length > 0, canRedo: undone.future.length > 0,
    look: (index) => look(steps, index), change, apply, undo, redo, enter,
    // {before, after}: the sample around a step that is tried at a place.
    tried: async (step, index) => ({ before: await seen(steps, index), after: await seen(steps, index, step) }),
  };
}
