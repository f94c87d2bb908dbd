// The trainings under way: their socket, and what the server has said of them. They go on while other screens are shown.
import { readNetwork } from "../../engine/network.js";
import { request } from "./settings.js";

const percent = (x) => `${(100 * x).toFixed(2)} %`;

/** What is known of one training. */
class Lane {
  rows = []; // of its history
  bytes = null; // the latest network's file
  analysis = null; // confusion matrix and failures
  curve = null; // of a function, and its `target`
  target = null;
  folder = null; // of the run
  ended = null; // the last message
  text = "";
  rate = null; // the learning rate it began with
  share = 0; // of the epoch that is done

  /** The latest network; read when it is asked for. */
  get network() {
    if (this.bytes && this.read !== this.bytes) {
      this.known = readNetwork(this.bytes);
      this.read = this.bytes;
    }
    return this.known ?? null;
  }

  progress({ epoch, done, total, idle, rows, curve }) {
    this.rows.push(...rows);
    this.curve = curve ?? this.curve;
    this.share = done / total;
    const last = this.rows.at(-1);
    const score = last === undefined ? "" : last.valid_accuracy !== undefined ? `, validation ${percent(last.valid_accuracy)}` : `, validation loss ${last.valid_loss.toPrecision(3)}`;
    const step = done ? `, step ${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
    this.text = `${idle ? "paused, " : ""}epoch ${epoch}${step}${score}`;
  }

  end(message) {
    const { reason, test, best, run } = message;
    this.ended = message;
    this.text = [reason, best ? `best epoch ${best}` : "", test === null ? "" : `test ${percent(test)}`, run ? `saved as ${run}` : ""].filter(Boolean).join(", ");
  }
}

export class Session {
  constructor(app) {
    this.app = app;
    this.listener = () => {};
    this.settings = [];
    this.reset(1);
  }

  /** Forget what was trained; a training under way is stopped, and its last whole epoch is saved. */
  reset(count) {
    const closing = this.socket;
    this.socket = null;
    closing?.close();
    this.lanes = Array.from({ length: count }, () => new Lane());
    this.running = this.playing = this.pending = false;
  }

  /** Train with these settings, one for each training; `word` is play, step or epoch, `speed` in epochs per second. */
  start(settings, word, speed) {
    this.reset(settings.length);
    this.settings = settings.map((s) => ({ ...s }));
    this.running = this.pending = true;
    this.playing = word === "play";
    const socket = (this.socket = this.app.api.socket("train"));
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
      socket.send(JSON.stringify({ do: "start", trainings: settings.map(request) }));
      this.tell("speed", { value: speed });
      this.tell(word);
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data === "string") this.receive(JSON.parse(data));
      else this.lanes[new Uint8Array(data, 0, 1)[0]].bytes = data.slice(1);
      this.listener();
    });
    socket.addEventListener("close", () => {
      if (socket !== this.socket) return;
      if (this.running) this.lost(opened);
      this.running = this.playing = this.pending = false;
      this.listener();
    });
  }

  /** The connection has ended during a training, or was never opened. */
  lost(opened) {
    const why = opened
      ? "The connection to the server has ended; the training is saved up to its last whole epoch."
      : "The server did not take the training: start `digitlab play` again, or close other pages that train.";
    this.app.say(why, { bad: true });
    for (const lane of this.lanes) if (!lane.ended) lane.text = opened ? `connection lost, ${lane.text}` : "";
  }

  /** play, pause, step, epoch, stop; speed or rate with a value. */
  tell(word, table = {}) {
    if (["play", "pause", "step", "epoch", "stop"].includes(word)) this.playing = word === "play";
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ do: word, ...table }));
  }

  receive(message) {
    const lane = this.lanes[message.training ?? 0];
    if (message.type === "started") Object.assign(lane, { rate: message.learning_rate, target: message.target });
    else if (message.type === "folder") lane.folder = message.folder;
    else if (message.type === "queued") lane.text = `waiting: ${message.ahead} other training${message.ahead > 1 ? "s" : ""} first`;
    else if (message.type === "analysis") lane.analysis = message;
    else if (message.type === "end") lane.end(message);
    else if (message.type === "progress") {
      this.pending = false;
      lane.progress(message);
    } else if (message.type === "error") {
      this.app.say(message.message, { bad: true });
      for (const each of message.training === null ? this.lanes : [lane]) Object.assign(each, { text: message.message, ended: { reason: "error" } });
    }
    if (this.lanes.every((each) => each.ended)) {
      this.running = this.playing = this.pending = false;
      this.socket.close();
    }
  }
}
