// A definition as a graph: states with their containers, and every way from one to the next.

const SERVICES = {
  athena: "Athena", glue: "Glue", databrew: "DataBrew", sagemaker: "SageMaker", lambda: "Lambda", s3: "S3",
  states: "Step Functions", sns: "SNS", sqs: "SQS", dynamodb: "DynamoDB", batch: "Batch", ecs: "ECS",
    events: "EventBridge",
  emr: "EMR", "emr-serverless": "EMR Serverless", apigateway: "API Gateway", bedrock: "Bedrock", http: "HTTP",
    sfn: "Step Functions",
};

// "arn:aws:states:::athena:startQueryExecution.sync" -> {service: "Athena", verb: "startQueryExecution", waits: "sync"}
export function resourceOf(arn) {
  const text = String(arn ?? "");
  const integration = /^arn:[^:]+:states:[^:]*:[^:]*:(?:aws-sdk:)?([^:]+):([^.]+)(?:\.(.+))?$/.exec(text);
  if (integration && !/^(activity|stateMachine)$/.test(integration[1])) {
    const [, service, verb, waits] = integration;
    return { service: SERVICES[service] ?? service, verb, waits: waits ?? "" };
  }
  if (/^arn:[^:]+:lambda:/.test(text)) return { service: "Lambda", verb: text.split(":")[6] ?? "", waits: "" };
  if (text.includes(":activity:")) return { service: "Activity", verb: text.split(":").at(-1), waits: "" };
  return { service: text, verb: "", waits: "" };
}

const GLYPHS = { Pass: "→", Wait: "◷", Choice: "?", Parallel: "∥", Map: "≡", Succeed: "✓", Fail: "✕", Task: "" };
const SHORT = { Athena: "SQL", Glue: "Gl", DataBrew: "Br", SageMaker: "ML", Lambda: "λ", "Step Functions": "SF",
  S3: "S3", SNS: "SN", SQS: "SQ", DynamoDB: "DB" };

export const glyph = (entry) => (entry.type === "Task"
  ? (SHORT[entry.resource.service] ?? entry.resource.service.slice(0, 2)) : (GLYPHS[entry.type] ?? ""));

export function kindOf(entry) {
  if (entry.type !== "Task") return entry.type;
  return [entry.resource.service, entry.resource.verb].filter(Boolean).join(" · ");
}

const OPERATORS = {
  Equals: "=", LessThan: "<", LessThanEquals: "≤", GreaterThan: ">", GreaterThanEquals: "≥", Matches: "matches",
};

// A choice rule in a few words.
export function condition(rule) {
  if (!rule) return "";
  if (typeof rule.Condition === "string") return rule.Condition.replace(/^\{%\s*|\s*%\}$/g, "");
  if (rule.And) return rule.And.map(condition).join(" and ");
  if (rule.Or) return rule.Or.map(condition).join(" or ");
  if (rule.Not) return `not (${condition(rule.Not)})`;
  const test = Object.keys(rule).find((key) => !["Variable", "Next", "Comment", "Assign", "Output"].includes(key));
  const variable = String(rule.Variable ?? "").replace(/^\$\./, "");
  if (!test) return variable;
  const value = rule[test];
  if (test.startsWith("Is")) return `${variable} ${value ? "is" : "is not"} ${test.slice(2).toLowerCase()}`;
  const match = /^(?:String|Numeric|Boolean|Timestamp)(.+?)(Path)?$/.exec(test);
  const operator = match ? (OPERATORS[match[1]] ?? match[1]) : test;
  return `${variable} ${operator} ${typeof value === "string" && !match?.[2] ? `“${value}”`
    : String(value).replace(/^\$\./, "")}`;
}

export function parse(text) {
  const definition = typeof text === "string" ? JSON.parse(text) : text;
  const states = new Map();
  const root = scope(definition, null, states);
  return { definition, root, states };
}

// {startAt, names, edges: [{from, to, kind, label}]} of one level; to null: the level ends there.
function scope(level, container, states) {
  const names = Object.keys(level.States ?? {});
  const edges = [];
  for (const name of names) {
    const state = level.States[name];
    const branches = (state.Branches ?? []).concat(state.ItemProcessor ?? state.Iterator ?? []);
    const entry = { name, type: state.Type, state, container, branches: [] };
    if (state.Type === "Task") entry.resource = resourceOf(state.Resource);
    states.set(name, entry);
    entry.branches = branches.map((branch) => scope(branch, name, states));
    for (const rule of state.Choices
      ?? []) edges.push({ from: name, to: rule.Next, kind: "choice", label: rule.Comment ?? condition(rule) });
    if (state.Default) edges.push({ from: name, to: state.Default, kind: "default", label: "otherwise" });
    if (state.Next) edges.push({ from: name, to: state.Next, kind: "next", label: "" });
    else if (state.End
      || ["Succeed", "Fail"].includes(state.Type)) edges.push({ from: name, to: null, kind: "next", label: "" });
    for (const rule of state.Catch
      ?? []) edges.push({ from: name, to: rule.Next, kind: "catch", label: (rule.ErrorEquals ?? []).join(", ")
        .replace("States.ALL", "any error") });
  }
  markNeeded(level.StartAt, edges);
  return { startAt: level.StartAt, names, edges };
}

// A handler that thirty states share makes thirty lines. Those that alone lead somewhere are
// `needed`; the others are drawn when they were taken, or on request.
function markNeeded(startAt, edges) {
  const reached = new Set();
  const visit = (name) => {
    if (name === null || reached.has(name)) return;
    reached.add(name);
    for (const edge of edges) if (edge.from === name && edge.kind !== "catch") visit(edge.to);
  };
  visit(startAt);
  for (let more = true; more; ) {
    more = false;
    for (const edge of edges) {
      if (edge.kind === "catch" && reached.has(edge.from) && !reached.has(edge.to)) {
        edge.needed = true;
        visit(edge.to);
        more = true;
      }
    }
  }
}

// Lines to handlers that other ways lead to as well; not part of the layout.
export function sharedCatches(machine) {
  const found = [];
  const walk = (scope) => {
    found.push(...scope.edges.filter((edge) => edge.kind === "catch" && !edge.needed && scope.names.includes(edge.to)));
    for (const name of scope.names) machine.states.get(name).branches.forEach(walk);
  };
  walk(machine.root);
  return found;
}
