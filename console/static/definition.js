// A state machine as it is now: its graph without an execution.
import { html, useMemo } from "./ui.js";
import { get } from "./api.js";
import { lastPart } from "./format.js";
import { parse } from "./machine.js";
import { Workflow } from "./workflow.js";
import { Details } from "./details.js";
import { Problem, useAnswer } from "./parts.js";

export function Definition({ arn, state, stage, go }) {
  const [found, error] = useAnswer(() => get("machine", { arn }), [arn]);
  const machine = useMemo(() => (found ? parse(found.definition) : null), [found]);
  return html`<section class="execution" aria-label="Definition"><header class="title"><div><p class="crumbs">
    <a href=${`#/machine/${encodeURIComponent(arn)}`}>${lastPart(arn)}</a></p><h1>Definition</h1>
    <p class="quiet">${machine && `${machine.states.size} states`}
      ${machine?.definition.Comment && ` · ${machine.definition.Comment}`}</p></div></header>
    <${Problem} error=${error} />
    ${machine && html`<div class="view"><div class="main-view">
      <${Workflow} machine=${machine} fold=${null} version=${0} selected=${state} stage=${stage} go=${go}
        onSelect=${(name) => go({ state: name })} live=${false} /></div>
      ${state && html`<${Details} arn=${arn} machine=${machine} fold=${null} name=${state}
        onClose=${() => go({ state: null })} />`}</div>`}
  </section>`;
}
