// Three methods from an output back to a picture of a digit: digitlab/viz/imagine.py, inverse_query.py and ascent.py.
// The first two are for chains of dense layers; each yields the signal after every layer on its way to the pixels.

import { Tensor, matmulTransposed, product } from "./tensor.js";
import { connected } from "./layers/layer.js";
import { Dropout } from "./layers/shapes.js";
import { Activation } from "./layers/layer.js";
import { normal } from "./random.js";

const LOW = 0.01;
const HIGH = 0.99;

/** Why the first two ways do not apply to a network; "" if they do. */
export function whyNoChain(network) {
  const { steps } = network.forward(network.batch(new Float32Array(product(network.inputShape))));
  const odd = steps.find(({ layer, x, y }) => {
    const inner = Object.keys(layer.params).length || Object.keys(layer.children()).length;
    return !isDense(layer) && (inner || x.data.length !== y.data.length);
  });
  if (odd) return `needs a chain of dense layers; this network has ${odd.layer}. Gradient ascent works for it.`;
  return network.layers.some(isDense) ? "" : "needs layers with weights; this network has none.";
}

/** Linear inversion: a one-hot output through the transposed weights. Yields { name, signal } to the pixels. */
export function* linearBack(network, digit) {
  let signal = oneHot(network, digit, 0, 1);
  yield { name: "output", signal };
  for (const [i, layer] of [...network.layers.entries()].reverse()) {
    if (!isDense(layer)) continue;
    signal = through(layer, signal);
    yield { name: `${layer} (layer ${i})`, signal };
  }
}

/** Rashid's backquery: the output through the inverse of every layer. Yields { name, signal } to the pixels. */
export function* inverseQuery(network, digit) {
  let signal = beforeOutput(network.loss, oneHot(network, digit, LOW, HIGH));
  yield { name: "output", signal };
  for (const [i, layer] of [...network.layers.entries()].reverse()) {
    if (isDense(layer)) {
      const { b } = layer.params;
      signal = stretched(through(layer, b ? signal.map((v, j) => v - b.data[j]) : signal));
    } else {
      signal = before(layer, signal);
      if (signal === null)
        throw new Error(`the inverse query needs activations with an inverse; this network has ${layer}`);
    }
    yield { name: `${layer} (layer ${i})`, signal };
  }
  yield { name: "pixels", signal: stretched(signal) };
}

/**
 * Gradient ascent on the input. Yields { step, picture, lead } with pictures in 0 … 1, one for each step:
 *
 *     x ← x + rate (1 − step/steps) (g / max |g|  −  l2 ∂Σx²/∂x  −  total_variation ∂Σ|∇x|/∂x),   g = ∂J/∂x
 *     J = z_d − ln Σ_{k≠d} e^{z_k},  how far the digit is ahead of all others
 */
export function* ascend(network, digit, settings = {}) {
  const { steps = 120, rate = 0.1, l2 = 0.1, totalVariation = 0.03, blur = 0.5, seed = 0, start = null } = settings;
  const [height, width, channels = 1] = network.pictureShape;
  const shape = [height, width, channels];
  let picture = start ?? noise(shape, seed);
  yield { step: 0, picture, lead: leadOf(network, picture, digit).lead };
  for (let step = 0; step < steps; step++) {
    const { gradient } = leadOf(network, picture, digit);
    const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 1e-12);
    const variation = variationGradient(picture, shape);
    const pace = rate * (1 - step / steps);
    picture = picture.map((x, i) => x + pace * (gradient[i] / largest - 2 * l2 * x - totalVariation * variation[i]));
    if (blur && step % 4 === 0 && step < 0.8 * steps) picture = gaussianFilter(picture, shape, blur);
    picture = picture.map((x) => Math.min(Math.max(x, 0), 1));
    yield { step: step + 1, picture, lead: leadOf(network, picture, digit).lead };
  }
}

/** J and ∂J/∂x for a picture in 0 … 1. */
function leadOf(network, picture, digit) {
  const [low, high] = network.pixelRange;
  const { logits, steps } = network.forward(network.batch(picture.map((x) => low + x * (high - low))));
  const z = logits.data;
  const others = [...z].map((v, k) => (k === digit ? -Infinity : v));
  const most = Math.max(...others);
  const total = others.reduce((sum, v) => sum + Math.exp(v - most), 0);
  const wanted = network.Array.from(others, (v, k) => (k === digit ? 1 : -Math.exp(v - most) / total));
  const gradient = Float64Array.from(network.backward(new Tensor(wanted, logits.shape), steps).data);
  return { lead: z[digit] - most - Math.log(total), gradient };
}

/** Values stretched to low … high; equal values become the middle. */
export function stretched(values, low = LOW, high = HIGH) {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (least === most) return values.map(() => (low + high) / 2);
  return values.map((v) => ((v - least) / (most - least)) * (high - low) + low);
}

const isDense = (layer) => layer.described.type === "Dense";

function oneHot(network, digit, low, high) {
  return Float64Array.from({ length: product(network.outputShape) }, (_, i) => (i === digit ? high : low));
}

/** signal Wᵀ. */
function through(layer, signal) {
  const W = connected(layer.params.W, layer.buffers.connections);
  return matmulTransposed(new Tensor(signal, [1, signal.length]), W).data;
}

/** The input of an activation for its output, which is stretched to .01 … .99; null if it has no inverse. */
function before(layer, signal) {
  if (layer instanceof Dropout) return layer.inverted ? signal : signal.map((v) => v / (1 - layer.rate));
  const { passesOn, isMonotone, bounds = [-Infinity, Infinity], differentiable = true } = layer.constructor;
  if (passesOn) return signal;
  if (!(layer instanceof Activation && isMonotone && differentiable)) return null;
  if (!Number.isFinite(bounds[1])) return signal; // the line y = x, or near it
  return stretched(signal, bounds[0] + LOW, bounds[1] - LOW).map((y) => {
    let [low, high] = [-40, 40]; // bisection
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (layer.value(middle) < y) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  });
}

function beforeOutput(loss, answer) {
  if (loss.owns === "sigmoid") return answer.map((a) => Math.log(a / (1 - a)));
  return loss.owns === "softmax" ? answer.map(Math.log) : answer;
}

/** Smoothed noise: a constant picture may leave every ReLU at or below 0, without a gradient. */
function noise(shape, seed) {
  const next = normal(seed);
  const values = Float64Array.from({ length: product(shape) }, () => next());
  return gaussianFilter(values, shape, 1.5).map((v) => Math.min(Math.max(2 * v, 0), 1));
}

/** ∂/∂x of the total variation Σ |x[i+1, j] − x[i, j]| + |x[i, j+1] − x[i, j]|. */
function variationGradient(x, [height, width, channels]) {
  const gradient = new Float64Array(x.length);
  const along = (stride, count, of) => {
    for (let i = 0; i < x.length; i++) {
      if (of(i) === count - 1) continue;
      const sign = Math.sign(x[i + stride] - x[i]);
      gradient[i + stride] += sign;
      gradient[i] -= sign;
    }
  };
  along(width * channels, height, (i) => Math.floor(i / (width * channels)));
  along(channels, width, (i) => Math.floor(i / channels) % width);
  return gradient;
}

/** Gaussian smoothing along height and width, cut off at 4 σ, mirrored at the border, as SciPy's. */
function gaussianFilter(x, [height, width, channels], sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius) ** 2) / (2 * sigma ** 2)),
  );
  const total = kernel.reduce((a, b) => a + b);
  const mirrored = (i, n) => {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
  };
  const along = (values, count, stride) => {
    if (count === 1) return values;
    return values.map((_, i) => {
      const at = Math.floor(i / stride) % count;
      let sum = 0;
      for (let k = -radius; k <= radius; k++)
        sum += (kernel[k + radius] / total) * values[i + (mirrored(at + k, count) - at) * stride];
      return sum;
    });
  };
  return along(along(x, height, width * channels), width, channels);
}
