// An editor of SQL: CodeMirror in a shadow root, where its styles are no inline ones, so that the
// page's security policy holds.
import { html, useEffect, useRef } from "./ui.js";
import { FUNCTIONS, KEYWORDS, TYPES } from "./athenawords.js";

const MOST_TABLES = 40;
const MONOSPACE = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace';

const loaded = () => import("codemirror");

// handle.current: {text(), selection(), position(), replace(text), insert(text), focus()} once it is there.
// schema: {database: {table: [column]}}.
export function SqlEditor({ initial, schema, database, onChange, onRun, handle, label }) {
  const host = useRef(null);
  const parts = useRef({});
  parts.current.onChange = onChange;
  parts.current.onRun = onRun;
  parts.current.schema = schema;
  useEffect(() => {
    let view = null;
    let gone = false;
    loaded().then((cm) => {
      if (gone) return;
      const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
      const language = new cm.Compartment();
      const dialect = dialectOf(cm);
      const closeCompletion = cm.completionKeymap.find((binding) => binding.key === "Escape").run;
      const run = (editor) => (closeCompletion(editor), parts.current.onRun(), true);
      view = new cm.EditorView({
        parent: root,
        root,
        state: cm.EditorState.create({ doc: initial, extensions: [
          cm.lineNumbers(), cm.highlightSpecialChars(), cm.history(), cm.drawSelection(), cm.indentOnInput(),
          cm.bracketMatching(), cm.closeBrackets(), cm.highlightActiveLine(), cm.EditorView.lineWrapping,
          cm.autocompletion({ icons: false }),
          cm.Prec.highest(cm.keymap.of([{ key: "Mod-Enter", run }])),
          cm.keymap.of([...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.historyKeymap, ...cm.defaultKeymap]),
          cm.EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
          cm.EditorView.updateListener.of((update) => {
            if (update.docChanged || update.selectionSet) parts.current.onChange(read(update.state));
          }),
          cm.placeholder("SELECT ... FROM ...      Ctrl+Enter runs the statement at the cursor"),
          cm.EditorView.domEventHandlers({ beforeinput: (event, at) => typedOver(cm, event, at) }),
          ...looks(cm), language.of(languageOf(cm, dialect, parts.current, schema, database)),
        ] }),
      });
      parts.current.set = (known, chosen) =>
        view.dispatch({ effects: language.reconfigure(languageOf(cm, dialect, parts.current, known, chosen)) });
      const change = (from, to, text) => {
        view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length } });
        view.focus();
      };
      handle.current = {
        replace: (text) => change(0, view.state.doc.length, text),
        insert: (text) => change(view.state.selection.main.from, view.state.selection.main.to, text),
        focus: () => view.focus(),
      };
      parts.current.onChange(read(view.state));
    });
    return () => {
      gone = true;
      view?.destroy();
    };
  }, []);
  useEffect(() => parts.current.set?.(schema, database), [schema, database]);
  return html`<div class="sql-editor" ref=${host}></div>`;
}

// Chromium keeps the look of a selection that is typed over by a style attribute, which the page's
// policy refuses, and says so in the log: the editor puts the text there itself.
function typedOver(cm, event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || !event.data || empty || event.isComposing) return false;
  const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type" });
  const known = view.state.facet(cm.EditorView.inputHandler).some((one) => one(view, from, to, event.data, insert));
  if (!known) view.dispatch(insert());
  event.preventDefault();
  return true;
}

function read(state) {
  const { from, to, head } = state.selection.main;
  return { text: state.doc.toString(), selected: state.sliceDoc(from, to), position: head };
}

function dialectOf(cm) {
  const line = (words) => words.trim().replace(/\s+/g, " ");
  return cm.SQLDialect.define({ keywords: line(KEYWORDS), types: line(TYPES), builtin: FUNCTIONS.join(" "),
    identifierQuotes: '"`', caseInsensitiveIdentifiers: true, doubleQuotedStrings: false,
    operatorChars: "*+-%<>!=/|" });
}

function languageOf(cm, dialect, parts, schema, database) {
  const support = cm.sql({ dialect, schema, defaultSchema: database, upperCaseKeywords: true,
    keywordCompletion: (label, type) => (FUNCTIONS.includes(label.toLowerCase())
      ? { label: label.toLowerCase(), type: "function", boost: -1 } : { label, type, boost: -2 }) });
  return [support, dialect.language.data.of({ autocomplete: (context) => columnsAt(context, parts.schema) })];
}

// Columns of the tables that the text names, without the table before them.
function columnsAt(context, schema) {
  const word = context.matchBefore(/\w*/);
  if (!word || (word.from === word.to && !context.explicit) || /[.\w]$/.test(context.state.sliceDoc(0, word.from)))
    return null;
  const text = context.state.doc.toString().toLowerCase();
  const all = Object.values(schema ?? {}).flatMap((tables) => Object.entries(tables));
  const mentions = (table) => new RegExp(`(^|[^\\w])${table.replace(/[^\w]/g, "\\$&")}([^\\w]|$)`, "i").test(text);
  const found = all.filter(([table]) => mentions(table));
  // A SELECT is written before its FROM: until a table is named, all of a small database's will do.
  const named = found.length || all.length > MOST_TABLES ? found : all;
  const options = named.flatMap(([table, columns]) =>
    columns.map((label) => ({ label, type: "property", detail: table })));
  return options.length ? { from: word.from, options, validFor: /^\w*$/ } : null;
}

function looks(cm) {
  const { tags } = cm;
  const theme = cm.EditorView.theme({
    "&": { backgroundColor: "var(--card)", color: "var(--ink)", fontSize: "13px", height: "100%" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
    ".cm-content, .cm-gutters": { fontFamily: MONOSPACE },
    ".cm-content": { caretColor: "var(--ink)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "0" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
    "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
    "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
      { background: "var(--running-paper)" },
    "&.cm-focused .cm-matchingBracket": { background: "var(--caught-paper)", outline: "1px solid var(--caught)" },
    ".cm-placeholder": { color: "var(--soft)" },
    ".cm-tooltip": { backgroundColor: "var(--card)", border: "1px solid var(--strong)", color: "var(--ink)" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)",
      color: "var(--on-accent)" },
    ".cm-completionDetail": { marginLeft: "1em", fontStyle: "normal", opacity: "0.8" },
  });
  const colours = cm.HighlightStyle.define([
    { tag: tags.keyword, color: "var(--word)", fontWeight: "600" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
    { tag: [tags.lineComment, tags.blockComment], color: "var(--soft)", fontStyle: "italic" },
    { tag: tags.typeName, color: "var(--caught)" },
    { tag: tags.standard(tags.name), color: "var(--accent)" },
  ]);
  return [theme, cm.syntaxHighlighting(colours)];
}
