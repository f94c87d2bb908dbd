// One step in rows: the loss, the error and the gradient of each layer, the largest change of each array.
import { el } from "../../ui/dom.js";
import { pictureBefore } from "../../ui/layers.js";
import { arrangeValues, arrangeWeights, mosaic } from "../../ui/mosaic.js";
import { short, sizes } from "../../ui/numbers.js";

/** The loss and δ. */
export function lossRow(network, { delta, loss }) {
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
export function backRow(network, step, pictures) {
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
    el(
      "div",
      {},
      el("h3", {}, el("span", { class: "muted" }, `${name}  `), String(layer)),
      el("p", { class: "small muted" }, sizes(shape)),
    ),
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

/** For each array the weight that moves most: before, its gradient, its change, after. */
export function changes(network, next) {
  const others = new Map(next.parameters());
  const rows = [...network.parameters()].map(([name, { layer, key }]) => {
    const [value, grad] = [layer.params[key].data, layer.grads[key].data];
    const then = others.get(name).layer.params[key].data;
    let at = 0;
    for (let i = 1; i < value.length; i++) if (Math.abs(then[i] - value[i]) > Math.abs(then[at] - value[at])) at = i;
    const cells = [short(value[at]), short(grad[at]), short(then[at] - value[at]), short(then[at])];
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      el("td", {}, sizes(layer.params[key].shape)),
      cells.map((text) => el("td", { class: "number" }, text)),
    );
  });
  const heads = ["array", "shape", "w before", "∂L/∂w", "change", "w after"];
  return el(
    "table",
    { class: "compact" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        heads.map((text, i) => el("th", { scope: "col", class: i > 1 ? "number" : null }, text)),
      ),
    ),
    el("tbody", {}, rows),
  );
}
