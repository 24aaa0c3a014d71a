// Talks to the API whose address config.json, next to this file, names: {"apiUrl": "https://…"}.

const ANSWER_WITHIN_MS = 30_000; // API Gateway itself gives up after 30 seconds

// What went wrong, for a person: `message`, and for a wrong value `errors` with position and detail.
export class Problem extends Error {
  constructor(message, errors = []) {
    super(message);
    this.errors = errors;
  }
}

let address;

async function apiUrl() {
  if (address !== undefined) return address;
  let config;
  try {
    const answer = await fetch("config.json", { cache: "no-cache" });
    if (!answer.ok) throw new Error(answer.status);
    config = await answer.json();
  } catch {
    throw new Problem("config.json next to this page is missing or not JSON: the API's address is unknown.");
  }
  if (typeof config.apiUrl !== "string") throw new Problem("config.json names no apiUrl.");
  address = config.apiUrl.replace(/\/+$/, "");
  return address;
}

async function ask(path, options) {
  const url = (await apiUrl()) + path;
  let answer;
  try {
    answer = await fetch(url, { ...options, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new Problem(late ? "The API did not answer in time." : "The API cannot be reached. Try again in a moment.");
  }
  let body;
  try {
    body = await answer.json();
  } catch {
    throw new Problem(`The API answered ${answer.status} without saying more.`);
  }
  if (!answer.ok) {
    throw new Problem(body.detail || body.message || `The API answered ${answer.status}.`, body.errors || []);
  }
  return body;
}

// {status, model} of the model behind the API.
export const health = () => ask("/health", { method: "GET" });

// {will_buy, probability, threshold, model} for one line of 18 numbers.
export const predict = (line) =>
  ask("/predict", { method: "POST", headers: { "content-type": "text/csv" }, body: line });
