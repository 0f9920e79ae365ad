// Sends one request, and returns what a script can read of the answer.
export async function perform({ url, method = "GET", headers = {}, body, credentials = "same-origin", reads = [] }) {
  let response;
  try {
    response = await fetch(url, { method, headers, body, credentials });
  } catch (error) {
    return { readable: false, error: `${error.name}: ${error.message}` };
  }
  return {
    readable: true,
    status: response.status,
    body: await response.text(),
    headers: Object.fromEntries(reads.map((name) => [name, response.headers.get(name)])),
  };
}
