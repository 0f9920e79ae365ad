// A case as code: what its script says, and the same for a terminal.

export function script({ steps, from }, origins) {
  const calls = steps.map(({ path, method, headers, body, credentials, reads = [] }) => {
    const options = [
      method && `method: ${JSON.stringify(method)}`,
      headers && `headers: ${object(headers)}`,
      body && `body: JSON.stringify(${object(JSON.parse(body))})`,
      credentials && `credentials: ${JSON.stringify(credentials)}`,
    ].filter(Boolean);
    const url = JSON.stringify(origins.api + path);
    const call =
      options.length === 0 ? `await fetch(${url});` : `await fetch(${url}, {\n${options.map((line) => `  ${line},\n`).join("")}});`;
    const gets = reads.map((name) => `answer.headers.get(${JSON.stringify(name)});`);
    return reads.length === 0 ? call : [`const answer =\n  ${call}`, ...gets].join("\n");
  });
  const where = from === "stranger" ? [`// on ${origins.stranger}`] : [];
  return [...where, ...calls].join("\n");
}

export function curl({ steps }, origins) {
  return steps
    .flatMap(({ step, exchanges }) =>
      exchanges.map(({ preflight, method, path, sent }) =>
        [
          "curl -i",
          method !== "GET" && `-X ${method}`,
          ...Object.entries(sent).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
          !preflight && step.body && `--data ${quote(step.body)}`,
          quote(origins.api + path),
        ]
          .filter(Boolean)
          .join(" \\\n  "),
      ),
    )
    .join("\n\n");
}

function object(value) {
  const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));
  const inner = Object.entries(value).map(([name, text]) => `${key(name)}: ${JSON.stringify(text)}`);
  return `{ ${inner.join(", ")} }`;
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
