// One run: its curves, the command that repeats it, its settings, and which images it gets wrong.
import { readNetwork } from "../../engine/network.js";
import { button } from "../../ui/controls.js";
import { curves } from "../../ui/curves.js";
import { el, fill } from "../../ui/dom.js";
import { ICONS } from "../../ui/icons.js";
import { panel, screenHead } from "../../ui/panel.js";
import { bytesOf, confusionView, failuresView } from "../train/results.js";
import { COLUMNS, columnText, isLive } from "./table.js";

const EVERY = 2000; // milliseconds between looks at a run that is going on

/** Draw the page of the run `name` into `root`; `back` leads to the list. Returns a function that ends it. */
export function runPage(root, app, name, back) {
  let run = null;
  let names = [];
  let timer = 0;
  let stopped = false;
  const query = `run?name=${encodeURIComponent(name)}`;
  const loss = curves({ label: `Loss of ${name}`, y: "loss", format: (v) => String(Number(v.toPrecision(3))) });
  const accuracy = curves({ label: `Accuracy of ${name}`, y: "accuracy", format: (v) => columnText("accuracy", v) });
  const facts = el("div", { class: "stack" });
  const settings = el("div", { class: "scroll settings" });
  const confusion = confusionView(showCell);
  const images = failuresView(explain);
  const which = el("p", { class: "muted small" });
  const ofImages = [
    panel({ title: "Accuracy", sentence: "Share of the validation images that are classified correctly.", docs: "see-training.md", width: "third" }, accuracy.element),
    panel({ title: "Confusion", sentence: "Click a number to see these images.", docs: "see-failures.md", width: "half" }, confusion.element),
    panel({ title: "Images", sentence: "The most confident errors, or those of the cell you clicked. Click an image to look inside this run's network with it.", docs: "see-explain.md", width: "half" }, which, images.element),
  ];

  root.append(
    screenHead(name, "One run: how it went, how to repeat it, and what its network gets wrong.", el("div", { class: "row" }, button("All runs", { on: back }), button("Use its network in the other screens", { kind: "primary", on: () => use() }))),
    el("div", { class: "panels" },
      panel({ title: "Result", sentence: "The best epoch and, for images, the command that trains the same network again.", docs: "training.md", width: "third" }, facts),
      panel({ title: "Loss", sentence: "Of the training set, and of the validation set (dashed).", docs: "see-training.md", width: "third" }, loss.element),
      ...ofImages,
      panel({ title: "Settings", sentence: "Every setting of config.toml.", docs: "training.md" }, settings)),
  );

  const guarded = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!stopped) app.say(error.message, { bad: true });
      return null;
    }
  };

  async function load() {
    const before = run?.done;
    try {
      run = await app.api.get(query);
      if (stopped) return;
    } catch (error) {
      if (stopped) return;
      if (run && !error.status) { // the server does not answer: what is known stays on the screen
        app.say(error.message, { bad: true });
        timer = setTimeout(load, EVERY);
      } else fill(root, screenHead(name, error.message), button("All runs", { on: back }));
      return;
    }
    draw();
    if (run.images && run.done && run.done !== before) {
      const found = await guarded(() => app.api.get(`${query}&what=confusion`));
      if (stopped) return;
      if (found) {
        names = found.names;
        confusion.draw(found.confusion, names);
        which.textContent = "The most confident errors.";
        images.draw(found.failures, names);
      } else which.textContent = "The images are unavailable.";
    }
    if (isLive(run)) timer = setTimeout(load, EVERY);
  }

  async function showCell(truth, answer) {
    const found = await guarded(() => app.api.get(`${query}&what=cell&true=${truth}&answer=${answer}`));
    if (!found || stopped) return;
    which.textContent = `${names[truth]} taken for ${names[answer]}.`;
    images.draw(found.images, names);
  }

  async function use() {
    const bytes = await guarded(() => app.api.bytes(`${query}&what=network`));
    if (!bytes || stopped) return false;
    app.setNetwork(readNetwork(bytes), name);
    app.say("The other screens now show this network.");
    return true;
  }

  async function explain(image) {
    if (!(await use())) return;
    app.setImage(Float32Array.from(bytesOf(image.pixels), (b) => b / 255), { kind: "mnist", label: image.label, index: image.index });
    location.hash = "#/open";
  }

  function copyable(text) {
    return el("div", { class: "row command" }, el("code", {}, text), button("", { path: ICONS.link, label: `Copy: ${text}`, kind: "quiet", on: async () => {
      await guarded(async () => {
        await navigator.clipboard.writeText(text);
        app.say("Copied.");
      });
    } }));
  }

  function draw() {
    const going = run.done < run.epochs;
    const hasAccuracy = run.rows.some((row) => Number.isFinite(row.valid_accuracy));
    ofImages.forEach((part, i) => (part.hidden = run.done > 0 && !(i === 0 ? hasAccuracy : run.images)));
    fill(facts,
      el("p", { class: "result" }, run.best_text ?? "no epoch yet"),
      run.best_text ? el("p", { class: "muted" }, `${COLUMNS.find(([key]) => key === run.monitor)?.[1] ?? run.monitor}, epoch ${run.best_epoch}; ${run.done} of ${run.epochs} epochs, ${run.seconds.toFixed(1)} s of training`) : null,
      isLive(run) ? el("p", {}, el("span", { class: "live" }, "live"), " This page follows the training.") : null,
      run.note ? el("p", { class: "note" }, run.note) : null,
      run.images ? [el("h3", {}, "Repeat it"), copyable(run.command)] : el("p", { class: "muted" }, run.settings.source),
      going && run.images ? [el("h3", {}, "Go on with it"), copyable(run.resume)] : null);
    const points = (column) => run.rows.filter((row) => Number.isFinite(row[column])).map((row) => [row.epoch, row[column]]);
    loss.draw([{ name: "training", colour: 1, points: points("train_loss") }, { name: "validation", colour: 1, dashed: true, points: points("valid_loss") }]);
    accuracy.draw([{ name: "validation", colour: 1, points: points("valid_accuracy") }], { high: 1 });
    fill(settings, el("table", {}, el("tbody", {}, Object.entries(run.settings).map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, key), el("td", {}, value))))));
  }

  load();
  const off = app.on("theme", () => run && draw());
  return () => {
    stopped = true;
    clearTimeout(timer);
    off();
    loss.stop();
    accuracy.stop();
  };
}
