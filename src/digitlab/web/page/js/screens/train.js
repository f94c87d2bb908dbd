// Train: a network put together by clicks, and a real training watched while it learns. web/training.py does the work.
import { readNetwork } from "../engine/network.js";
import { button, choice, slider } from "../ui/controls.js";
import { curves } from "../ui/curves.js";
import { el, fill } from "../ui/dom.js";
import { ICONS } from "../ui/icons.js";
import { panel, screenHead } from "../ui/panel.js";
import { settingsForm } from "./train/form.js";
import { plane } from "./train/plane.js";
import { bytesOf, confusionView, failuresView, weightsView } from "./train/results.js";
import { encodePoints } from "./train/points.js";
import { fromAddress, pointsOf, request, toAddress } from "./train/settings.js";

export const id = "train";
export const title = "Train";
export const key = "4";
export const needsServer = true;

const MARKS = ["", "b."];
const NAMES = ["A", "B"];

/** What is known of one training: rows of its history, its latest network, confusion matrix, failures. */
function fresh() {
  return { rows: [], network: null, bytes: null, analysis: null, curve: null, target: null, folder: null, ended: null, text: "", rate: null, share: 0 };
}

export function mount(root, app) {
  let socket = null;
  let settings = [fromAddress(app.state, MARKS[0])];
  if (app.state.get("compare")) settings.push(fromAddress(app.state, MARKS[1], settings[0]));
  let lanes = settings.map(fresh);
  let shown = 0; // whose settings and pictures are shown
  let running = false; // a training was started and has not ended
  let playing = false;
  let pending = false;
  let pointClass = 0;

  const form = settingsForm(app, changed);
  const tabs = el("div");
  const status = el("p", { class: "training-status", role: "status" });
  const progress = el("progress", { max: 1, value: 0, "aria-label": "Progress of the epoch" });
  const bar = el("div", { class: "row transport" });
  const lossCurves = curves({ label: "Loss after each epoch", y: "loss", format: (v) => String(Number(v.toPrecision(3))) });
  const accuracyCurves = curves({ label: "Accuracy after each epoch", y: "accuracy", format: (v) => `${Math.round(1000 * v) / 10} %` });
  const fitCurves = curves({ label: "The function and the network's curve", x: "x", y: "f(x)", format: (v) => String(Number(v.toPrecision(3))) });
  const weights = weightsView();
  const failures = failuresView((failure) => {
    app.setImage(Float32Array.from(bytesOf(failure.pixels), (b) => b / 255), { kind: "mnist", label: failure.label, index: failure.index });
    app.say("This image is now in the other screens.");
  });
  const confusion = confusionView();
  const field = plane(addPoint);
  const speed = slider({ label: "Speed", min: 0, max: 60, value: settings[0].speed, format: (v) => (v ? `${v} epochs/s` : "full"), on: (v) => tell("speed", { value: v }) });
  const after = el("div", { class: "stack" });
  const views = el("div", { class: "panels" });

  root.append(
    screenHead("Train", "Put a network together and watch it learn: this is a real training, and its run is saved.",
      el("div", { class: "row" }, tabs, button("Copy link", { path: ICONS.link, on: copyLink }))),
    el("div", { class: "train" },
      panel({ title: "Network and training", sentence: "Every setting is part of the address: a link opens this page with the same ones.", docs: "training.md" }, form.element),
      el("div", { class: "stack results" },
        el("section", { class: "panel", "aria-label": "Controls" }, bar, el("div", { class: "row spread" }, status, el("div", { class: "speed" }, speed.element)), progress, after),
        views)),
  );

  function layout() {
    const kind = settings[shown].kind;
    const curvePanels = [
      panel({ title: "Loss", sentence: "Mean loss of the training examples and of examples that are kept apart (dashed).", docs: "see-training.md", width: kind === "function" ? "" : "half" }, lossCurves.element),
      kind === "function" ? null : panel({ title: "Accuracy", sentence: "Share of the examples kept apart whose class is right.", docs: "see-training.md", width: "half" }, accuracyCurves.element),
    ];
    if (kind === "points") {
      const classes = choice({ label: "Class of the points you add by clicking", options: ["0", "1", "2", "3"].map((c) => [c, c]), value: String(pointClass), on: (v) => (pointClass = Number(v)) });
      fill(views, panel({ title: "Plane", sentence: "Colour: the class that the network gives each place. Small maps: what each hidden neuron says.", docs: "training.md" }, field.element, classes.element), curvePanels);
    } else if (kind === "function")
      fill(views, panel({ title: "Fit", sentence: "The function (dashed), and the network's curve.", docs: "function-approximation.md" }, fitCurves.element), curvePanels);
    else
      fill(views, curvePanels,
        panel({ title: "Weights", sentence: "Weights of the first layer: orange where ink speaks for a neuron, blue where it speaks against it.", docs: "see-inside.md", width: "half" }, weights.element),
        panel({ title: "Confusion", sentence: "How often each class (row) was taken for another (column), on the validation images.", docs: "see-failures.md", width: "half" }, confusion.element),
        panel({ title: "Failures", sentence: "Validation images that are wrong, the surest errors first. Click one to take it to the other screens.", docs: "see-failures.md" }, failures.element));
  }

  function changed(next, { live = "" } = {}) {
    const before = settings[shown].kind;
    if (next.kind !== before) settings = settings.map(() => ({ ...next }));
    settings[shown] = next;
    save();
    if (live === "rate" && running) {
      tell("rate", { training: shown, value: next.rate });
      return;
    }
    if (running) stop();
    lanes = settings.map(fresh);
    if (next.kind !== before) {
      speed.set(next.speed);
      layout();
    }
    if (live !== "rate") form.show(settings[shown]);
    draw();
  }

  function save() {
    settings.forEach((s, i) => toAddress(app.state, MARKS[i], s));
    if (settings.length === 1) toAddress(app.state, MARKS[1], null);
    app.state.set({ compare: settings.length > 1 ? "1" : null });
  }

  function addPoint(x, y) {
    const rounded = (v) => Math.round(1000 * v) / 1000;
    changed({ ...settings[shown], points: encodePoints([...pointsOf(settings[shown]), [rounded(x), rounded(y), pointClass]]) });
  }

  async function copyLink() {
    save();
    try {
      await navigator.clipboard.writeText(location.href);
      app.say("The link is copied. It carries the settings; another computer opens it with its own digitlab play.");
    } catch {
      app.say("Copy the link from the address bar: it carries the settings.");
    }
  }

  function drawTabs() {
    if (settings.length === 1) {
      fill(tabs, button("Compare two", { path: ICONS.plus, on: () => {
        settings.push({ ...settings[0] });
        shown = 1;
        changed(settings[1]);
        drawTabs();
      } }));
      return;
    }
    fill(tabs, el("div", { class: "row" },
      choice({ label: "Training", hideLabel: true, options: NAMES.map((n, i) => [String(i), n]), value: String(shown), on: (v) => {
        shown = Number(v);
        form.show(settings[shown]);
        layout();
        draw();
      } }).element,
      button("Only one", { on: () => {
        settings = [settings[shown]];
        shown = 0;
        changed(settings[0]);
        drawTabs();
      } })));
  }

  function drawBar() {
    fill(bar,
      button(playing ? "Pause" : running ? "Go on" : "Train", { kind: "primary", path: playing ? ICONS.pause : ICONS.play, on: playPause, disabled: pending }),
      button("Step", { path: ICONS.skip, on: () => go("step"), disabled: pending }),
      button("One epoch", { path: ICONS.skip, on: () => go("epoch"), disabled: pending }),
      button("Stop", { path: ICONS.stop, on: stop, disabled: !running }));
  }

  const playPause = () => go(playing ? "pause" : "play");

  /** Start if there is no training, then say play, pause, step or epoch. */
  function go(word) {
    if (!running) start(word);
    else tell(word);
    playing = word === "play";
    drawBar();
  }

  function tell(word, table = {}) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: word, ...table }));
  }

  function start(word) {
    lanes = settings.map(fresh);
    running = pending = true;
    const opened = (socket = app.api.socket("train"));
    opened.addEventListener("open", () => {
      opened.send(JSON.stringify({ do: "start", trainings: settings.map(request) }));
      opened.send(JSON.stringify({ do: "speed", value: speed.value }));
      opened.send(JSON.stringify({ do: word }));
    });
    opened.addEventListener("message", ({ data }) => opened === socket && (typeof data === "string" ? receive(JSON.parse(data)) : receiveNetwork(data)));
    opened.addEventListener("close", () => {
      if (opened !== socket) return;
      if (running && !lanes.every((lane) => lane.ended)) app.say("The connection to the server has ended; what was trained is saved.", { bad: true });
      running = playing = pending = false;
      drawBar();
    });
    draw();
  }

  function stop() {
    if (!running) return;
    tell("stop");
    playing = false;
    drawBar();
  }

  function receive(message) {
    const lane = lanes[message.training ?? 0];
    if (message.type === "error") {
      app.say(message.message, { bad: true });
      lane.text = message.message;
      lane.ended = { reason: "error" };
    } else if (message.type === "started") Object.assign(lane, { rate: message.learning_rate, target: message.target });
    else if (message.type === "folder") lane.folder = message.folder;
    else if (message.type === "queued") lane.text = `waiting: ${message.ahead} other training${message.ahead > 1 ? "s" : ""} first`;
    else if (message.type === "analysis") lane.analysis = message;
    else if (message.type === "end") {
      lane.ended = message;
      lane.text = endText(message);
    } else if (message.type === "progress") {
      pending = false;
      lane.rows.push(...message.rows);
      lane.curve = message.curve ?? lane.curve;
      lane.share = message.done / message.total;
      lane.text = progressText(lane, message);
    }
    if (lanes.every((each) => each.ended)) {
      running = playing = pending = false;
      socket.close();
    }
    requestDraw();
  }

  function receiveNetwork(buffer) {
    const lane = lanes[new Uint8Array(buffer, 0, 1)[0]];
    lane.bytes = buffer.slice(1);
    lane.network = null;
    requestDraw();
  }

  const percent = (x) => `${(100 * x).toFixed(2)} %`;

  function progressText(lane, { epoch, done, total, idle }) {
    const last = lane.rows.at(-1);
    const score = last === undefined ? "" : last.valid_accuracy !== undefined ? `, validation ${percent(last.valid_accuracy)}` : `, validation loss ${last.valid_loss.toPrecision(3)}`;
    const step = done ? `, step ${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
    return `${idle ? "paused, " : ""}epoch ${epoch}${step}${score}`;
  }

  function endText({ reason, test, best, run }) {
    return [reason, best ? `best epoch ${best}` : "", test === null ? "" : `test ${percent(test)}`, run ? `saved as ${run}` : ""].filter(Boolean).join(", ");
  }

  let waiting = false;
  function requestDraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function series(column, { dashed = false, suffix = "" } = {}) {
    return lanes.map((lane, i) => ({ name: `${lanes.length > 1 ? `${NAMES[i]} ` : ""}${suffix}`, colour: i + 1, dashed, points: thinned(lane.rows).map((row) => [row.epoch, row[column]]) }));
  }

  function draw() {
    const lane = lanes[shown];
    const s = settings[shown];
    if (!lane.network && lane.bytes) lane.network = readNetwork(lane.bytes);
    const texts = lanes.map((each, i) => (each.text ? `${lanes.length > 1 ? `${NAMES[i]}: ` : ""}${each.text}` : ""));
    status.textContent = texts.filter(Boolean).join("  ·  ") || (pending ? "Preparing … The first training on a computer compiles its kernels: 10 to 20 seconds." : `Ready. ${s.rate ? "" : "The learning rate is the default one."}`);
    progress.value = lane.ended ? 1 : lane.share;
    lossCurves.draw([...series("train_loss", { suffix: "training" }), ...series("valid_loss", { suffix: "validation", dashed: true })]);
    if (s.kind !== "function") accuracyCurves.draw(series("valid_accuracy", { suffix: "validation" }), { high: 1 });
    if (s.kind === "points") field.draw(pointsOf(s), lane.network);
    else if (s.kind === "function") fitCurves.draw(lane.target ? [{ name: "function", colour: 6, dashed: true, points: lane.target }, ...lanes.filter((l) => l.curve).map((l, i) => ({ name: lanes.length > 1 ? NAMES[i] : "network", colour: i + 1, points: l.target.map(([x], k) => [x, l.curve[k]]) }))] : []);
    else {
      weights.draw(lane.network);
      confusion.draw(lane.analysis?.confusion, lane.network?.classNames ?? []);
      failures.draw(lane.analysis?.failures, lane.network?.classNames ?? []);
    }
    drawAfter(lane);
    drawBar();
  }

  function drawAfter(lane) {
    const end = lane.ended;
    fill(after,
      lane.rate && !settings[shown].rate ? el("p", { class: "small muted" }, `Learning rate η = ${Number(lane.rate.toPrecision(3))} (default)`) : null,
      end?.advice ? el("p", { class: "note bad" }, end.advice) : null,
      end && lane.bytes && end.reason !== "error" ? el("div", { class: "row" },
        settings[shown].kind === "images" ? button("Use this network in the other screens", { on: () => {
          app.setNetwork(readNetwork(lane.bytes), end.run ?? "trained here");
          app.say("The other screens now show this network.");
        } }) : null,
        button("Download the network", { path: ICONS.download, on: () => download(lane) })) : null);
  }

  function download(lane) {
    const link = el("a", { href: URL.createObjectURL(new Blob([lane.bytes])), download: `${lane.folder ?? "network"}.safetensors` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  layout();
  drawTabs();
  if (app.about) form.show(settings[shown]);
  draw();
  const off = app.on("theme", () => draw());
  return () => {
    off();
    for (const each of [lossCurves, accuracyCurves, fitCurves]) each.stop();
    const closing = socket;
    socket = null;
    closing?.close();
  };
}

/** At most 400 rows, evenly spaced, the last one among them. */
function thinned(rows) {
  const step = Math.ceil(rows.length / 400);
  return step <= 1 ? rows : rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
}
