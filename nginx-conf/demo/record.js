// The log in which nginx writes each request and its answer.

const patience = 2000;

// The exchanges of one run, as soon as there are as many as expected: nginx logs a request only
// after it has answered it.
export async function exchangesOf(run, expected) {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = (await lines()).filter((exchange) => exchange.run === run);
    if (found.length >= expected || performance.now() > deadline) {
      return found.map(tidy);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function lines() {
  const response = await fetch("exchanges.jsonl", { cache: "no-store" });
  const text = await response.text();
  // The last line may still be being written.
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

function tidy(exchange) {
  const present = (headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
  return {
    ...exchange,
    sent: present(exchange.sent),
    answered: present(exchange.answered),
    preflight: exchange.method === "OPTIONS" && exchange.sent["Access-Control-Request-Method"] !== "",
  };
}
