// Train: a network put together by clicks, and a real training watched while it learns. web/training.py does the work.
import { readNetwork } from "../engine/network.js";
import { button, choice, slider } from "../ui/controls.js";
import { curves } from "../ui/curves.js";
import { el, fill } from "../ui/dom.js";
import { ICONS } from "../ui/icons.js";
import { panel, screenHead } from "../ui/panel.js";
import { settingsForm } from "./train/form.js";
import { plane } from "./train/plane.js";
import { encodePoints } from "./train/points.js";
import { bytesOf, confusionView, failuresView, weightsView } from "./train/results.js";
import { Session } from "./train/session.js";
import { fromAddress, pointsOf, toAddress } from "./train/settings.js";

export const id = "train";
export const title = "Train";
export const key = "4";
export const needsServer = true;

const MARKS = ["", "b."];
const NAMES = ["A", "B"];
const short = (v) => String(Number(v.toPrecision(3)));

export function mount(root, app) {
  let settings = [fromAddress(app.state, MARKS[0])];
  if (app.state.get("compare")) settings.push(fromAddress(app.state, MARKS[1], settings[0]));
  const session = (app.training ??= new Session(app));
  if (JSON.stringify(session.settings) !== JSON.stringify(settings)) session.reset(settings.length);
  let shown = 0; // whose settings and pictures are shown
  let pointClass = 0;

  const form = settingsForm(app, changed);
  const tabs = el("div", { class: "row" });
  const status = el("p", { class: "training-status" });
  const progress = el("progress", { max: 1, value: 0, "aria-label": "Progress of the epoch" });
  const bar = el("div", { class: "row transport" });
  const lossCurves = curves({ label: "Loss after each epoch", y: "loss", format: short });
  const accuracyCurves = curves({ label: "Accuracy after each epoch", y: "accuracy", format: (v) => `${Math.round(1000 * v) / 10} %` });
  const fitCurves = curves({ label: "The function and the network's curve", x: "x", y: "f(x)", format: short });
  const weights = weightsView();
  const confusion = confusionView();
  const failures = failuresView((failure) => {
    app.setImage(Float32Array.from(bytesOf(failure.pixels), (b) => b / 255), { kind: "mnist", label: failure.label, index: failure.index });
    app.say("This image is now in the other screens.");
  });
  const field = plane(addPoint);
  const speed = slider({ label: "Speed", min: 0, max: 60, value: settings[0].speed, format: (v) => (v ? `${v} epochs/s` : "full"), on: (v) => session.tell("speed", { value: v }) });
  const after = el("div", { class: "stack" });
  const views = el("div", { class: "panels" });

  root.append(
    screenHead("Train", "Put a network together and watch it learn: this is a real training, and its run is saved.",
      el("div", { class: "row" }, tabs, button("Copy link", { path: ICONS.link, on: copyLink }))),
    el("div", { class: "train" },
      panel({ title: "Network", sentence: "The address holds every setting, so a link opens this page with the same settings.", docs: "training.md" }, form.element),
      el("div", { class: "stack results" },
        panel({ title: "Training", sentence: "A step uses one batch; an epoch uses every training example once.", docs: "play.md#train" }, bar, el("div", { class: "row spread" }, status, el("div", { class: "speed" }, speed.element)), progress, after),
        views)),
  );

  function layout() {
    const kind = settings[shown].kind;
    const curvePanels = [
      panel({ title: "Loss", sentence: "Mean loss of the training examples and of the validation examples (dashed).", docs: "see-training.md", width: kind === "function" ? "" : "half" }, lossCurves.element),
      kind === "function" ? null : panel({ title: "Accuracy", sentence: "Share of the validation examples that are classified correctly.", docs: "see-training.md", width: "half" }, accuracyCurves.element),
    ];
    if (kind === "points") {
      const classes = choice({ label: "Class of the points you add (click, or arrows and Enter)", options: ["0", "1", "2", "3"].map((c) => [c, c]), value: String(pointClass), on: (v) => (pointClass = Number(v)) });
      fill(views, panel({ title: "Plane", sentence: "Colour: the class that the network gives each place. Small maps: the output of each hidden neuron.", docs: "play.md#train" }, field.element, classes.element), curvePanels);
    } else if (kind === "function")
      fill(views, panel({ title: "Fit", sentence: "The function (dashed), and the network's curve.", docs: "function-approximation.md" }, fitCurves.element), curvePanels);
    else
      fill(views, curvePanels,
        panel({ title: "Weights", sentence: "Weights of the first layer: orange where ink raises a neuron's input, blue where it lowers it.", docs: "see-inside.md" }, weights.element),
        panel({ title: "Confusion", sentence: "How often each class (row) was taken for another (column), on the validation images.", docs: "see-failures.md" }, confusion.element),
        panel({ title: "Failures", sentence: "Misclassified validation images, the most confident errors first. Click one to use it on the other screens.", docs: "see-failures.md" }, failures.element));
  }

  /** The form has new settings. Those of a training under way cannot change, but for its learning rate. */
  function changed(next, { live = "", redraw = true } = {}) {
    const before = settings[shown].kind;
    if (next.kind !== before) settings = settings.map(() => ({ ...next }));
    settings[shown] = next;
    save();
    if (live === "rate" && session.running) {
      session.settings[shown] = { ...next };
      session.tell("rate", { training: shown, value: next.rate });
      return;
    }
    if (session.running) app.say("The training was stopped, and its last whole epoch is saved: these are new settings.");
    session.reset(settings.length);
    if (next.kind !== before) {
      speed.set(next.speed);
      layout();
    }
    if (redraw) form.show(settings[shown]);
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

  function show(number) {
    shown = number;
    form.show(settings[shown]);
    layout();
    draw();
  }

  function setCount(list) {
    settings = list;
    shown = list.length - 1;
    changed(settings[shown]);
    drawTabs();
  }

  function drawTabs() {
    if (settings.length === 1) fill(tabs, button("Compare two", { path: ICONS.plus, on: () => setCount([settings[0], { ...settings[0] }]) }));
    else
      fill(tabs,
        choice({ label: "Training", hideLabel: true, options: NAMES.map((n, i) => [String(i), n]), value: String(shown), on: (v) => show(Number(v)) }).element,
        button("Only one", { on: () => setCount([settings[shown]]) }));
  }

  const barChanged = changeDetector();
  let focused = -1; // the button that had the focus when its place was disabled
  function drawBar() {
    const { playing, running, pending } = session;
    if (!barChanged(playing, running, pending)) return;
    const at = [...bar.children].indexOf(document.activeElement);
    if (at >= 0) focused = at;
    bar.replaceChildren( // `fill` would move the focus on at once: here it waits until its place is enabled again
      button(playing ? "Pause" : running ? "Go on" : "Train", { kind: "primary", path: playing ? ICONS.pause : ICONS.play, on: () => go(session.playing ? "pause" : "play"), disabled: pending }),
      button("Step", { path: ICONS.skip, on: () => go("step"), disabled: pending }),
      button("One epoch", { path: ICONS.skip, on: () => go("epoch"), disabled: pending }),
      button("Stop", { path: ICONS.stop, on: () => go("stop"), disabled: !running }));
    const next = bar.children[focused];
    if (!next || next.disabled) return;
    if (document.activeElement === document.body) next.focus({ preventScroll: true });
    focused = -1;
  }

  /** Start if there is no training, else say play, pause, step, epoch or stop. */
  function go(word) {
    if (session.running) session.tell(word);
    else session.start(settings, word, speed.value);
    draw();
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

  function series(column, suffix, dashed = false) {
    const several = session.lanes.length > 1;
    return session.lanes.map((lane, i) => ({ name: several ? `${NAMES[i]} ${suffix}` : suffix, colour: i + 1, dashed, points: thinned(lane.rows).map((row) => [row.epoch, row[column]]) }));
  }

  function draw() {
    const { lanes } = session;
    const [lane, s] = [lanes[shown], settings[shown]];
    const several = lanes.length > 1;
    const texts = lanes.map((each, i) => (each.text ? `${several ? `${NAMES[i]}: ` : ""}${each.text}` : ""));
    const usual = session.pending ? "Preparing … The first training on a computer compiles its kernels: up to 10 seconds." : `Ready. ${s.rate ? "" : "The learning rate is the default one."}`;
    status.setAttribute("aria-live", session.playing ? "off" : "polite"); // ten lines a second are no news
    status.textContent = texts.filter(Boolean).join("\n") || usual;
    progress.value = lane.ended ? 1 : lane.share;
    lossCurves.draw([...series("train_loss", "training"), ...series("valid_loss", "validation", true)]);
    if (s.kind !== "function") accuracyCurves.draw(series("valid_accuracy", "validation"), { high: 1 });
    if (s.kind === "points") field.draw(pointsOf(s), lane.network);
    else if (s.kind === "function") drawFit();
    else {
      weights.draw(lane.network);
      drawResults(lane);
    }
    drawAfter(lane);
    drawBar();
  }

  const resultsChanged = changeDetector();
  let themes = 0; // how often the colours have changed
  function drawResults({ analysis, network }) {
    const names = network?.classNames ?? [];
    if (!resultsChanged(analysis, names.length, themes)) return;
    confusion.draw(analysis?.confusion, names);
    failures.draw(analysis?.failures, names);
  }

  function drawFit() {
    const { target } = session.lanes[shown];
    const fits = session.lanes.flatMap((lane, i) => (lane.curve ? [{ name: session.lanes.length > 1 ? NAMES[i] : "network", colour: i + 1, points: lane.target.map(([x], k) => [x, lane.curve[k]]) }] : []));
    fitCurves.draw(target ? [...fits, { name: "function", colour: 6, dashed: true, points: target }] : []);
  }

  const afterChanged = changeDetector();
  function drawAfter(lane) {
    const [end, { rate, kind }] = [lane.ended, settings[shown]];
    if (!afterChanged(lane, lane.rate, lane.bytes, end, rate, kind)) return;
    fill(after,
      lane.rate && !rate ? el("p", { class: "small muted" }, `Learning rate η = ${short(lane.rate)} (default)`) : null,
      end?.advice ? el("p", { class: "note bad" }, end.advice) : null,
      end && lane.bytes && end.reason !== "error" ? el("div", { class: "row" },
        kind === "images" ? button("Use this network in the other screens", { on: () => {
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
  session.listener = requestDraw;
  const off = app.on("theme", () => {
    themes += 1;
    draw();
  });
  return () => {
    off();
    session.listener = () => {};
    for (const each of [lossCurves, accuracyCurves, fitCurves]) each.stop();
  };
}

/** At most 400 rows, evenly spaced, the last one among them. */
function thinned(rows) {
  const step = Math.ceil(rows.length / 400);
  return step <= 1 ? rows : rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
}

/** A function that says whether its arguments differ from those of the last call. Buttons that are replaced in every
 * frame of a training lose the focus, and a click whose press and release are in different frames. */
function changeDetector() {
  let last = null;
  return (...now) => {
    const changed = last === null || now.some((value, i) => value !== last[i]);
    last = now;
    return changed;
  };
}
