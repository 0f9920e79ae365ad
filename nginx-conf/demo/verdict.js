// Why the browser let the script read the answer or not, in one sentence, and the header that decided it.
// The checks are in the order of the Fetch standard: origin, credentials, and for a preflight its
// status, the method and the headers.

export function explain(step, origin, exchanges, outcome) {
  const preflight = exchanges.find((exchange) => exchange.preflight);
  const actual = exchanges.find((exchange) => !exchange.preflight);
  if (outcome.readable) {
    return allowed(step, preflight, actual, outcome);
  }
  const refusal = actual
    ? refusedOrigin(step, origin, actual)
    : preflight && (refusedOrigin(step, origin, preflight) ?? refusedPreflight(step, preflight));
  return refusal ?? { text: "No answer reached the browser.", decisive: null };
}

function refusedOrigin(step, origin, { preflight, status, answered }) {
  const name = "Access-Control-Allow-Origin";
  const value = answered[name];
  const withCookies = step.credentials === "include";
  const so = preflight ? `so the browser does not send the \`${step.method ?? "GET"}\`` : "so the browser keeps it from the script";

  if (value === undefined) {
    return { text: `The ${status} does not name \`${origin}\`, ${so}.`, decisive: name };
  }
  if (value === "*" && withCookies) {
    return { text: `The answer says \`*\`, which is no wildcard for a request with cookies, ${so}.`, decisive: name };
  }
  if (value !== "*" && value !== origin) {
    return { text: `The answer is for \`${value}\`, not for \`${origin}\`, ${so}.`, decisive: name };
  }
  if (withCookies && answered["Access-Control-Allow-Credentials"] !== "true") {
    return {
      text: `The request asked for cookies, and the answer does not allow them, ${so}.`,
      decisive: "Access-Control-Allow-Credentials",
    };
  }
  return null;
}

function refusedPreflight(step, { status, sent, answered }) {
  const method = sent["Access-Control-Request-Method"];
  if (status < 200 || status > 299) {
    return { text: `The preflight was answered with ${status}, so the browser does not send the \`${method}\`.`, decisive: null };
  }
  const methods = list(answered["Access-Control-Allow-Methods"]);
  if (!["GET", "HEAD", "POST", ...methods].includes(method) && !coversAll(step, methods)) {
    return {
      text: `\`${method}\` is not among the methods that the answer allows, so the browser does not send it.`,
      decisive: "Access-Control-Allow-Methods",
    };
  }
  const headers = list(answered["Access-Control-Allow-Headers"]).map((name) => name.toLowerCase());
  const missing = list(sent["Access-Control-Request-Headers"]).find(
    (name) => !headers.includes(name) && !(coversAll(step, headers) && name !== "authorization"),
  );
  if (missing) {
    return {
      text: `\`${missing}\` is not among the headers that the answer allows, so the browser does not send the \`${method}\`.`,
      decisive: "Access-Control-Allow-Headers",
    };
  }
  return null;
}

function allowed(step, preflight, actual, outcome) {
  if (!actual) {
    return { text: "The script could read an answer that is not in the log of nginx.", decisive: null };
  }
  const opening = preflight ? `${granted(preflight)}, and the` : outcome.status >= 400 ? "It is an error, but the" : "The";
  const whose = actual.answered["Access-Control-Allow-Origin"] === "*" ? "allows every origin" : "names this origin";
  const cookies = step.credentials === "include" ? " and allows cookies" : "";
  const headers = Object.entries(outcome.headers).map(([name, value]) =>
    value === null ? `\`${name}\` cannot be read` : `\`${name}\` can be read: ${value}`,
  );
  return {
    text: `${opening} answer ${[`${whose}${cookies}`, ...headers].join("; ")}.`,
    decisive: headers.length > 0
      ? "Access-Control-Expose-Headers"
      : cookies
        ? "Access-Control-Allow-Credentials"
        : "Access-Control-Allow-Origin",
  };
}

function granted({ sent }) {
  const headers = list(sent["Access-Control-Request-Headers"]).map((name) => `\`${name}\``);
  const method = `\`${sent["Access-Control-Request-Method"]}\``;
  return `The preflight allowed ${headers.length > 0 ? `${method} with ${headers.join(" and ")}` : method}`;
}

// For a request with cookies, * is no wildcard.
function coversAll(step, names) {
  return step.credentials !== "include" && names.includes("*");
}

function list(value = "") {
  return value
    .split(",")
    .map((element) => element.trim())
    .filter(Boolean);
}
