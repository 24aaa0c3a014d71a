// The stages of a workflow: what a person sees before its states. A state says its stage in the
// beginning of its Comment, "Stage 3, Check raw data: ..."; states within a Parallel or Map belong to
// the stage of the state around them.
import { failureOf, standing, tookOf } from "./fold.js";

const STAGE = /^Stage (\d+), ([^:]+): ?(.*)$/s;
const REST = { number: null, title: "Other states" };

export function stageOf(comment) {
  const match = STAGE.exec(comment ?? "");
  return match ? { number: Number(match[1]), title: match[2], sentence: match[3] } : null;
}

// The comment without its stage: what it says of the state itself.
export const sentenceOf = (comment) => stageOf(comment)?.sentence ?? comment ?? "";

// [{number, title, sentence, names (top level, in the order of the definition), services}], by number;
// empty for a definition without stages.
export function stagesOf(machine) {
  const stages = new Map();
  for (const name of machine.root.names) {
    const own = stageOf(machine.states.get(name).state.Comment) ?? REST;
    const key = own.number ?? Infinity;
    if (!stages.has(key)) stages.set(key, { number: own.number, title: own.title, sentence: "", names: [] });
    stages.get(key).names.push(name);
  }
  if (![...stages.values()].some((stage) => stage.number !== null)) return [];
  const found = [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  for (const stage of found) Object.assign(stage, about(stage, machine));
  return found;
}

function about(stage, machine) {
  const services = new Set();
  let states = 0;
  const walk = (name) => {
    const entry = machine.states.get(name);
    states += 1;
    if (entry.type === "Task") services.add(entry.resource.service);
    for (const branch of entry.branches) branch.names.forEach(walk);
  };
  stage.names.forEach(walk);
  // The state that has the stage's name speaks for it, or whose name begins with it.
  const speaker = machine.states.has(stage.title) ? stage.title
    : stage.names.find((name) => name.startsWith(`${stage.title} `));
  const sentence = sentenceOf(machine.states.get(speaker)?.state.Comment);
  const says = sentence.replace(/[.?]+$/, "") !== stage.title.replace(/\?$/, "");
  return { services: [...services], states, sentence: says ? sentence : "" };
}

// The services that work in it, and how many states it has, in words.
export const aboutOf = (stage) => [
  stage.services.join(", "), stage.states === 1 ? "1 state" : `${stage.states} states`,
].filter(Boolean).join(" · ");

// state name -> its stage, nested states too.
export function stageByState(stages, machine) {
  const found = new Map();
  const walk = (name, stage) => {
    found.set(name, stage);
    for (const branch of machine.states.get(name).branches) for (const inner of branch.names) walk(inner, stage);
  };
  for (const stage of stages) for (const name of stage.names) walk(name, stage);
  return found;
}

// How a stage went: {status, milliseconds, start, end, retries, handled, failure}; null: not reached.
export function stageStanding(stage, fold, now, failure = null) {
  const visits = fold ? stage.names.flatMap((name) => fold.states.get(name) ?? []) : [];
  if (!visits.length) return null;
  const last = stage.names.map((name) => standing(fold.states.get(name), now)).filter(Boolean);
  const has = (...statuses) => last.some((item) => statuses.includes(item.status));
  const mine = failure && failureIn(stage, failure) ? failure : null;
  const status = visits.some((visit) => visit.end === null) ? "running"
    : mine || has("failed", "timed out") ? "failed"
    : has("aborted") ? "aborted" : "succeeded";
  return {
    status, failure: status === "failed" ? mine : null,
    milliseconds: unionOf(visits, now), start: visits[0].start,
    end: Math.max(...visits.map((visit) => visit.end ?? now)),
    retries: last.reduce((sum, item) => sum + item.retries, 0),
    handled: visits.filter((visit) => visit.status === "caught").length,
  };
}

function failureIn(stage, visit) {
  let top = visit;
  while (top.scope) top = top.scope;
  return stage.names.includes(top.name);
}

// Time in which at least one of the visits was under way.
function unionOf(visits, now) {
  let total = 0;
  let until = -Infinity;
  for (const visit of [...visits].sort((a, b) => a.start - b.start)) {
    const begin = Math.max(visit.start, until);
    const end = visit.end ?? now;
    if (end > begin) total += tookOf({ ...visit, start: begin }, now);
    until = Math.max(until, end);
  }
  return total;
}

// Dollars by stage, out of dollars by state (executions/costs).
export function stageCosts(stages, machine, byState) {
  const of = stageByState(stages, machine);
  const found = new Map();
  for (const [state, dollars] of Object.entries(byState ?? {})) {
    const stage = of.get(state);
    if (stage) found.set(stage, (found.get(stage) ?? 0) + dollars);
  }
  return found;
}

// What boxes and pictures show: [{stage, standing, cost}]. A failure counts once nothing goes on.
export function rowsOf(stages, machine, fold, now, costs, live = false) {
  const failure = fold && !live ? failureOf(fold) : null;
  const dollars = stageCosts(stages, machine, costs);
  return stages.map((stage) => (
    { stage, standing: stageStanding(stage, fold, now, failure), cost: dollars.get(stage) }
  ));
}

// The states of one stage as a machine of their own: ways that come in or lead out end at marks.
export function machineOf(stage, stages, machine) {
  const of = stageByState(stages, machine);
  const inside = new Set(stage.names);
  const name = (other) => (other.number === null ? other.title : `${other.number} ${other.title}`);
  const leaving = machine.root.edges.filter((edge) => inside.has(edge.from));
  const entering = machine.root.edges.filter((edge) => inside.has(edge.to) && !inside.has(edge.from));
  const exits = new Map();
  for (const { to } of leaving) if (to !== null && !inside.has(to) && of.has(to)) exits.set(to, of.get(to));
  const entries = [...new Set([
    ...(inside.has(machine.root.startAt) ? [machine.root.startAt] : []), ...entering.map((edge) => edge.to),
  ])];
  const sources = [...new Set(entering.filter((edge) => edge.kind !== "catch").map((edge) => of.get(edge.from)))];
  const from = inside.has(machine.root.startAt) ? "Start"
    : sources.length === 1 ? `From ${name(sources[0])}` : "From other stages";
  return {
    definition: machine.definition, states: machine.states,
    root: {
      startAt: entries[0] ?? stage.names[0], names: stage.names, edges: leaving, entries, from,
      source: from === "Start" || sources.length !== 1 ? null : sources[0].number,
      exits: new Map([...exits].map(([to, other]) => [to, { stage: other.number, text: `To ${name(other)}` }])),
    },
  };
}
