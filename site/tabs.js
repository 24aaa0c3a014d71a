// Tabs as the ARIA authoring practices have them: arrows, Home and End move, one tab stop.
import { at } from "./dom.js";

export function tabs(list, onChange) {
  const all = [...list.querySelectorAll("[role=tab]")];
  function select(tab, focus = true) {
    for (const one of all) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      at(one.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    onChange(tab.id);
  }
  list.addEventListener("click", ({ target }) => {
    const tab = target.closest("[role=tab]");
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (event) => {
    const index = all.indexOf(document.activeElement);
    const next = {
      ArrowRight: (index + 1) % all.length,
      ArrowLeft: (index - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    select(all[next]);
  });
  return (id) => select(at(id), false);
}
