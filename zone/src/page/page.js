"use strict";
// Everything that comes from outside becomes a text node: nothing here is ever read as HTML.
const at = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const make = (name, className, ...content) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...content);
  return element;
};
const svg = (name, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
const share = (part, whole) => (whole ? `${(100 * part / whole).toFixed(part && part < whole ? 1 : 0)} %` : "0 %");
const ago = (seconds) => {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return `${Math.max(0, seconds)} s ago`;
};
const ask = async (query) => {
  const response = await fetch(`${location.pathname}?format=json${query}`, { cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
};

function policyRow(policy) {
  const allowed = policy.requests.allowed;
  const notCrossOrigin = policy.requests.off + policy.requests.none + policy.requests.same_origin;
  const meter = make("meter");
  meter.max = Math.max(1, policy.total);
  meter.value = policy.denied;
  // A low share of denials is good, a high one is bad.
  [meter.optimum, meter.low, meter.high] = [0, 0.02 * meter.max, 0.2 * meter.max];
  const place = make("td", "place", make("code", "", policy.location));
  if (policy.dry_run) place.append(" ", make("span", "tag", "dry run"));
  const row = make("tr", "", make("td", "server", policy.server), place);
  for (const figure of [policy.total, allowed, notCrossOrigin, sum(Object.values(policy.preflights)), policy.enforced_denials, policy.denied]) {
    row.append(make("td", "n", count(figure)));
  }
  row.append(make("td", "share", meter, " ", share(policy.denied, policy.total)));
  return row;
}

// What stands in the place of a directive, where none that can be pasted as it is would allow the origin.
const noRemedy = (denied) => denied.result === "malformed" ? "no browser sends this" : "see the reason";

function originRow(denied, now) {
  const figure = make("td", "n", count(denied.count));
  if (denied.error) figure.title = `at least ${count(denied.count - denied.error)}`;
  return make("tr", "",
    make("td", "origin", denied.origin || "(several)"),
    figure,
    make("td", "reason", denied.reason),
    make("td", "place", denied.location === null ? "" : `${denied.server} ${denied.location}`),
    make("td", "remedy", denied.remedy === null ? make("span", "tag", noRemedy(denied)) : make("code", "", denied.remedy)),
    make("td", "last", ago(now - denied.last)));
}

function draw(history) {
  const bars = [];
  const highest = Math.max(1, ...history.requests);
  const bar = (values, className) => values.forEach((value, number) => {
    const height = 80 * value / highest;
    if (value) bars.push(svg("rect", { class: className, x: number * 450 / values.length, y: 80 - height, width: 4, height }));
  });
  bar(history.requests, "all");
  bar(history.denied, "bad");
  at("chart").replaceChildren(...bars);
  at("scale").textContent =
    `last ${history.requests.length * history.step / 60} minutes, at most ${count(highest)} requests in ${history.step} s; red: denied`;
}

function choose(policies) {
  const select = document.forms.try.elements.policy;
  const names = policies.map((policy) => `${policy.server} ${policy.location}`);
  if (select.dataset.names === JSON.stringify(names)) return;
  select.dataset.names = JSON.stringify(names);
  select.replaceChildren(...policies.map((policy, number) => {
    const option = make("option", "", names[number]);
    option.value = JSON.stringify([policy.server, policy.location]);
    return option;
  }));
}

function show(report) {
  const total = sum(report.policies.map((policy) => policy.total));
  const denied = sum(report.policies.map((policy) => policy.denied));
  at("zone").textContent = report.zone.name;
  document.title = `CORS ${report.zone.name}`;
  at("total").textContent = count(total);
  at("preflights").textContent = count(sum(report.policies.map((policy) => policy.preflights_answered)));
  at("denied").textContent = count(denied);
  at("share").textContent = share(denied, total);
  at("policies").tBodies[0].replaceChildren(...report.policies.map(policyRow));
  at("origins").tBodies[0].replaceChildren(...report.denied_origins.map((one) => originRow(one, report.zone.now)));
  at("nobody").hidden = report.denied_origins.length > 0;
  at("status").textContent = `counting since ${new Date(1000 * report.zone.started).toLocaleString()}`;
  at("suffixes").textContent = `origins checked with the public suffix list of ${report.zone.public_suffix_list}`;
  draw(report.history);
  choose(report.policies);
}

let paused = false;
// When the figures on the page came.
let updated = null;
async function refresh() {
  if (!paused && !document.hidden) {
    try {
      show(await ask(""));
      updated = new Date();
      document.documentElement.dataset.state = "live";
    } catch (error) {
      document.documentElement.dataset.state = "failed";
      at("status").textContent = `Cannot reach nginx; ${updated ? `last update ${updated.toLocaleTimeString()}` : "no update yet"}`;
    }
  }
  setTimeout(refresh, 2000);
}
at("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.setAttribute("aria-pressed", paused);
  event.target.textContent = paused ? "Resume" : "Pause";
});

function part(title, part) {
  const status = part.status === null ? "" : ` ${part.status}`;
  const lines = part.headers.map(([name, value]) => `${name}: ${value}`);
  const by = part.location === "server" && title === "Preflight" ? " (the server answers it early)" : "";
  const shown = [make("span", "", `${title}: ${part.result}${status}${by}`), make("pre", "", lines.join("\n") || "(no header)")];
  if (part.not_run.length) shown.push(make("p", "", `Not run here: ${part.not_run.join("; ")}.`));
  if (part.curl !== null) shown.push(make("p", "", "To ask for real: ", make("code", "", part.curl)));
  return shown;
}
document.forms.try.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const [server, place] = JSON.parse(fields.policy.value || "[\"\",\"\"]");
  const query = new URLSearchParams({
    try: 1, server, location: place, origin: fields.origin.value, method: fields.method.value,
    headers: fields.headers.value, credentials: fields.credentials.checked ? 1 : 0,
  });
  try {
    const answer = await ask(`&${query}`);
    const verdict = make("p", answer.allowed ? "good" : "wrong", `${answer.allowed ? "Yes" : "No"}: ${answer.explanation}`);
    const parts = [verdict];
    if (answer.remedy !== null) parts.push(make("p", "", make("code", "", answer.remedy)));
    if (answer.dry_run) parts.push(make("span", "tag", "dry run: the policy changes no response yet"), make("br"));
    if (answer.preflight) parts.push(...part("Preflight", answer.preflight));
    if (answer.unknown_variables) parts.push(make("p", "wrong", `Only a request has a value for ${answer.unknown_variables.join(", ")}.`));
    const isSent = !answer.preflight || answer.preflight.result === "allowed";
    parts.push(...part(isSent ? "Request" : "Request, were it sent", answer.request));
    at("answer").replaceChildren(...parts);
  } catch (error) {
    at("answer").replaceChildren(make("p", "wrong", error.message));
  }
});

refresh();
