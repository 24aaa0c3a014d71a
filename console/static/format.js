export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined || Number.isNaN(milliseconds)) return "";
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [days, hours, minutes, rest] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60, whole % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return `${minutes} min ${rest} s`;
}

// For an axis: 90 s is "1:30".
export function mark(milliseconds) {
  if (milliseconds < 60000) return milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`;
  const [hours, minutes, seconds] = [Math.floor(milliseconds / 3600000), Math.floor(milliseconds / 60000) % 60,
    Math.floor(milliseconds / 1000) % 60];
  return hours ? `${hours}:${two(minutes)} h` : `${minutes}:${two(seconds)}`;
}

const two = (n) => String(n).padStart(2, "0");

export function clock(milliseconds, { fraction = false } = {}) {
  if (!milliseconds) return "";
  const at = new Date(milliseconds);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return fraction ? `${time}.${String(at.getMilliseconds()).padStart(3, "0")}` : time;
}

export function date(milliseconds) {
  if (!milliseconds) return "";
  const at = new Date(milliseconds);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(milliseconds)}`;
}

export function bytes(count) {
  if (count === null || count === undefined) return "";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = Number(count);
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit ? value.toFixed(value < 10 ? 2 : 1) : value} ${units[unit]}`;
}

// Small amounts keep two figures that count.
export function dollars(amount) {
  if (amount === null || amount === undefined) return "";
  if (amount !== 0 && amount < 0.000001) return "< $0.000001";
  return `$${amount >= 1 ? amount.toFixed(2) : amount >= 0.01 ? amount.toFixed(3) : amount === 0 ? "0"
    : amount.toFixed(6).replace(/0+$/, "")}`;
}

export const count = (n) => Number(n).toLocaleString("en");

export function measured(value, unit) {
  if (unit === "bytes") return bytes(value);
  if (unit === "ms") return duration(Number(value));
  if (unit === "time") return date(Number(value));
  if (unit === "s") return duration(Number(value) * 1000);
  return unit ? `${value} ${unit}` : String(value);
}

// "arn:aws:states:...:execution:machine:name" -> "name"
export const lastPart = (arn) => String(arn ?? "").split(":").at(-1);

// The qualifier of an alias or version ARN, "" for a plain state machine's.
export const qualifier = (arn) => String(arn ?? "").split(":").slice(7).join(":");
