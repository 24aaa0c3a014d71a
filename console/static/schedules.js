// What starts by itself: schedules and rules, when they come next, and their switches.
import { html, useEffect, useState } from "./ui.js";
import { get, post } from "./api.js";
import { Json } from "./json.js";
import { Problem } from "./parts.js";

const EVERY_MILLISECONDS = 15000;

export function Schedules({ connection }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let current = true;
    const look = () => get("schedules")
      .then((answer) => current && (setFound(answer), setError(null)), (problem) => current && setError(problem));
    look();
    const timer = setInterval(look, EVERY_MILLISECONDS);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [round]);
  const turn = async (item, on) => {
    try {
      await post("switch", { kind: item.kind, name: item.name, group: item.group, on });
      setError(null);
    } catch (problem) {
      setError(problem);
    }
    setRound((n) => n + 1);
  };
  const writes = connection && !connection.read_only;
  return html`<section class="schedules" aria-label="Schedules"><header class="title"><div><h1>Schedules</h1>
    <p class="quiet">${found ? `${found.schedules.length} schedules, ${found.rules.length} rules` : "Reading…"}</p>
      </div></header>
    <${Problem} error=${error} />
      ${found?.problems.map((problem) =>
        html`<${Problem} error=${{ code: `${problem.of}: ${problem.code}`, message: problem.message }} />`)}
    ${found?.schedules.length === 0 && html`<p class="quiet">No schedule in this account and region.</p>`}
    <div class="cards">
      ${found?.schedules.map((item) => html`<${Schedule} key=${`${item.group}/${item.name}`} item=${item}
        writes=${writes} onTurn=${(on) => turn(item, on)} />`)}</div>
    ${found?.rules.length > 0 && html`<h2>Rules</h2><div class="cards">
      ${found.rules.map((item) => html`<${Rule} key=${`${item.group}/${item.name}`} item=${item} writes=${writes}
        onTurn=${(on) => turn(item, on)} />`)}</div>`}
  </section>`;
}

function Head({ item, writes, switchable, onTurn }) {
  const on = item.state.startsWith("ENABLED");
  return html`<header><div><h3>${item.name}</h3><p class="quiet">${item.group === "default" ? "" : `${item.group} · `}
    ${item.description ?? ""}</p></div>
    ${writes && switchable
      ? html`<button class="switch" role="switch" aria-checked=${on} aria-label=${`${item.name} is on`}
        onClick=${() => onTurn(!on)}><i></i>${on ? "On" : "Off"}</button>`
          : html`<span class=${`pill ${on ? "succeeded" : "aborted"}`}>${on ? "on" : "off"}</span>`}</header>`;
}

function Schedule({ item, writes, onTurn }) {
  const on = item.state === "ENABLED";
  return html`<article class="card" aria-label=${`Schedule ${item.name}`}>
    <${Head} item=${item} writes=${writes} switchable onTurn=${onTurn} />
    <dl class="facts"><dt>When</dt><dd><span class="mono">${item.expression}</span> <span class="quiet">${item.zone}
      ${item.window_minutes ? `, within ${item.window_minutes} min` : ""}</span></dd>
      <dt>Starts</dt><dd><${Target} arn=${item.target} /></dd>
      ${item.end && html`<dt>Until</dt><dd>${inZone(item.end, item.zone)}</dd>`}
      <dt>Dead letters</dt><dd>
        ${item.dead_letters ? html`<span title=${item.dead_letters}>${item.dead_letters.split(":").at(-1)}</span>`
          : html`<span class="quiet">no queue: what cannot be delivered is lost</span>`}</dd></dl>
    ${item.problem ? html`<p class="problem">${item.problem}</p>` : html`<h4>
      ${on ? "Next times" : "Next times, if it were on"}${item.about ? ", about" : ""}</h4>
      ${item.next.length ? html`<ol class=${on ? "times" : "times off"}>
        ${item.next.map((moment) => html`<li><time datetime=${new Date(moment).toISOString()}>
          ${inZone(moment, item.zone)}</time> <span class="quiet">${inShort(moment - Date.now())}</span></li>`)}
            </ol>` : html`<p class="quiet">It does not come again.</p>`}`}
    ${item.input && html`<details><summary>Input</summary><${Json} text=${item.input} /></details>`}</article>`;
}

function Rule({ item, writes, onTurn }) {
  const plain = item.state === "ENABLED" || item.state === "DISABLED";
  return html`<article class="card" aria-label=${`Rule ${item.name}`}>
    <${Head} item=${item} writes=${writes} switchable=${plain && !item.managed_by} onTurn=${onTurn} />
    <dl class="facts">${item.managed_by && html`<dt>Managed by</dt><dd>${item.managed_by}</dd>`}
      ${item.expression && html`<dt>When</dt><dd class="mono">${item.expression}</dd>`}
      <dt>Starts</dt><dd>${item.targets.length ? item.targets.map((arn) => html`<div><${Target} arn=${arn} /></div>`)
        : html`<span class="quiet">nothing</span>`}</dd></dl>
    ${item.pattern && html`<details><summary>Events it takes</summary><${Json} text=${item.pattern} /></details>`}
      </article>`;
}

function Target({ arn }) {
  const parts = arn.split(":");
  if (parts[2] !== "states") return html`<span title=${arn}>
    ${parts[2]} ${parts.slice(5).join(":").split("/").slice(0, 2).join("/")}</span>`;
  return html`<a href=${`#/machine/${encodeURIComponent(parts.slice(0, 7).join(":"))}`}>${parts[6]}</a>
    ${parts[7] ? html` <span class="quiet">${parts[7]}</span>` : ""}`;
}

// In the schedule's own zone: that is how its expression reads.
function inZone(milliseconds, zone) {
  return new Intl.DateTimeFormat("en-GB",
    { timeZone: zone, weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "2-digit",
      minute: "2-digit", timeZoneName: "short" }).format(milliseconds);
}

function inShort(milliseconds) {
  const minutes = Math.round(milliseconds / 60000);
  if (minutes < 60) return `in ${Math.max(0, minutes)} min`;
  if (minutes < 48 * 60) return `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `in ${Math.round(minutes / 1440)} days`;
}
