"use strict";
// The server renders the figures. This fetches the same page again, and takes over the parts that say data-live; it filters,
// sorts, copies, and asks what a policy would make of a request. What comes from outside becomes a text node: this never
// writes HTML.
const make = (name, className, ...content) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...content);
  return element;
};
const at = (id) => document.getElementById(id);
const live = (name) => document.querySelector(`[data-live="${name}"]`);

// Whether someone has selected something in it, or is working in it: that is not touched until they are done.
function isHeld(element) {
  const selection = getSelection();
  return element.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(element, true));
}

function freshenRows(body, fresh) {
  const old = new Map();
  for (const row of [...body.rows]) {
    if (old.has(row.dataset.key)) row.remove();
    else old.set(row.dataset.key, row);
  }
  for (const [number, row] of [...fresh.rows].entries()) {
    let shown = old.get(row.dataset.key);
    old.delete(row.dataset.key);
    if (shown) {
      for (const [column, cell] of [...row.cells].entries()) {
        const before = shown.cells[column];
        if (!before.isEqualNode(cell) && !isHeld(before)) before.replaceWith(document.importNode(cell, true));
      }
    } else {
      shown = body.appendChild(document.importNode(row, true));
    }
    shown.number = number;
  }
  for (const gone of old.values()) if (!isHeld(gone)) gone.remove();
}

function freshen(page) {
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const shown = live(fresh.dataset.live);
    if (fresh.tagName === "TBODY") {
      freshenRows(shown, fresh);
      arrange(shown.parentElement);
    } else if (!shown.isEqualNode(fresh) && !isHeld(shown)) {
      const chosen = shown.value;
      const next = document.importNode(fresh, true);
      shown.replaceWith(next);
      if (chosen !== undefined) next.value = chosen;
    }
  }
}

// The column by which a table is sorted; without one its rows have the order of the server.
const sorted = new Map();
function arrange(table) {
  const body = table.tBodies[0];
  const words = document.querySelector(`[data-filters="${table.id}"]`).value.toLowerCase().split(" ").filter(Boolean);
  const rows = [...body.rows];
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  document.querySelector(`[data-counts="${table.id}"]`).textContent =
    words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  if (isHeld(body)) return;
  const order = sorted.get(table);
  rows.sort((one, other) => {
    const byServer = one.number - other.number;
    if (!order) return byServer;
    const [a, b] = [one.cells[order.column], other.cells[order.column]];
    const upwards = "n" in a.dataset ? a.dataset.n - b.dataset.n : a.textContent.localeCompare(b.textContent);
    return (order.descending ? -upwards : upwards) || byServer;
  });
  rows.forEach((row, number) => {
    if (body.rows[number] !== row) body.insertBefore(row, body.rows[number]);
  });
}
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  [...table.tBodies[0].rows].forEach((row, number) => { row.number = number; });
  for (const [column, head] of heads.entries()) {
    const button = make("button", "sort", ...head.childNodes);
    button.type = "button";
    head.append(button);
    // Numbers are sorted from the highest, names from A. A second click turns the order, a third takes it back.
    button.addEventListener("click", () => {
      const before = sorted.get(table);
      const first = table.tBodies[0].rows[0]?.cells[column];
      const downwards = Boolean(first && "n" in first.dataset);
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (before?.column === column && before.descending !== downwards) {
        sorted.delete(table);
      } else {
        const descending = before?.column === column ? !downwards : downwards;
        sorted.set(table, { column, descending });
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      }
      arrange(table);
    });
  }
}
for (const input of document.querySelectorAll("[data-filters]")) {
  input.addEventListener("input", () => arrange(at(input.dataset.filters)));
}

let paused = false;
let updated = new Date();
const clock = (time) => time.toLocaleTimeString("en-GB");
function state(name, failure) {
  document.documentElement.dataset.state = name;
  at("failure").textContent = failure ? `${failure}; last update ${clock(updated)}` : "";
  at("updated").textContent = failure ? "" : `; last update ${clock(updated)}`;
}
async function refresh() {
  const start = performance.now();
  if (!paused && !document.hidden) {
    let failure = "Cannot reach nginx";
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      failure = response.ok ? failure : `nginx answers ${response.status}`;
      if (!response.ok) throw new Error(failure);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!paused) {
        updated = new Date();
        freshen(page);
        state("live", "");
      }
    } catch {
      state("failed", failure);
    }
  }
  // A page of thousands of policies is not asked for all the time.
  setTimeout(refresh, Math.max(2000, 10 * (performance.now() - start)));
}
at("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.textContent = paused ? "Resume" : "Pause";
});

// What a copy button copies is the text before it. Browsers give no clipboard to pages without TLS; they let what is selected
// be copied.
document.addEventListener("click", async (event) => {
  if (!event.target.matches("button.copy")) return;
  const button = event.target;
  const text = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});
const copied = (name, text) => {
  const button = make("button", "copy", "Copy");
  button.type = "button";
  return make("div", "copied", make(name, "", text), button);
};

function part(title, part) {
  const status = part.status === null ? "" : ` ${part.status}`;
  const lines = part.headers.map(([name, value]) => `${name}: ${value}`);
  const by = part.location === "server" && title === "Preflight" ? " (the server answers it early)" : "";
  const shown = [make("span", "", `${title}: ${part.result}${status}${by}`), make("pre", "", lines.join("\n") || "(no header)")];
  if (part.not_run.length) shown.push(make("p", "", `Not run here: ${part.not_run.join("; ")}.`));
  if (part.curl !== null) shown.push(make("span", "", "To ask for real, on the machine of nginx:"), copied("pre", part.curl));
  return shown;
}
document.forms.try.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const chosen = fields.policy.selectedOptions[0]?.dataset ?? { server: "", location: "" };
  const query = new URLSearchParams({
    format: "json", try: 1, server: chosen.server, location: chosen.location, origin: fields.origin.value,
    method: fields.method.value, headers: fields.headers.value, credentials: fields.credentials.checked ? 1 : 0,
  });
  const parts = [];
  try {
    const response = await fetch(`${location.pathname}?${query}`, { cache: "no-store" });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    parts.push(make("p", answer.allowed ? "good" : "wrong", `${answer.allowed ? "Yes" : "No"}: ${answer.explanation}`));
    if (answer.remedy !== null) parts.push(copied("pre", answer.remedy));
    if (answer.advice !== null) parts.push(make("p", "", answer.advice));
    if (answer.dry_run) parts.push(make("p", "", make("span", "tag", "dry run: the policy changes no response yet")));
    if (answer.preflight) parts.push(...part("Preflight", answer.preflight));
    if (answer.unknown_variables) parts.push(make("p", "wrong", `Only a request has a value for ${answer.unknown_variables.join(", ")}.`));
    const isSent = !answer.preflight || answer.preflight.result === "allowed";
    parts.push(...part(isSent ? "Request" : "Request, were it sent", answer.request));
  } catch (error) {
    parts.push(make("p", "wrong", error instanceof TypeError ? "Cannot reach nginx" : error.message));
  }
  at("answer").replaceChildren(...parts);
  at("answer").scrollIntoView({ block: "nearest" });
});

state("live", "");
setTimeout(refresh, 2000);
