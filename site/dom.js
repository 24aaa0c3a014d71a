// Small helpers for making and finding elements, and for showing numbers.

export const at = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "for" || name === "scope" || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

export const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;

export const short = (value) => Number(Number(value).toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 4 });

export function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = element("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
