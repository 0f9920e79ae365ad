// A page of another origin. It sends the requests that the demo page asks for, and reports what it could read.
import { perform } from "./request.js";

const origins = await (await fetch("origins.json")).json();

document.getElementById("origin").textContent = location.origin;

async function send(request) {
  const outcome = await perform(request);
  const what = `${request.method ?? "GET"} ${new URL(request.url).pathname}`;
  document.getElementById("last").textContent = outcome.readable
    ? `It sent ${what} and could read the answer: ${outcome.status}.`
    : `It tried ${what} and could not read an answer: ${outcome.error}.`;
  return outcome;
}

if (window.top === window) {
  await send({ url: `${origins.api}/greeting` });
} else {
  window.addEventListener("message", async ({ origin, data, ports: [reply] }) => {
    if (origin === origins.page && reply) {
      reply.postMessage(await send(data));
    }
  });
  window.parent.postMessage("ready", origins.page);
}
