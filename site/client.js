// Talks to the API whose address config.json, next to this file, names: {"apiUrl": "https://…"}.

const ANSWER_WITHIN_MS = 30_000; // API Gateway itself gives up after 30 seconds

// What went wrong, for a person: `message`; `errors` with row, position and detail for wrong values;
// `status` when the API answered, `requestId` to find it in the log.
export class Problem extends Error {
  constructor(message, { errors = [], status = 0, requestId = "" } = {}) {
    super(message);
    Object.assign(this, { errors, status, requestId });
  }
}

const OF_THE_GATEWAY = {
  429: "Too many requests at once. Wait a second and try again.",
  413: "That is more than the API takes at once.",
  500: "The API failed. Try again in a moment.",
  503: "The API is busy. Try again in a moment.",
};

let address;

export async function apiUrl() {
  if (address !== undefined) return address;
  let config;
  try {
    const answer = await fetch("config.json", { cache: "no-cache" });
    if (!answer.ok) throw new Error(answer.status);
    config = await answer.json();
  } catch {
    throw new Problem("config.json next to this page is missing or not JSON: the API's address is unknown.");
  }
  if (typeof config?.apiUrl !== "string") throw new Problem("config.json names no apiUrl.");
  address = config.apiUrl.replace(/\/+$/, "");
  return address;
}

async function ask(path, options = {}) {
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
    throw new Problem(OF_THE_GATEWAY[answer.status] ?? `The API answered ${answer.status} without saying more.`,
      { status: answer.status });
  }
  if (answer.ok) return body;
  throw new Problem(
    body.detail || OF_THE_GATEWAY[answer.status] || body.message || `The API answered ${answer.status}.`,
    { errors: body.errors, status: answer.status, requestId: body.request_id },
  );
}

const post = (path, type, body) => ask(path, { method: "POST", headers: { "content-type": type }, body });

// {status, model} of the model behind the API.
export const health = () => ask("/health");

// {model, threshold, features, trained_at, …}: what the model says of itself.
export const model = () => ask("/model");

// {customers, examples, count, model}: whose number begins so; examples without a beginning.
export const customers = (beginning) => ask(`/customers?beginning=${beginning}`);

// {customer_id, basket_size, products_known, products, threshold, model}, with explanations.
export const nextBasket = (customer) => ask(`/customers/${customer}/next-basket?most=24&explain=true`);

// {will_buy, probability, threshold, model, explanation} for one line of 18 numbers; a model from
// before explanations answers without one.
export async function predict(line) {
  try {
    return await post("/predict?explain=true", "text/csv", line);
  } catch (problem) {
    if (problem.status !== 501) throw problem;
    return post("/predict", "text/csv", line);
  }
}

// {predictions, threshold, model} for many lines.
export const predictMany = (lines) => post("/predict", "text/csv", lines.join("\n"))
  .then((told) => (told.predictions ? told : { ...told, predictions: [told] }));
