// One number of a layer's output as a worked example: what is multiplied, added and applied, with its numbers.

import { placesOf } from "./layers/windows.js";
import { connected } from "./layers/layer.js";

/**
 * How number `index` of the output of one example is computed:
 *
 *     terms   [{ place, x, w, product }]: numbers of the input and what they are multiplied with (1: taken as they are)
 *     bias    what is added, or null
 *     sum     Σ products + bias
 *     parts   [[name, number]] for what is no weighted sum: gates, means
 *     y       the number itself
 *     rule    one line that says how y follows: "sum", "largest", "f(x)" …
 */
export function worked(step, index) {
  const { layer, x, y } = step;
  const explain = EXPLAINED[layer.described.type] ?? (layer.value ? activation : inside);
  return { bias: null, parts: [], y: y.data[index], ...explain(layer, step, index, x, y) };
}

const term = (x, place, w) => ({ place, x: x.data[place], w, product: x.data[place] * w });
const total = (terms, bias = 0) => terms.reduce((sum, each) => sum + each.product, bias);

function weightedSum(terms, bias) {
  return { terms, bias, sum: total(terms, bias ?? 0), rule: "sum" };
}

function dense(layer, step, j, x) {
  const { W, b } = layer.params;
  const weights = connected(W, layer.buffers.connections);
  const [inner, out] = W.shape;
  const terms = Array.from({ length: inner }, (_, i) => term(x, i, weights.data[i * out + j]));
  return weightedSum(terms, b ? b.data[j] : null);
}

function conv(layer, step, index, x) {
  const { windows } = step.cache;
  const W = connected(layer.params.W, layer.buffers.connections);
  const channels = x.shape[3];
  const filters = layer.filters;
  const f = index % filters;
  const terms = placesOf(windows, Math.floor(index / filters)).flatMap(([k, pixel]) =>
    Array.from({ length: channels }, (_, c) => term(x, pixel * channels + c, W.data[(k * channels + c) * filters + f])),
  );
  return weightedSum(terms, layer.params.b ? layer.params.b.data[f] : null);
}

function pool(rule) {
  return (layer, step, index, x, y) => {
    const windows = layer.windows(x.shape);
    const channels = y.shape[3];
    const c = index % channels;
    const places = placesOf(windows, Math.floor(index / channels));
    const share = rule === "largest" ? 1 : 1 / places.length;
    const terms = places.map(([, pixel]) => term(x, pixel * channels + c, share));
    return { terms, sum: total(terms), rule };
  };
}

function globalAverage(layer, step, c, x) {
  const [, height, width, channels] = x.shape;
  const terms = Array.from({ length: height * width }, (_, p) => term(x, p * channels + c, 1 / (height * width)));
  return { terms, sum: total(terms), rule: "mean" };
}

function bias(layer, step, index, x) {
  const { b } = layer.params;
  return weightedSum([term(x, index, 1)], b.data[index % b.data.length]);
}

const same = (layer, step, index, x) => ({ terms: [term(x, index, 1)], sum: x.data[index], rule: "the same number" });

const repeated = (layer, step, index, x) => same(layer, step, index % x.shape[1], x);

function scaled(layer, step, index, x, y) {
  const w = x.data[index] ? (y.data[index] - (layer.offset ?? 0)) / x.data[index] : 1;
  return weightedSum([term(x, index, w)], layer.offset ?? null);
}

function slice(layer, step, index, x) {
  return {
    terms: [term(x, step.cache.places[index], 1)],
    sum: x.data[step.cache.places[index]],
    rule: "the same number",
  };
}

function activation(layer, step, index, x, y) {
  return {
    terms: [{ ...term(x, index, 1), product: y.data[index] }],
    sum: x.data[index],
    slope: layer.constructor.differentiable === false ? 0 : layer.slope(x.data[index], y.data[index]),
    rule: "f(x)",
  };
}

function perNeuron(layer, step, index, x, y) {
  const neuron = index % x.shape.at(-1);
  const group = layer.groups.findIndex((each) => each.includes(neuron));
  return { ...activation(layer.activations[group], step, index, x, y), applied: String(layer.activations[group]) };
}

function batchNorm(layer, step, index, x) {
  const j = index % x.shape.at(-1);
  const { running_mean: mean, running_var: variance } = layer.buffers;
  return normalized(layer, x, index, mean.data[j], Math.sqrt(variance.data[j] + layer.epsilon), j);
}

function layerNorm(layer, step, index, x) {
  const size = layer.groupSize(x.shape);
  const r = Math.floor(index / size);
  const row = x.data.subarray(r * size, (r + 1) * size);
  return normalized(layer, x, index, row.reduce((a, b) => a + b, 0) / size, 1 / step.cache.inverse[r], index % size);
}

function normalized(layer, x, index, mean, s, j) {
  const gamma = layer.params.gamma.data[j];
  const beta = layer.params.beta.data[j];
  const parts = [
    ["x", x.data[index]],
    ["μ", mean],
    ["s = √(σ² + ε)", s],
    ["x̂ = (x − μ) / s", (x.data[index] - mean) / s],
    ["γ", gamma],
    ["β", beta],
  ];
  return { terms: [{ ...term(x, index, gamma / s) }], parts, rule: "γ x̂ + β" };
}

/** A unit of a recurrent layer at the step that made this number; the terms are those of the input at that step. */
function recurrent(layer, step, index, x) {
  const [, steps, features] = x.shape;
  const units = layer.units;
  const all = layer.returns === "all";
  const j = all ? index % units : index;
  const t = all ? Math.floor(index / units) : layer.readingOrder(steps).at(-1);
  const { W, U, b } = layer.params;
  const seen = step.cache.seen[t];
  const columns = W.shape[1];
  const previous = Array.isArray(seen) ? seen[0] : seen.hBefore;
  const sums = (column) => {
    let fromInput = 0;
    let fromState = 0;
    for (let f = 0; f < features; f++) fromInput += x.data[t * features + f] * W.data[f * columns + column];
    for (let k = 0; k < units; k++) fromState += previous.data[k] * U.data[k * columns + column];
    return [fromInput, fromState, b.data[column]];
  };
  const of = (name) => seen[name].data[j];
  const type = layer.described.type;
  let parts = [[`step t (of ${steps})`, t]];
  let gate = 0; // the columns whose terms are shown: what is new
  if (type === "SimpleRNN") {
    const [input, state, added] = sums(j);
    parts.push(
      ["xₜ W", input],
      ["hₜ₋₁ U", state],
      ["b", added],
      ["a = xₜ W + hₜ₋₁ U + b", input + state + added],
      ["hₜ = tanh a", Math.tanh(input + state + added)],
    );
  } else if (type === "LSTM") {
    gate = 2;
    parts.push(
      ["i: write", of("i")],
      ["f: keep", of("f")],
      ["g: new", of("g")],
      ["o: show", of("o")],
      ["cₜ₋₁", of("cBefore")],
      ["cₜ = f cₜ₋₁ + i g", of("c")],
      ["hₜ = o tanh cₜ", of("o") * Math.tanh(of("c"))],
    );
  } else {
    gate = 2;
    parts.push(
      ["r: reset", of("r")],
      ["z: keep", of("z")],
      ["n: new", of("n")],
      ["hₜ₋₁", previous.data[j]],
      ["hₜ = z hₜ₋₁ + (1 − z) n", of("z") * previous.data[j] + (1 - of("z")) * of("n")],
    );
  }
  const terms = Array.from({ length: features }, (_, f) =>
    term(x, t * features + f, W.data[f * columns + gate * units + j]),
  );
  return { terms, parts, rule: "gates" };
}

/** A layer made of layers: its number is made inside. */
function inside(layer, { cache, x }, index) {
  if (layer.described.type === "Residual") {
    const f = cache.steps[cache.count - 1]?.y ?? x;
    const shortcut = cache.steps[cache.count]?.y ?? x;
    return {
      terms: [],
      parts: [
        ["shortcut", shortcut.data[index]],
        ["f(x)", f.data[index]],
      ],
      rule: "shortcut + f(x)",
    };
  }
  return { terms: [], rule: cache?.steps ? "see the layers inside" : "see the formula" };
}

const EXPLAINED = {
  Dense: dense,
  Conv2D: conv,
  MaxPool2D: pool("largest"),
  AveragePool2D: pool("mean"),
  GlobalAveragePool: globalAverage,
  Bias: bias,
  Flatten: same,
  Reshape: same,
  Repeat: repeated,
  Slice: slice,
  Dropout: scaled,
  Rescale: scaled,
  PerNeuron: perNeuron,
  BatchNorm: batchNorm,
  LayerNorm: layerNorm,
  SimpleRNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
};

/** Where a number is: "neuron 3", "map 2, row 4, column 5", "step 7, unit 1". */
export function placeText(shape, index) {
  const [, ...axes] = shape;
  if (axes.length === 3) {
    const [, width, channels] = axes;
    const pixel = Math.floor(index / channels);
    return `map ${index % channels}, row ${Math.floor(pixel / width)}, column ${pixel % width}`;
  }
  if (axes.length === 2) return `step ${Math.floor(index / axes[1])}, unit ${index % axes[1]}`;
  return `neuron ${index}`;
}
