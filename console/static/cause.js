// The message in a cause: services put a failed job's whole description there, as JSON. The same
// rules as executions/cause.py, held to the same cases.
const MOST_CHARACTERS = 600;
const MEMBERS = [
  "errorMessage", "ErrorMessage", "FailureReason", "StateChangeReason", "StatusReason",
  "StoppedReason", "message", "Message", "Cause",
];

export function message(cause, most = MOST_CHARACTERS) {
  const text = String(cause ?? "");
  let described = null;
  try {
    described = JSON.parse(text);
  } catch {
    // Not every cause is JSON.
  }
  const told = isObject(described) ? toldBy(described) : "";
  const shown = told || text;
  return shown.length > most ? `${shown.slice(0, most)} ...` : shown;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function toldBy(described) {
  for (const holder of [described, described.QueryExecution?.Status]) {
    const member = isObject(holder) && MEMBERS.find((name) => typeof holder[name] === "string" && holder[name]);
    if (member) return holder[member];
  }
  return "";
}
