// The console's own server. Errors carry AWS's code and message.
export class ApiError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function answer(response) {
  const body = await response.json()
    .catch(() => ({ error: { code: `HTTP ${response.status}`, message: response.statusText } }));
  if (!response.ok) throw new ApiError(body.error?.code ?? `HTTP ${response.status}`, body.error?.message ?? "");
  return body;
}

export async function get(name, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return answer(await fetch(`/api/${name}?${new URLSearchParams(given)}`));
}

export async function post(name, body) {
  return answer(
    await fetch(`/api/${name}`,
      { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  );
}

// Follows an execution; `on` has execution(description), history(events), end(), problem(error).
// Returns a function that stops following.
export function watch(arn, after, on) {
  const source = new EventSource(`/api/watch?${new URLSearchParams({ arn, after })}`);
  const pass = (name, then = () => {}) =>
    source.addEventListener(name, (message) => {
      on[name]?.(JSON.parse(message.data));
      then();
    });
  pass("execution");
  pass("history");
  pass("problem");
  pass("end", () => source.close());
  source.onerror = () => source.readyState === EventSource.CLOSED
    && on.problem?.({ code: "Closed", message: "The console's server is gone." });
  return () => source.close();
}
