// Starting an execution: which version, under what name, with what input.
import { html, useEffect, useRef, useState } from "./ui.js";
import { get, post } from "./api.js";
import { lastPart, qualifier } from "./format.js";
import { Problem, useAnswer } from "./parts.js";

const MOST_BYTES = 256 * 1024;
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{0,80}$/;

export function checkInput(text) {
  const size = new TextEncoder().encode(text).length;
  if (size > MOST_BYTES) return `The input is ${size} bytes; an execution takes ${MOST_BYTES}.`;
  try {
    JSON.parse(text);
    return "";
  } catch {
    return "Not JSON.";
  }
}

export function StartDialog({ machine, input = "{}", target, onClose }) {
  const dialog = useRef(null);
  const [text, setText] = useState(pretty(input));
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState(target ?? "");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [described, problem] = useAnswer(() => get("machine", { arn: machine }), [machine]);
  const targets = described
    ? [...described.aliases.map((alias) =>
      [alias.stateMachineAliasArn, `alias ${qualifier(alias.stateMachineAliasArn)}`]),
        ...described.versions.map((version) =>
          [version.stateMachineVersionArn, `version ${qualifier(version.stateMachineVersionArn)}`]),
            [machine, "the newest, unpublished or not"]]
    : [];
  const wrong = checkInput(text);
  // Browsers do not say where; the server does.
  const [where] = useAnswer(() => (wrong === "Not JSON." ? post("check", { input: text }) : null), [text]);
  const badName = NAME.test(name) ? ""
    : "A name has up to 80 characters, without spaces and none of < > { } [ ] ? * \" # % \\ ^ | ~ ` $ & , ; : /";
  useEffect(() => dialog.current?.showModal(), []);
  const start = async () => {
    if (wrong || badName || busy) return;
    setBusy(true);
    setError(null);
    try {
      const made = await post("start", { machine: chosen || targets[0]?.[0] || machine, input: text, name });
      dialog.current.close();
      location.hash = `#/execution/${encodeURIComponent(made.execution)}`;
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="start-title">
    <form method="dialog" onSubmit=${(event) => (event.preventDefault(), start())}
      onKeyDown=${(event) => (event.ctrlKey || event.metaKey) && event.key === "Enter" && start()}>
      <h2 id="start-title">Start ${lastPart(machine)}</h2>
      <${Problem} error=${error ?? problem} />
      <div class="two">
        <label class="field">Runs <select value=${chosen || targets[0]?.[0]}
          onChange=${(event) => setChosen(event.target.value)}>
            ${targets.map(([arn, label]) => html`<option value=${arn}>${label}</option>`)}</select></label>
        <label class="field">Name <input value=${name} placeholder="chosen for you"
          onInput=${(event) => setName(event.target.value)} aria-invalid=${Boolean(badName)}
            aria-describedby="name-note" /></label>
      </div>
      <p id="name-note" class=${badName ? "field-note bad" : "field-note"}>${badName}</p>
      <label class="field" for="start-input">Input</label>
      <textarea id="start-input" rows="12" spellcheck="false" value=${text}
        onInput=${(event) => setText(event.target.value)} aria-invalid=${Boolean(wrong)}
          aria-describedby="input-note"></textarea>
      <p id="input-note" role="status" class=${wrong ? "field-note bad" : "field-note"}>
        ${(wrong && where?.problem) || wrong || "JSON. Ctrl+Enter starts."}</p>
      <div class="actions"><button type="button" onClick=${() => dialog.current.close()}>Cancel</button>
        <button type="button" disabled=${Boolean(wrong)} onClick=${() => setText(pretty(text))}>Tidy</button>
        <button class="primary" type="submit" disabled=${Boolean(wrong || badName) || busy}>
          ${busy ? "Starting…" : "Start"}</button></div>
    </form>
  </dialog>`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
