// One step: choose the right digit, and see what the network learns from this one image.
import { ShapeError, argmax } from "../engine/tensor.js";
import { OPTIMIZERS, trainingStep } from "../engine/optimizers.js";
import { uniform } from "../engine/random.js";
import { inputOf, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, checkbox, select, slider } from "../ui/controls.js";
import { curves } from "../ui/curves.js";
import { el, fill } from "../ui/dom.js";
import { ICONS } from "../ui/icons.js";
import { percent, short } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { ensureImage, imagePanel } from "../ui/picker.js";
import { backRow, changes, lossRow } from "./step/rows.js";

export const id = "step";
export const title = "One step";
export const key = "3";
export const needsServer = false;

export function mount(root, app) {
  const head = screenHead(
    "One step",
    "Choose the right digit and press Learn: the error goes back through the layers, and every weight moves a little.",
  );
  const why =
    whyNoImage(app.network) ||
    (app.network.layers.some((layer) => layer.constructor.differentiable === false)
      ? "No gradient passes through the layer Step of this network."
      : "");
  if (why) {
    root.append(head, panel({ title: "No step" }, el("p", {}, why)));
    return null;
  }
  ensureImage(app);

  let network = app.network.copy();
  let states = new Map(); // of the optimizer, by parameter
  let past = []; // [{ network, states }], to undo
  let losses = [];
  const { classNames } = network;
  let [label, sure] = classToLearn(network, app);

  const picture = imagePanel(app, { sentence: "The one image that the network learns from." });
  const right = select({
    label: "The right class",
    value: String(label),
    options: network.classNames.map((name, i) => [String(i), name]),
    on: (value) => ((label = Number(value)), show()),
  });
  const rate = slider({
    label: "Learning rate η",
    min: 1e-4,
    max: 10,
    value: 0.01,
    log: true,
    format: short,
    on: () => show(),
  });
  const formula = el("p", { class: "formula" });
  const optimizer = select({
    label: "Optimizer",
    value: "SGD",
    options: Object.keys(OPTIMIZERS).map((name) => [name, name]),
    on: () => ((states = new Map()), show()),
  });
  const said = el("p", { class: "sum", "aria-live": "polite", id: "loss" });
  const hint = el("p", { class: "note", id: "hint" });
  const [before, after] = [
    bars(network.classNames, { title: "Output before the step" }),
    bars(network.classNames, { title: "Output after the step" }),
  ];
  const plot = curves({ x: "step", y: "loss", label: "Loss of this image after each step" });
  const backward = el("div", {});
  const weights = el("div", {
    class: "scroll",
    tabindex: 0,
    role: "region",
    "aria-label": "The largest change of each array",
  });

  const training = trainingBox(network, app, () => show());

  /** A copy of a network, and the loss, outputs and gradients of the image in it. Each step has its own dropout. */
  function seenBy(from) {
    const copy = from.copy();
    return [copy, copy.gradient(inputOf(app), [label], training.value ? uniform(past.length) : undefined)];
  }

  function stepped(from, kept) {
    const [next] = seenBy(from);
    trainingStep(next, new OPTIMIZERS[optimizer.value](), kept, rate.value);
    return next;
  }

  function learn(count) {
    for (let i = 0; i < count; i++) {
      const before = { network, states: new Map(states), losses: [...losses] };
      const next = stepped(network, states);
      past.push(before);
      if (!losses.length) losses.push(network.gradient(inputOf(app), [label]).loss);
      network = next;
      losses.push(network.gradient(inputOf(app), [label]).loss);
    }
    show();
  }

  function undo() {
    if (!past.length) return;
    ({ network, states, losses } = past.pop());
    show();
  }

  function reset() {
    network = app.network.copy();
    [states, past, losses] = [new Map(), [], []];
    show();
  }

  function show() {
    const [shown, seen] = seenBy(network);
    const next = stepped(network, new Map(states));
    const [, then] = seenBy(next);
    formula.textContent = `${OPTIMIZERS[optimizer.value].formula},   g = ∂L/∂w,  η = ${short(rate.value)}`;
    fill(
      said,
      `Loss L = ${short(seen.loss)}; after one step `,
      el("b", {}, short(then.loss)),
      `. Class ${network.classNames[label]}: ${percent(seen.outputs.data[label])} → ${percent(then.outputs.data[label])}.`,
    );
    before.set(seen.outputs.data, { truth: label });
    after.set(then.outputs.data, { truth: label });
    hint.hidden = sure === null || label === sure || past.length > 0;
    hint.textContent = `The network is sure of the ${classNames[sure]}: nothing is left to learn. So the next best, ${classNames[label]}, is taken as the right class, to show a large error.`;
    const all = losses.length ? losses : [seen.loss];
    const points = all.map((loss, i) => [i, loss]);
    plot.draw([{ name: "loss", points }], { low: 0, high: Math.max(...all, 0.01) });
    fill(backward, lossRow(shown, seen), ...[...seen.steps].reverse().map((step) => backRow(shown, step, pictures)));
    fill(weights, changes(shown, next));
    const needSteps = [undoButton, resetButton, keepButton];
    const focused = needSteps.includes(document.activeElement);
    for (const each of needSteps) each.disabled = !past.length;
    if (focused && !past.length) learnButton.focus(); // a disabled button loses the focus
  }

  const pictures = new Map(); // the canvases, kept from step to step
  const learnButton = button("Learn", { kind: "primary", on: () => learn(1) });
  const undoButton = button("Undo", { path: ICONS.undo, on: undo });
  const resetButton = button("Reset", { on: reset });
  const keepButton = button("Use these weights", {
    label: "Use these weights in all screens",
    on: () => {
      const count = past.length;
      app.setNetwork(network, `${app.networkName} + ${count} step${count === 1 ? "" : "s"}`);
      app.say("All screens use these weights now; reload the page for the first ones.");
    },
  });

  root.append(
    head,
    el(
      "div",
      { class: "panels" },
      picture.element,
      panel(
        {
          title: "Learn",
          sentence: "One step of training on this image alone.",
          docs: "see-explain.md",
          width: "third",
        },
        right.element,
        rate.element,
        optimizer.element,
        ...training.elements,
        formula,
        el(
          "div",
          { class: "row" },
          learnButton,
          button("× 10", { on: () => learn(10), label: "Ten steps" }),
          undoButton,
          resetButton,
        ),
        el("div", { class: "row" }, keepButton),
      ),
      panel(
        {
          title: "Loss",
          sentence: "The loss of this image after each step.",
          docs: "see-training.md",
          width: "third",
        },
        said,
        hint,
        plot.element,
      ),
      panel(
        { title: "Before and after the next step", sentence: "✓ marks the right class.", docs: "predict.md" },
        el(
          "div",
          { class: "before-after" },
          el("div", { class: "stack" }, el("h3", {}, "Before"), before.element),
          el("div", { class: "stack" }, el("h3", {}, "After"), after.element),
        ),
      ),
      panel(
        {
          title: "The error, from the last layer to the first",
          sentence:
            "g = ∂L/∂y is how the loss changes with each number of a layer's output; the gradients of the weights follow from it. The same numbers as `digitlab explain`.",
          docs: "see-explain.md",
        },
        backward,
      ),
      panel(
        {
          title: "Every array's largest change",
          sentence: "The weight of each array that changes most in the next step.",
          docs: "gradients.md",
        },
        weights,
      ),
    ),
  );
  show();
  const stops = [
    app.on("image", () => {
      [label, sure] = classToLearn(network, app);
      right.set(String(label));
      losses = [];
      show();
    }),
    app.on("theme", show),
    picture.stop,
    plot.stop,
  ];
  return () => stops.forEach((stop) => stop());
}

/**
 * The choice to compute as in training, for a network with Dropout or BatchNorm: { value, elements }. For others there
 * is nothing to choose, and where one image is no batch for BatchNorm, a line says so.
 */
function trainingBox(network, app, on) {
  const layers = [...network.namedLayers()].map(([, layer]) => layer.constructor.name);
  const dropout = layers.includes("Dropout");
  if (!dropout && !layers.includes("BatchNorm")) return { value: false, elements: [] };
  try {
    network.copy().forward(inputOf(app), uniform(0));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const why = "Computed as outside of training: in training, BatchNorm needs more than one image.";
    return { value: false, elements: [el("p", { class: "note" }, why)] };
  }
  const what = dropout ? "numbers are left out by dropout" : "mean and variance are those of this image";
  const box = checkbox({ label: `As in training: ${what}`, on });
  return {
    get value() {
      return box.value;
    },
    elements: [box.element],
  };
}

/**
 * The class that the network is to learn: the image's label, or what it reads. If it is sure of that, the next best
 * class, since a step on a right answer changes nothing to see. Returns [class, the class it is sure of, or null].
 */
function classToLearn(network, app) {
  const shares = [...network.forward(inputOf(app)).outputs.data];
  const right = Math.min(app.image.label ?? argmax(shares), shares.length - 1);
  if (shares[right] < 0.99 || shares.length === 1) return [right, null];
  const next = argmax(shares.map((share, i) => (i === right ? -Infinity : share)));
  return [next, right];
}
