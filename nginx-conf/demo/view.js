// How a case looks.
import { curl, script } from "./code.js";

const narrow = window.matchMedia("(max-width: 44rem)");

export const contents = {
  group({ id, title, intro }) {
    const heading = h("h2", { id }, title);
    return h("section", { "aria-labelledby": id }, heading, h("p", { class: "group-intro" }, ...prose(intro)));
  },

  list(groups) {
    return h(
      "ol",
      {},
      ...groups.map((group) =>
        h(
          "li",
          {},
          h("a", { href: `#${group.id}`, class: "contents-group" }, group.title),
          h(
            "ol",
            {},
            ...group.cases.map(({ id, title }) =>
              h("li", {}, h("a", { href: `#${id}`, "data-case": id }, h("span", { class: "dot", "aria-hidden": "true" }), title)),
            ),
          ),
        ),
      ),
    );
  },
};

export class Card {
  #entry;
  #origins;
  #mark;
  #body;
  #fold;

  constructor(entry, { origins, lines, rerun }) {
    this.#entry = entry;
    this.#origins = origins;
    this.#mark = h("p", { class: "mark" }, "waiting");
    this.#body = h("div", { class: "both-sides" });
    // On a phone a case is folded, and whoever is interested opens it.
    this.#fold = h(
      "details",
      { class: "fold", open: narrow.matches ? null : "" },
      h("summary", {}, "What happens"),
      h("p", { class: "lesson" }, ...prose(entry.lesson)),
      h(
        "div",
        { class: "sources" },
        figure("The script", code(script(entry, origins))),
        figure("The policy, in demo.conf", policy(lines, entry.key)),
      ),
      this.#body,
    );
    narrow.addEventListener("change", () => (this.#fold.open = !narrow.matches));
    const button = h("button", { type: "button", class: "run", "aria-label": `Run again: ${entry.title}` }, "Run again");
    button.addEventListener("click", rerun);
    this.element = h(
      "article",
      { id: entry.id, class: "case", "aria-labelledby": `${entry.id}-title` },
      h("header", {}, h("h3", { id: `${entry.id}-title` }, entry.title), this.#mark, button),
      this.#fold,
    );
    this.reset();
  }

  unfold() {
    this.#fold.open = true;
  }

  reset() {
    delete this.element.dataset.outcome;
    delete this.element.dataset.status;
    delete this.element.dataset.asExpected;
    this.#mark.textContent = "waiting";
    this.#link().removeAttribute("data-as-expected");
  }

  show(result) {
    this.element.dataset.outcome = result.readable ? "readable" : "blocked";
    this.element.dataset.status = result.status ?? "";
    this.element.dataset.asExpected = result.asExpected;
    this.#link().dataset.asExpected = result.asExpected;
    this.#mark.textContent = result.asExpected ? "as expected" : "not as expected";
    this.#body.replaceChildren(
      h(
        "div",
        { class: "columns", "aria-hidden": "true" },
        h("span", {}, "The browser sent"),
        h("span", {}, "nginx answered"),
      ),
      ...result.steps.flatMap(({ step, exchanges, reason, outcome }, index) => [
        ...exchanges.map((exchange) => this.#exchange(exchange, exchange === exchanges.at(-1) ? reason : {})),
        ...(exchanges.some((exchange) => !exchange.preflight) ? [] : [neverSent(step)]),
        verdict(outcome, reason, index === result.steps.length - 1),
      ]),
      ...(result.asExpected ? [] : [expectation(this.#entry.expect, result)]),
      terminal(result, this.#origins),
    );
  }

  #exchange({ preflight, method, path, sent, status, answered, application }, { decisive }) {
    const by = application !== "" ? "from the application" : preflight ? "from the module" : "from nginx itself";
    return h(
      "div",
      { class: "exchange", "data-kind": preflight ? "preflight" : "request" },
      h(
        "div",
        { class: "sent", role: "group", "aria-label": preflight ? "The browser’s preflight" : "The browser’s request" },
        h("h4", {}, h("span", { class: "kind" }, preflight ? "Preflight" : "Request"), h("code", {}, `${method} ${path}`)),
        headers(sent),
      ),
      h(
        "div",
        { class: "answered", role: "group", "aria-label": "nginx’s answer" },
        h("h4", {}, h("code", { class: "status", "data-class": Math.floor(status / 100) }, String(status)), h("span", { class: "by" }, by)),
        headers(answered, decisive),
      ),
    );
  }

  #link() {
    return document.querySelector(`.contents a[data-case="${this.#entry.id}"]`) ?? h("a");
  }
}

function headers(values, decisive) {
  const rows = Object.entries(values);
  if (decisive && !(decisive in values)) {
    rows.unshift([decisive, null]);
  }
  if (rows.length === 0) {
    return h("p", { class: "none" }, "no headers of interest");
  }
  return h(
    "dl",
    {},
    ...rows.map(([name, value]) =>
      h(
        "div",
        { class: [name === decisive && "decisive", value === null && "absent"].filter(Boolean).join(" ") || null },
        h("dt", {}, name),
        h("dd", {}, value ?? "absent"),
      ),
    ),
  );
}

function neverSent({ method = "GET", path }) {
  return h(
    "div",
    { class: "exchange never" },
    h("div", { class: "sent" }, h("h4", {}, h("span", { class: "kind" }, "Request"), h("code", {}, `${method} ${path}`))),
    h("div", { class: "answered" }, h("h4", {}, h("span", { class: "by" }, "not sent by the browser"))),
  );
}

function verdict(outcome, reason, last) {
  const seen = outcome.readable
    ? [h("code", {}, String(outcome.status)), outcome.body === "" ? h("span", { class: "none" }, "no body") : h("code", {}, short(outcome.body))]
    : [h("code", {}, outcome.error)];
  return h(
    "div",
    { class: `verdict ${outcome.readable ? "readable" : "blocked"}`, "data-last": last },
    h("h4", {}, outcome.readable ? "The script may read it" : "The browser blocks it"),
    h("p", {}, ...prose(reason.text)),
    h("p", { class: "seen" }, h("span", {}, "What the script gets:"), ...seen),
  );
}

function expectation(expect, result) {
  const words = ({ preflight, sent, status }, headers = {}) =>
    [
      preflight === null ? "no preflight" : `a preflight answered with ${preflight}`,
      sent ? "the request sent" : "the request not sent",
      status === null ? "nothing readable" : `a readable ${status}`,
      ...Object.entries(headers).map(([name, value]) => (value === null ? `no ${name}` : `${name}: ${value}`)),
    ].join(", ");
  const was = words(result, result.steps.at(-1).outcome.headers);
  return h("p", { class: "notice" }, `Expected: ${words(expect, expect.headers)}. It was: ${was}.`);
}

function terminal(result, origins) {
  const text = curl(result, origins);
  const button = h("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return h("details", {}, h("summary", {}, "The same in a terminal"), h("div", { class: "terminal" }, code(text), button));
}

function figure(caption, content) {
  return h("figure", {}, h("figcaption", {}, caption), content);
}

function code(text) {
  return h("pre", { tabindex: "0" }, h("code", {}, text));
}

// The key directives are highlighted. Where a location has one of them itself, the line of the server does not count,
// and is not highlighted.
function policy(lines, key) {
  const name = (line) => line.trim().split(/\s/)[0].replace(/;$/, "");
  return h(
    "pre",
    { tabindex: "0" },
    h(
      "code",
      {},
      ...lines.flatMap((line, index) => {
        const directive = name(line);
        const overridden = lines.slice(index + 1).some((later) => name(later) === directive);
        const element = key.includes(directive) && !overridden ? "mark" : "span";
        const [, indent, word, rest] = line.match(/^(\s*)(\S*)(.*)$/);
        const text = /^cors/.test(word) ? [h("b", {}, word), rest] : [word + rest];
        return [indent, h(element, {}, ...text), "\n"];
      }),
    ),
  );
}

// Text with `code` in it.
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

function short(body) {
  const text = body.replace(/\s+/g, " ").trim();
  return text.length > 72 ? `${text.slice(0, 70)} …` : text;
}

function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children);
  return element;
}
