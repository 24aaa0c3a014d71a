// History events folded, as they come, into visits of states with their attempts.
import { message } from "./cause.js";

const MOST_CAUSE = 32768; // characters, as Step Functions takes them
const OUTCOMES = "ScheduleFailed|StartFailed|SubmitFailed|Scheduled|Started|Submitted|Succeeded|Failed|TimedOut";
const ATTEMPT = new RegExp(`^(Task|LambdaFunction|Activity)(${OUTCOMES})$`);
const CONTAINER = /^(Parallel|Map)State(Started|Succeeded|Failed|Aborted)$/;
const ITERATION = /^MapIteration(Started|Succeeded|Failed|Aborted)$/;
const TYPES = { Task: "Task", Pass: "Pass", Wait: "Wait", Choice: "Choice", Parallel: "Parallel", Map: "Map",
  Succeed: "Succeed", Fail: "Fail" };

export const text = (value) => (value && typeof value === "object" ? value.text : (value ?? ""));

export const WORDS = { running: "running", succeeded: "succeeded", failed: "failed", caught: "failed, handled",
  aborted: "stopped", "timed out": "timed out" };

// The key of a way from one state to another; names may hold any other character.
// To null: the end.
export const wayOf = ({ from, to }) => `${from}\u0000${to ?? ""}`;

// "stateEnteredEventDetails" and the like: the one member that says what happened.
export function detailsOf(event) {
  for (const key in event) if (key.endsWith("EventDetails")) return event[key] ?? {};
  return {};
}

// The state as people are told it: with the name of the Map's item that it is of.
export const labelled = (state, item) => (item ? `${state} (${item})` : state);
export const labelOf = (visit) => labelled(visit.name, visit.item);

// Which of a Map's items a visit is of, after the number of its pass.
export const itemWords = ({ item, iteration }) => (iteration === undefined ? "" : `, item ${item ?? iteration}`);

// The `name` of a Map's item, which is its first state's input: whole, or a preview that says it.
function itemOf(input) {
  if (input && typeof input === "object") return input.name ?? null;
  try {
    const { name } = JSON.parse(input);
    return typeof name === "string" ? name : null;
  } catch {
    return null;
  }
}

export class Fold {
  constructor() {
    this.events = [];
    this.visits = []; // {id, name, type, start, end, status, attempts, scope, iteration, item, ...}, by entry
    this.states = new Map(); // name -> visits
    this.ways = new Map(); // wayOf -> times taken
    this.owner = new Map(); // event id -> visit it belongs to
    this.iterations = new Map(); // MapIterationStarted event id -> index
    this.redrives = 0;
    this.transitions = 0;
    this.start = null;
    this.last = null;
  }

  add(events) {
    for (const event of events) this.one(event);
  }

  one(event) {
    this.events.push(event);
    const { id, type, timestamp } = event;
    this.start ??= timestamp;
    this.last = timestamp;
    const before = this.owner.get(event.previousEventId) ?? null;
    const details = detailsOf(event);
    if (type.endsWith("StateEntered")) return this.entered(event, details, before);
    if (type.startsWith("Execution")) return this.execution(event, type, details);
    let visit = before;
    const attempt = ATTEMPT.exec(type);
    if (type.endsWith("StateExited")) {
      // After a redrive a Wait or Choice that had been ended with its execution is left in its first visit.
      const ended = ["aborted", "failed", "timed out"].includes(before?.status);
      const again = ended && before.name === details.name ? before : null;
      visit = this.open(before, details.name) ?? again ?? this.lastOpen(details.name);
      if (visit) this.close(visit, timestamp, failing(visit) ? "caught" : "succeeded", id);
    } else if (attempt) {
      visit = this.attempt(event, attempt[2], details, before);
    } else if (CONTAINER.test(type)) {
      const [, kind, what] = CONTAINER.exec(type);
      visit = this.openOfType(before, kind);
      if (visit && what === "Failed") Object.assign(visit,
        { failed: true, error: text(details.error), cause: details.cause });
      if (visit && what === "Aborted") this.close(visit, timestamp, "aborted", id);
      if (visit && what === "Started" && details.length !== undefined) visit.items = details.length;
    } else if (ITERATION.test(type)) {
      visit = this.openNamed(before, details.name) ?? this.openOfType(before, "Map");
      const what = ITERATION.exec(type)[1];
      if (visit) {
        visit.rounds ??= { Started: 0, Succeeded: 0, Failed: 0, Aborted: 0 };
        visit.rounds[what] += 1;
        if (what === "Started") this.iterations.set(id, details.index ?? visit.rounds.Started - 1);
      }
    } else if (type.endsWith("StateAborted")) {
      if (visit) this.close(visit, timestamp, "aborted", id);
    }
    if (type === "MapRunStarted" && visit) visit.mapRun = details.mapRunArn;
    if (visit) {
      this.owner.set(id, visit);
      visit.events.push(id);
    }
  }

  entered(event, details, before) {
    const previous = this.events[event.previousEventId - 1];
    const scope = previous && /^(Parallel|Map)State(Started|Entered)$|^MapIterationStarted$/.test(previous.type)
      ? before : (before?.scope ?? null);
    const iteration = this.iterations.get(event.previousEventId)
      ?? (scope && before?.scope === scope ? before.iteration : undefined);
    const item = this.iterations.has(event.previousEventId) ? itemOf(details.input) : (before?.item ?? null);
    const visit = {
      id: event.id, name: details.name, type: TYPES[event.type.replace("StateEntered", "")]
        ?? event.type.replace("StateEntered", ""),
      start: event.timestamp, end: null, status: "running", attempts: [], scope, iteration, item,
      after: before && before !== scope && before.status === "caught" ? before : null,
      entered: event.id, exited: null,
      error: null, cause: null, failed: false, paused: 0, events: [event.id],
    };
    this.visits.push(visit);
    this.transitions += 1;
    if (!this.states.has(visit.name)) this.states.set(visit.name, []);
    this.states.get(visit.name).push(visit);
    this.owner.set(event.id, visit);
    if (before && before !== scope) {
      const way = wayOf({ from: before.name, to: visit.name });
      this.ways.set(way, (this.ways.get(way) ?? 0) + 1);
    }
    if (visit.type === "Fail") visit.failed = true;
  }

  attempt(event, what, details, before) {
    let visit = before;
    if (!visit && what === "Scheduled") visit = this.reopened();
    if (!visit) return null;
    let attempt = visit.attempts.at(-1);
    if (what === "Scheduled" || (what === "ScheduleFailed" && (!attempt || attempt.end !== null))) {
      if (attempt) this.transitions += 1;
      attempt = { scheduled: event.id, start: event.timestamp, end: null, status: "running", error: null,
        cause: null, ended: null, resource: `${details.resourceType ?? ""}:${details.resource ?? ""}` };
      visit.attempts.push(attempt);
      this.reopen(visit, event.timestamp);
    }
    if (!attempt) return visit;
    if (what === "Submitted") attempt.submitted = event.id;
    if (what === "Succeeded") {
      Object.assign(attempt, { end: event.timestamp, status: "succeeded", ended: event.id });
      visit.failed = false;
    }
    if (/Failed|TimedOut/.test(what)) {
      Object.assign(attempt, { end: event.timestamp, status: what === "TimedOut" ? "timed out"
        : "failed", error: text(details.error) || (what === "TimedOut" ? "States.Timeout" : ""),
          cause: details.cause, ended: event.id });
      Object.assign(visit, { failed: true, error: attempt.error, cause: attempt.cause });
    }
    return visit;
  }

  // A redriven state goes on in its visit, and so do those around it; what lies between is no time of theirs.
  reopen(visit, time) {
    for (let at = visit; at; at = at.scope) {
      if (at.end !== null) Object.assign(at, { paused: at.paused + time - at.end, end: null, status: "running" });
      at.failed = false;
    }
  }

  execution(event, type, details) {
    if (type === "ExecutionRedriven") {
      this.redrives += 1;
      return;
    }
    const status = { ExecutionFailed: "failed", ExecutionAborted: "aborted", ExecutionTimedOut: "timed out",
      ExecutionSucceeded: "succeeded" }[type];
    if (!status) return;
    const last = this.visits.findLast((visit) => !visit.scope);
    if (last && (status === "succeeded" || last.type === "Fail")) this.ways.set(wayOf({ from: last.name, to: null }),
      1);
    for (const visit of this.visits) {
      if (visit.end !== null) continue;
      if (visit.type === "Succeed" || status === "succeeded") this.close(visit, event.timestamp, "succeeded", null);
      else this.close(visit, event.timestamp, status === "failed" && !failing(visit) && !this.holdsFailure(visit)
        ? "aborted" : status, null);
      if (visit.type === "Fail") Object.assign(visit, { error: text(details.error), cause: details.cause });
    }
  }

  holdsFailure(container) {
    return this.visits.some((visit) => visit.scope === container && failing(visit));
  }

  close(visit, time, status, exited) {
    if (status === "aborted" && failing(visit)) status = "failed";
    Object.assign(visit, { end: time, status, exited });
    for (const attempt of visit.attempts) if (attempt.end === null) Object.assign(attempt,
      { end: time, status: status === "succeeded" ? "succeeded" : status === "caught" ? "failed" : "aborted" });
    if (!["Parallel", "Map"].includes(visit.type)) return;
    for (const inner of this.visits) if (inner.scope === visit && inner.end === null) this.close(inner, time,
      inner.type === "Succeed" || (status === "succeeded" && !inner.failed) ? "succeeded" : "aborted", null);
  }

  open(visit, name) {
    for (let at = visit; at; at = at.scope) if (at.name === name && at.end === null) return at;
    return null;
  }

  openNamed(visit, name) {
    return name === undefined ? null : this.open(visit, name);
  }

  openOfType(visit, type) {
    for (let at = visit; at; at = at.scope) if (at.type === type && at.end === null) return at;
    return null;
  }

  lastOpen(name) {
    return (this.states.get(name) ?? []).findLast((visit) => visit.end === null) ?? null;
  }

  // After a redrive the failed task goes on where it stood.
  reopened() {
    return this.visits.findLast((visit) => visit.type === "Task"
      && ["failed", "timed out", "aborted"].includes(visit.status)) ?? null;
  }
}

const failing = (visit) => visit.failed || visit.attempts.at(-1)?.status === "failed"
  || visit.attempts.at(-1)?.status === "timed out";

// The visit that made an execution fail: the last one whose own attempts failed; of a Fail state,
// the one whose caught error it tells; else the last failed one.
export function failureOf(fold) {
  const failed = fold.visits.filter((visit) => (visit.status === "failed" || visit.status === "timed out")
    && !around(visit).some((outer) => outer.status === "caught"));
  const own = failed.findLast((visit) => visit.type !== "Fail" && visit.attempts.length);
  const told = fold.visits.findLast((visit) => visit.status === "caught" && visit.error === failed.at(-1)?.error);
  const found = own ?? told ?? failed.at(-1);
  return found ? meant(found, fold.visits) : null;
}

function around(visit) {
  const found = [];
  for (let at = visit; at; at = at.scope) found.push(at);
  return found;
}

// The one in whose name a visit failed: as a roll back does, which a Catch led to and which ends with the
// caught error, and its cause first. (A cause that was cut says nothing either way.)
function meant(found, visits) {
  const cut = (cause) => cause && typeof cause === "object";
  const told = message(found.cause, MOST_CAUSE);
  for (const { name, after } of [...visits].reverse()) {
    if (name !== found.name || !after) continue;
    // Of a container the visit within: its own events need not say the error.
    const within = (visit) => visit.attempts.length && failing(visit) && around(visit).includes(after);
    const caught = visits.findLast(within) ?? after;
    const begins = cut(found.cause) || cut(caught.cause)
      || [message(caught.cause, MOST_CAUSE), caught.cause ?? ""].some((start) => told.startsWith(start));
    if (caught.error === found.error && begins) return caught;
  }
  return found;
}

// Milliseconds of a visit, without those in which its execution lay ended before a redrive.
export const tookOf = (visit, now) => (visit.end ?? now) - visit.start - visit.paused;

// What the graph shows of a state: {status, visits, retries, running, milliseconds}; null: not reached.
export function standing(visits, now) {
  if (!visits?.length) return null;
  const last = visits.at(-1);
  const running = visits.filter((visit) => visit.end === null).length;
  const failed = visits.filter((visit) => visit.status === "failed" || visit.status === "timed out").length;
  const status = running ? "running" : visits.length > 1 && failed && last.scope ? "failed" : last.status;
  return {
    status, running, visits: visits.length, failed,
    retries: visits.reduce((sum, visit) => sum + Math.max(0, visit.attempts.length - 1), 0),
    milliseconds: tookOf(last, now),
    rounds: last.rounds, items: last.items,
  };
}
