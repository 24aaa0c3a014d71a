// Small parts that several views share.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";

const MARKS = { RUNNING: "running", PENDING_REDRIVE: "running", SUCCEEDED: "succeeded", FAILED: "failed",
  TIMED_OUT: "timed-out", ABORTED: "aborted", CANCELLED: "aborted" };

export function Status({ status }) {
  return html`<span class=${`pill ${MARKS[status] ?? "idle"}`}>${String(status ?? "").replace("_", " ").toLowerCase()}
    </span>`;
}

export function Problem({ error }) {
  return error ? html`<p class="problem" role="alert"><b>${error.code ?? error.name}</b> ${error.message}</p>` : null;
}

const AHEAD = 10; // rows that are drawn above and below those in sight

// Of `total` rows of one height in a box that scrolls: the box's ref and its onScroll, the first and the last in sight.
export function useSight(total, height) {
  const box = useRef(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const measure = () => box.current && setSeen({ top: box.current.scrollTop, height: box.current.clientHeight });
  useLayoutEffect(measure, []);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(seen.top / height) - AHEAD);
  const last = Math.min(total, Math.ceil((seen.top + seen.height) / height) + AHEAD);
  return { box, measure, first, last };
}

// Rows of one height, of which only those in sight exist.
export function Rows({ items, height, row, label, head, keyOf }) {
  const { box, measure, first, last } = useSight(items.length, height);
  return html`<div class="rows" role="table" aria-label=${label} aria-rowcount=${items.length + 1}>
    ${head && html`<div role="rowgroup">${head}</div>`}
    <div class="scroll" role="rowgroup" ref=${box} onScroll=${measure} tabindex="0">
      <div role="presentation" style=${{ height: `${items.length * height}px`, position: "relative" }}>
        ${items.slice(first, last)
          .map((item, index) => html`<div key=${keyOf(item)} class="row" role="presentation"
            style=${{ position: "absolute", top: `${(first + index) * height}px`, height: `${height}px`, left: 0,
              right: 0 }}>${row(item, first + index)}</div>`)}
      </div>
    </div>
  </div>`;
}

export function Tabs({ tabs, current, onChange, label }) {
  const move = (event) => {
    const at = tabs.findIndex(([key]) => key === current);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(at + step + tabs.length) % tabs.length][0];
    onChange(next);
    event.currentTarget.querySelector(`[data-tab="${next}"]`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${tabs.map(([key, name]) => html`<button key=${key} role="tab" data-tab=${key} aria-selected=${key === current}
      tabindex=${key === current ? 0 : -1} onClick=${() => onChange(key)}>${name}</button>`)}
  </div>`;
}

// What `ask` answers: [value, error, loading]; asked again when `keys` change.
export function useAnswer(ask, keys) {
  const [state, setState] = useState([undefined, null, true]);
  useEffect(() => {
    let current = true;
    setState(([value]) => [value, null, true]);
    Promise.resolve(ask()).then(
      (value) => current && setState([value, null, false]),
      (error) => current && setState([undefined, error, false]),
    );
    return () => {
      current = false;
    };
  }, keys);
  return state;
}

// Answers that come page by page, each with `next`: the first at once, others when `more` is called.
// {pages, next, more, busy, error, change (pages), fail (with an error)}.
export function usePages(ask) {
  const [pages, setPages] = useState([]);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const next = pages.at(-1)?.next;
  const more = () => {
    setBusy(true);
    ask(next).then((page) => setPages((old) => [...old, page]), setError).finally(() => setBusy(false));
  };
  useEffect(more, []);
  return { pages, next, more, busy, error, change: setPages, fail: setError };
}
