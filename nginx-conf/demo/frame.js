// The stranger's page, in a frame of its own.

const patience = 5000;

export class Stranger {
  #origin;
  #ready;

  constructor(origin) {
    this.#origin = origin;
    this.frame = document.createElement("iframe");
    this.frame.className = "stranger-frame";
    this.frame.title = "A stranger’s page";
    this.frame.src = `${origin}/`;
    this.#ready = this.#next("message", (event) => event.origin === origin && event.source === this.frame.contentWindow);
    this.#ready.catch(() => {});
  }

  // Sends the request from the stranger's origin.
  async perform(request) {
    await this.#ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    this.frame.contentWindow.postMessage(request, this.#origin, [port2]);
    return answer;
  }

  #next(type, matches) {
    return new Promise((resolve, reject) => {
      const listen = (event) => {
        if (matches(event)) {
          window.removeEventListener(type, listen);
          resolve(event);
        }
      };
      window.addEventListener(type, listen);
      setTimeout(() => reject(new Error(`the stranger’s page at ${this.#origin} did not load`)), patience);
    });
  }
}
