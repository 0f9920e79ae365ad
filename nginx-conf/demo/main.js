// Runs the cases and shows what browser and nginx did in each. The results are also in `window.demo`.
import { groups } from "./cases.js";
import { policyLines } from "./conf.js";
import { exchangesOf } from "./record.js";
import { perform } from "./request.js";
import { Stranger } from "./frame.js";
import { explain } from "./verdict.js";
import { Card, contents } from "./view.js";

const cases = groups.flatMap((group) => group.cases);
const demo = (window.demo = { state: "loading", results: {} });

// Without this script there is nothing to run, and no button that says so.
document.querySelector(".summary").hidden = false;

const cards = new Map();
// Browsers cache the answer to a preflight by URL: a new URL for each run makes them send it again.
let runs = 0;
const visit = Math.random().toString(36).slice(2, 8);
let origins, conf, stranger;

try {
  origins = await (await fetch("origins.json")).json();
  conf = await (await fetch("demo.conf")).text();
  stranger = new Stranger(origins.stranger);
  show();
} catch (error) {
  fail(error);
  throw error;
}
await runAll();

function show() {
  for (const element of document.querySelectorAll("[data-origin]")) {
    element.textContent = origins[element.dataset.origin];
  }
  const main = document.getElementById("cases");
  for (const group of groups) {
    const section = contents.group(group);
    if (group.id === "strangers") {
      section.append(stranger.frame);
    }
    for (const entry of group.cases) {
      const lines = policyLines(conf, new URL(origins.api).host, entry.policy);
      const card = new Card(entry, { origins, lines, rerun: () => exclusively(() => runOne(entry)) });
      cards.set(entry.id, card);
      section.append(card.element);
    }
    main.append(section);
  }
  document.querySelector(".contents").append(contents.list(groups));
  document.getElementById("run-all").addEventListener("click", runAll);
  window.addEventListener("hashchange", openTarget);
  openTarget();
}

// Shows the case to which a link leads, which may be folded.
function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  cards.get(target?.id)?.unfold();
  target?.scrollIntoView?.();
}

async function runAll() {
  await exclusively(async () => {
    demo.results = {};
    for (const card of cards.values()) {
      card.reset();
    }
    for (const entry of cases) {
      await runOne(entry);
    }
  });
}

// One run at a time: until it has ended the buttons are disabled.
async function exclusively(run) {
  const buttons = document.querySelectorAll("button.run, #run-all");
  setState("running");
  buttons.forEach((button) => (button.disabled = true));
  try {
    await run();
    setState("done");
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

async function runOne(entry) {
  const origin = origins[entry.from ?? "page"];
  const send = entry.from === "stranger" ? (request) => stranger.perform(request) : perform;
  const steps = [];
  runs += 1;
  for (const [index, step] of entry.steps.entries()) {
    const run = `${entry.id}-${visit}-${runs}-${index + 1}`;
    const outcome = await send({ ...step, url: `${origins.api}${step.path}?run=${run}` });
    const last = index === entry.steps.length - 1;
    const expected = last ? (entry.expect.preflight !== null) + entry.expect.sent : 1;
    const exchanges = await exchangesOf(run, expected);
    steps.push({ step, outcome, exchanges, reason: explain(step, origin, exchanges, outcome) });
  }
  const result = judge(entry, origin, steps);
  demo.results[entry.id] = result;
  cards.get(entry.id).show(result);
  summarise();
}

// Compares what happened with what was expected.
function judge(entry, origin, steps) {
  const { outcome, exchanges, reason } = steps.at(-1);
  const actual = {
    preflight: exchanges.find((exchange) => exchange.preflight)?.status ?? null,
    sent: exchanges.some((exchange) => !exchange.preflight),
    status: outcome.readable ? outcome.status : null,
  };
  const { headers = {}, ...expect } = entry.expect;
  const asExpected =
    Object.entries(expect).every(([name, value]) => actual[name] === value) &&
    Object.entries(headers).every(([name, value]) => outcome.headers?.[name] === value);
  return { id: entry.id, origin, ...actual, readable: outcome.readable, asExpected, reason: reason.text.replaceAll("`", ""), steps };
}

function summarise() {
  const results = Object.values(demo.results);
  const good = results.filter((result) => result.asExpected).length;
  const over = results.length === cases.length;
  const progress = document.getElementById("progress");
  progress.max = cases.length;
  progress.value = results.length;
  document.getElementById("summary").textContent = !over
    ? `Case ${results.length} of ${cases.length}…`
    : good === cases.length
      ? `All ${cases.length} cases came out as expected.`
      : `${good} of ${cases.length} cases came out as expected.`;
  document.documentElement.dataset.verdict = !over ? "pending" : good === cases.length ? "good" : "bad";
}

function fail(error) {
  setState("failed");
  document.getElementById("summary").textContent = `The page could not finish: ${error.message}.`;
}

function setState(state) {
  demo.state = state;
  document.documentElement.dataset.state = state;
}
