// One step: choose the right digit, and see what the network learns from this one image.
import { argmax } from "../engine/tensor.js";
import { OPTIMIZERS, trainingStep } from "../engine/optimizers.js";
import { inputOf, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, select, slider } from "../ui/controls.js";
import { curves } from "../ui/curves.js";
import { el, fill } from "../ui/dom.js";
import { ICONS } from "../ui/icons.js";
import { pictureBefore } from "../ui/layers.js";
import { arrangeValues, arrangeWeights, mosaic } from "../ui/mosaic.js";
import { percent, short, sizes } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { ensureImage, imagePanel } from "../ui/picker.js";

export const id = "step";
export const title = "One step";
export const key = "3";
export const needsServer = false;

export function mount(root, app) {
  const head = screenHead("One step", "Choose the right digit and press Learn: the error goes back through the layers, and every weight moves a little.");
  const why = whyNoImage(app.network) || (app.network.layers.some((layer) => layer.constructor.differentiable === false) ? "No gradient passes through the layer Step of this network." : "");
  if (why) {
    root.append(head, panel({ title: "No step" }, el("p", {}, why)));
    return null;
  }
  ensureImage(app);

  let network = app.network.copy();
  let states = new Map(); // of the optimizer, by parameter
  let past = []; // [{ network, states }], to undo
  let losses = [];
  const labelOf = () => app.image.label ?? argmax(app.network.forward(inputOf(app)).outputs.data);
  let label = Math.min(labelOf(), network.classNames.length - 1);

  const picture = imagePanel(app, { sentence: "The one image that the network learns from." });
  const right = select({ label: "The right class", value: String(label), options: network.classNames.map((name, i) => [String(i), name]), on: (value) => ((label = Number(value)), show()) });
  const rate = slider({ label: "Learning rate η", min: 1e-4, max: 10, value: 0.01, log: true, format: short, on: () => show() });
  const formula = el("p", { class: "formula" });
  const optimizer = select({ label: "Optimizer", value: "SGD", options: Object.keys(OPTIMIZERS).map((name) => [name, name]), on: () => ((states = new Map()), show()) });
  const said = el("p", { class: "sum", "aria-live": "polite", id: "loss" });
  const hint = el("p", { class: "note" }, "The network is sure already, so hardly anything changes. Choose another class as the right one to see a large error.");
  const [before, after] = [bars(network.classNames, { title: "Output before the step" }), bars(network.classNames, { title: "Output after the step" })];
  const plot = curves({ x: "step", y: "loss", label: "Loss of this image after each step" });
  const backward = el("div", {});
  const weights = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The largest change of each array" });

  function stepped(from, kept) {
    const next = from.copy();
    next.gradient(inputOf(app), [label]);
    trainingStep(next, new OPTIMIZERS[optimizer.value](), kept, rate.value);
    return next;
  }

  function learn(count) {
    for (let i = 0; i < count; i++) {
      past.push({ network, states: new Map(states), losses: [...losses] });
      const next = stepped(network, states);
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
    const seen = network.gradient(inputOf(app), [label]);
    const next = stepped(network, new Map(states));
    const then = next.gradient(inputOf(app), [label]);
    formula.textContent = `${OPTIMIZERS[optimizer.value].formula},   g = ∂L/∂w,  η = ${short(rate.value)}`;
    fill(
      said,
      `Loss L = ${short(seen.loss)}; after one step `,
      el("b", {}, short(then.loss)),
      `. ${network.classNames[label]}: ${percent(seen.outputs.data[label])} → ${percent(then.outputs.data[label])}.`,
    );
    before.set(seen.outputs.data, { truth: label });
    after.set(then.outputs.data, { truth: label });
    hint.hidden = seen.loss > 0.01;
    plot.draw([{ name: "loss", points: (losses.length ? losses : [seen.loss]).map((loss, i) => [i, loss]) }], { low: 0 });
    fill(backward, lossRow(network, seen), ...[...seen.steps].reverse().map((step) => backRow(network, step, pictures)));
    fill(weights, changes(network, next));
    undoButton.disabled = resetButton.disabled = keepButton.disabled = !past.length;
  }

  const pictures = new Map(); // the canvases, kept from step to step
  const undoButton = button("Undo", { path: ICONS.undo, on: undo });
  const resetButton = button("From the start", { on: reset });
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
        { title: "Learn", sentence: "One step of training on this image alone.", docs: "see-explain.md", width: "third" },
        right.element,
        rate.element,
        optimizer.element,
        formula,
        el("div", { class: "row" }, button("Learn", { kind: "primary", on: () => learn(1) }), button("× 10", { on: () => learn(10), label: "Ten steps" }), undoButton, resetButton),
        el("div", { class: "row" }, keepButton),
      ),
      panel(
        { title: "Loss", sentence: "How wrong the answer is, and after which step.", docs: "see-training.md", width: "third" },
        said,
        hint,
        plot.element,
      ),
      panel(
        { title: "Before and after the next step", sentence: "✓ marks the right class.", docs: "predict.md" },
        el("div", { class: "before-after" }, el("div", { class: "stack" }, el("h3", {}, "Before"), before.element), el("div", { class: "stack" }, el("h3", {}, "After"), after.element)),
      ),
      panel(
        { title: "The error, from the last layer to the first", sentence: "g = ∂L/∂y is how the loss changes with each number of a layer's output; the gradients of the weights follow from it. The same numbers as `digitlab explain`.", docs: "see-explain.md" },
        backward,
      ),
      panel(
        { title: "Every array's largest change", sentence: "The weight of each array that moves most in the next step.", docs: "gradients.md" },
        weights,
      ),
    ),
  );
  show();
  const stops = [
    app.on("image", () => {
      label = Math.min(labelOf(), network.classNames.length - 1);
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

function lossRow(network, { delta, loss }) {
  const { type } = network.description.loss ?? { type: "Quadratic" };
  const numbers = el("p", { class: "number small" }, [...delta.data].map(short).join("  "));
  return el(
    "div",
    { class: "back" },
    el("div", {}, el("h3", {}, `loss: ${type}`), el("p", { class: "small muted" }, `L = ${short(loss)}`)),
    el("div", { class: "stack" }, el("h4", {}, "δ = ∂L/∂z"), numbers),
    el("p", { class: "formula" }, network.loss.constructor.formulas.backward),
  );
}

/** A layer's row: ∂L/∂y, ∂L/∂W, and the formula. */
function backRow(network, step, pictures) {
  const { layer, name, y, gradY } = step;
  const shape = y.shape.slice(1);
  const canvas = (key, arrangement, label) => {
    if (!pictures.has(key)) pictures.set(key, mosaic(arrangement, { label, width: 300, most: 14 }));
    return pictures.get(key);
  };
  const error = canvas(`${name} y`, arrangeValues(shape), `∂L/∂y of layer ${name}`);
  error.draw(gradY.data);
  const { W } = layer.grads;
  const arranged = W && arrangeWeights(W.shape, pictureBefore(network, step));
  const gradient = arranged && canvas(`${name} W`, arranged, `∂L/∂W of layer ${name}`);
  gradient?.draw(W.data);
  return el(
    "div",
    { class: "back" },
    el("div", {}, el("h3", {}, el("span", { class: "muted" }, `${name}  `), String(layer)), el("p", { class: "small muted" }, sizes(shape))),
    el("div", { class: "stack" }, el("h4", {}, `g = ∂L/∂y: ${spread(gradY.data)}`), error.element),
    gradient ? el("div", { class: "stack" }, el("h4", {}, `∂L/∂W: ${spread(W.data)}`), gradient.element) : el("div"),
    el("p", { class: "formula" }, layer.constructor.formulas.backward),
  );
}

/** How numbers spread, as `digitlab explain` says it. */
function spread(values) {
  let [least, most, sum] = [Infinity, -Infinity, 0];
  for (const v of values) {
    least = Math.min(least, v);
    most = Math.max(most, v);
    sum += v;
  }
  return `min ${short(least)}, mean ${short(sum / values.length)}, max ${short(most)}`;
}

function changes(network, next) {
  const others = new Map(next.parameters());
  const rows = [...network.parameters()].map(([name, { layer, key }]) => {
    const [value, grad] = [layer.params[key].data, layer.grads[key].data];
    const then = others.get(name).layer.params[key].data;
    let at = 0;
    for (let i = 1; i < value.length; i++) if (Math.abs(then[i] - value[i]) > Math.abs(then[at] - value[at])) at = i;
    const cells = [short(value[at]), short(grad[at]), short(then[at] - value[at]), short(then[at])];
    return el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, sizes(layer.params[key].shape)), cells.map((text) => el("td", { class: "number" }, text)));
  });
  const heads = ["array", "shape", "w before", "∂L/∂w", "change", "w after"];
  return el("table", { class: "compact" }, el("thead", {}, el("tr", {}, heads.map((text, i) => el("th", { scope: "col", class: i > 1 ? "number" : null }, text)))), el("tbody", {}, rows));
}
