// The server's answers. The token comes in the address's fragment (#token=…), which no server sees and no log keeps.
import { recall, remember } from "./ui/store.js";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Api {
  constructor() {
    const given = location.hash.match(/^#token=([\w-]+)(.*)$/);
    if (given) {
      remember("token", given[1]);
      history.replaceState(null, "", given[2].startsWith("/") ? `#${given[2]}` : location.pathname);
    }
    this.token = given?.[1] ?? recall("token") ?? "";
    // The address of a server that was started again differs in the fragment alone: the browser loads nothing.
    window.addEventListener("hashchange", (event) => {
      if (!location.hash.startsWith("#token=")) return;
      event.stopImmediatePropagation(); // no screen may write its settings over the token before
      location.reload();
    });
  }

  async request(path, options = {}) {
    let answer;
    try {
      answer = await fetch(`/api/${path}`, { ...options, headers: { "X-Token": this.token, ...options.headers } });
    } catch {
      throw new ApiError(0, "The server does not answer; start `digitlab play` again.");
    }
    if (answer.ok) return answer;
    const { error } = await answer.json().catch(() => ({}));
    throw new ApiError(answer.status, error ?? `The server answered ${answer.status}.`);
  }

  /** JSON by GET. */
  async get(path) {
    return (await this.request(path)).json();
  }

  /** Bytes by GET. */
  async bytes(path) {
    return (await this.request(path)).arrayBuffer();
  }

  /** JSON by POST, answered with JSON. */
  async post(path, table = {}) {
    const options = { method: "POST", body: JSON.stringify(table), headers: { "Content-Type": "application/json" } };
    return (await this.request(path, options)).json();
  }

  /** A file by POST, answered with JSON. */
  async send(path, file) {
    const options = { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } };
    return (await this.request(path, options)).json();
  }

  /** A WebSocket; the token is one of its protocols, since browsers send no other headers with it. */
  socket(path) {
    const socket = new WebSocket(`ws${location.protocol.slice(4)}//${location.host}/api/${path}`, ["digitlab", `token.${this.token}`]);
    socket.binaryType = "arraybuffer";
    return socket;
  }
}
