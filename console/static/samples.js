// What is asked of the data itself: a query's plan, and rows before and after a recipe.
import { html, useState } from "./ui.js";
import { post } from "./api.js";
import { Copy } from "./json.js";
import { Problem } from "./parts.js";
import { Table } from "./table.js";

export function Plan({ section }) {
  const [plan, setPlan] = useState(null);
  const [error, setError] = useState(null);
  const ask = async () => {
    setError(null);
    setPlan("asked");
    try {
      setPlan(await post("plan", { query: section.query }));
    } catch (problem) {
      setPlan(null);
      setError(problem);
    }
  };
  if (plan?.text) return html`<p class="quiet">As the engine plans it now, with the data there is now. <${Copy}
    text=${plan.text} /></p><pre class="code plan" tabindex="0" aria-label="Plan">${plan.text}</pre>`;
  return html`<button onClick=${ask} disabled=${plan === "asked"}>${plan === "asked" ? "Explaining…" : "Explain"}
    </button> <span class="quiet">Starts an EXPLAIN query, which reads no data.</span><${Problem} error=${error} />`;
}

export function Sample({ section }) {
  const { before, after, added, removed, touched = [] } = section;
  const mark = (names, word, cells) => names.map((name) => [name, { word, cells }]);
  const left = new Map([...mark(touched, "changed", false), ...mark(removed, "not after", true)]);
  const right = new Map([...mark(touched, "changed", false), ...mark(added, "new", true)]);
  return html`<p class="quiet">The first rows of one file each; they need not be the same records.</p>
    <div class="sample"><${Side} name="Before" side=${before} marked=${left} />
      <${Side} name="After" side=${after} marked=${right} /></div>`;
}

function Side({ name, side, marked }) {
  return html`<div><h4>${name}</h4>
    ${side.why ? html`<p class="problem">${side.why}</p>`
      : html`<${Table} label=${`Rows ${name.toLowerCase()}`} columns=${side.columns} rows=${side.rows}
        types=${side.types} marked=${marked} /><p class="quiet mono">${side.where}</p>`}</div>`;
}
