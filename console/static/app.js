// The shell: where we are, what is connected, and which view that is.
import { html, render, useEffect, useState } from "./ui.js";
import { get } from "./api.js";
import { Executions, Machines } from "./executions.js";
import { Execution } from "./execution.js";
import { Compare } from "./compare.js";
import { Definition } from "./definition.js";
import { Glue } from "./glue.js";
import { Lake } from "./lake.js";
import { Prepare } from "./prepare.js";
import { Query } from "./query.js";
import { Schedules } from "./schedules.js";

const VIEWS = [["", "Executions", /^(|machine|map|execution|compare|definition)$/], ["lake", "Lake", /^lake$/],
  ["prepare", "Prepare", /^prepare$/], ["glue", "Glue", /^glue$/], ["query", "Query", /^query$/],
  ["schedules", "Schedules", /^schedules$/]];

// "#/execution/ARN?tab=events&state=Train"
function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view = "", ...rest] = path.split("/");
  return { view, arns: rest.map(decodeURIComponent), query: Object.fromEntries(new URLSearchParams(query)) };
}

function goTo(changes) {
  const at = place();
  const query = Object.entries({ ...at.query, ...changes })
    .filter(([, value]) => value !== null && value !== undefined);
  location.hash = `#/${[at.view, ...at.arns.map(encodeURIComponent)].join("/")}${query.length
    ? `?${new URLSearchParams(query)}` : ""}`;
}

function useTheme() {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "system");
  useEffect(() => {
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  return [theme, () => setTheme({ system: "dark", dark: "light", light: "system" }[theme])];
}

function App() {
  const [at, setAt] = useState(place);
  const [connection, setConnection] = useState(null);
  const [machines, setMachines] = useState(null);
  const [error, setError] = useState(null);
  const [theme, nextTheme] = useTheme();
  useEffect(() => {
    const moved = () => setAt(place());
    addEventListener("hashchange", moved);
    get("connection").then(setConnection, setError);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    if (["execution", "compare", "lake", "prepare", "glue", "query", "schedules"].includes(at.view)) return undefined;
    let current = true;
    const look = () => get("machines")
      .then((found) => current
        && (setMachines((old) => (JSON.stringify(old) === JSON.stringify(found) ? old : found)), setError(null)),
          (problem) => current && setError(problem));
    look();
    const timer = setInterval(look, connection?.local ? 5000 : 30000);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [at.view, connection]);
  const machine = at.view === "machine" || at.view === "map" ? at.arns[0] : !at.view ? machines?.[0]?.stateMachineArn
    : null;
  const arn = at.arns[0];
  useEffect(() => {
    document.title = [at.view === "execution" ? arn?.split(":").at(-1)
      : machine?.split(":").at(-1), VIEWS.find(([, , of]) => of.test(at.view))?.[1] ?? "Executions"].filter(Boolean)
        .join(" · ");
  }, [at.view, arn, machine]);
  return html`<header class="top"><img src="/static/icon.svg" alt="" width="22" height="22" />
      <nav class="views" aria-label="Views">
        ${VIEWS.map(([view, name, of]) => html`<a href=${`#/${view}`} aria-current=${of.test(at.view) ? "page"
          : undefined}>${name}</a>`)}</nav>
      ${connection && html`<span class=${`where ${connection.local ? "local" : "remote"}`}>
        ${connection.endpoint ?? "AWS"} · ${connection.region}</span>`}
      ${connection?.read_only && html`<span class="where">read-only</span>`}
      <span class="grow"></span><button onClick=${nextTheme} title="Light, dark, or as the system">
        ${{ system: "Theme: system", dark: "Theme: dark", light: "Theme: light" }[theme]}</button></header>
    <main class=${at.view || "home"}>
      ${at.view === "execution"
        ? html`<${Execution} key=${arn} arn=${arn} tab=${at.query.tab ?? "graph"} state=${at.query.state ?? null}
          stage=${at.query.stage ?? null} connection=${connection} go=${goTo} />`
      : at.view === "compare" ? html`<${Compare} key=${at.arns.join()} arns=${at.arns} />`
      : at.view === "definition"
        ? html`<${Definition} key=${arn} arn=${arn} state=${at.query.state ?? null} stage=${at.query.stage ?? null}
          go=${goTo} />`
      : at.view === "lake" ? html`<${Lake} database=${at.arns[0]} table=${at.arns[1]} connection=${connection} />`
      : at.view === "prepare" ? html`<${Prepare} name=${at.arns[0]} connection=${connection} />`
      : at.view === "glue" ? html`<${Glue} connection=${connection} />`
      : at.view === "query" ? html`<${Query} id=${at.arns[0]} connection=${connection} />`
      : at.view === "schedules" ? html`<${Schedules} connection=${connection} />`
      : html`<${Machines} machines=${machines} current=${machine} error=${error} />
        ${machine ? html`<${Executions} key=${machine} machine=${machine} connection=${connection} />`
          : html`<section class="executions">
            ${machines?.length === 0
              && html`<p class="quiet centred">No state machine here yet; deploy one and it appears.</p>`}</section>`}`}
    </main>`;
}

render(html`<${App} />`, document.getElementById("app"));
