// Changes of an image or a network, to see what it still reads; and the smallest change of an image that fools a network.

import { Tensor, argmax } from "./tensor.js";
import { normal } from "./random.js";

/** Pixels (height × width, 0 … 1) with noise, a shift, a rotation and rows without ink; 0 is paper. */
export function damagedImage(
  pixels,
  [height, width],
  { noise = 0, right = 0, down = 0, degrees = 0, rows = 0, seed = 1 } = {},
) {
  const moved =
    degrees || right || down ? turned(pixels, height, width, right, down, degrees) : Float32Array.from(pixels);
  const next = normal(seed);
  const first = Math.round((height - rows) / 2); // from the middle
  return moved.map((value, i) => {
    const row = Math.floor(i / width);
    if (row >= first && row < first + rows) return 0;
    return noise ? Math.min(Math.max(value + noise * next(), 0), 1) : value;
  });
}

/** Turned about the middle, counter-clockwise, then shifted; bilinear, paper comes in from outside. */
function turned(pixels, height, width, right, down, degrees) {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const [my, mx] = [(height - 1) / 2, (width - 1) / 2];
  const at = (i, j) => (i < 0 || j < 0 || i >= height || j >= width ? 0 : pixels[i * width + j]);
  return Float32Array.from({ length: height * width }, (_, k) => {
    const y = Math.floor(k / width) - down - my;
    const x = (k % width) - right - mx;
    const [sy, sx] = [sin * x + cos * y + my, cos * x - sin * y + mx];
    const [i, j] = [Math.floor(sy), Math.floor(sx)];
    const [v, u] = [sy - i, sx - j];
    return (1 - v) * ((1 - u) * at(i, j) + u * at(i, j + 1)) + v * ((1 - u) * at(i + 1, j) + u * at(i + 1, j + 1));
  });
}

/**
 * A copy of a network with neurons switched off, without biases, or with weights of few bits.
 * off: a Map from a layer's number to the numbers of its neurons (the last axis: maps, of a picture) whose output is 0.
 * bits: 32 leaves the weights; n rounds those of each array to multiples of max |w| / (2ⁿ⁻¹ − 1), 1 to ± mean |w|.
 */
export function damagedNetwork(network, { off = new Map(), biases = true, bits = 32 } = {}) {
  const copy = network.copy();
  for (const [, { layer, key }] of copy.parameters()) {
    const array = layer.params[key];
    if (key === "b" || key === "v" || key === "beta") {
      if (!biases) layer.params[key] = array.zeros(...array.shape);
    } else if (bits < 32 && key !== "gamma") {
      layer.params[key] = new Tensor(rounded(array.data, bits), array.shape);
    }
  }
  for (const [i, neurons] of off) if (neurons.length) silence(copy.layers[i], new Set(neurons));
  return copy;
}

/** Weights as they are with so many bits each. */
export function rounded(weights, bits) {
  if (bits === 1) {
    const mean = weights.reduce((sum, w) => sum + Math.abs(w), 0) / weights.length;
    return weights.map((w) => Math.sign(w) * mean);
  }
  const unit = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / (2 ** (bits - 1) - 1) || 1;
  return weights.map((w) => Math.round(w / unit) * unit);
}

/** Make the outputs of these neurons 0, forward and backward. */
function silence(layer, neurons) {
  const { forward, backward } = layer;
  const silenced = (tensor) => {
    const kept = tensor.copy();
    const channels = tensor.shape.at(-1);
    for (let i = 0; i < kept.data.length; i++) if (neurons.has(i % channels)) kept.data[i] = 0;
    return kept;
  };
  layer.forward = (x) => {
    const [y, cache] = forward.call(layer, x);
    return [silenced(y), cache];
  };
  layer.backward = (gradY, cache) => backward.call(layer, silenced(gradY), cache);
}

/**
 * The smallest change that makes a network see another class, to first order: each step goes to the nearest of the
 * planes z_k = z_c (Moosavi-Dezfooli et al. 2016, "DeepFool", algorithm 2), a little beyond, and stays within 0 … 1.
 * Yields { pixels, seen, length }: the changed pixels, the class seen now, and √Σ (change)².
 */
export function* fool(network, pixels, { steps = 50, beyond = 0.02 } = {}) {
  const [low, high] = network.pixelRange;
  const scaled = (values) => network.batch(Array.from(values, (v) => low + v * (high - low)));
  const before = argmax(network.forward(scaled(pixels)).logits.data);
  let changed = Float64Array.from(pixels);
  for (let step = 0; step < steps; step++) {
    const { logits, steps: seenSteps } = network.forward(scaled(changed));
    const slopes = Array.from(logits.data, (_, k) => {
      const wanted = new network.Array(logits.data.length);
      wanted[k] = 1;
      return network.backward(new Tensor(wanted, logits.shape), seenSteps).data.map((g) => g * (high - low));
    });
    let best = null;
    logits.data.forEach((z, k) => {
      if (k === before) return;
      const gap = z - logits.data[before];
      const direction = slopes[k].map((g, i) => {
        const d = g - slopes[before][i];
        return (changed[i] <= 0 && d < 0) || (changed[i] >= 1 && d > 0) ? 0 : d; // a pixel cannot leave its range
      });
      const square = direction.reduce((sum, d) => sum + d * d, 0);
      if (square === 0) return;
      const distance = Math.abs(gap) / Math.sqrt(square);
      if (!best || distance < best.distance) best = { distance, direction, factor: (Math.abs(gap) + 1e-4) / square };
    });
    if (!best) return;
    changed = changed.map((v, i) => Math.min(Math.max(v + (1 + beyond) * best.factor * best.direction[i], 0), 1));
    const seen = argmax(network.forward(scaled(changed)).logits.data);
    const length = Math.sqrt(changed.reduce((sum, v, i) => sum + (v - pixels[i]) ** 2, 0));
    yield { pixels: Float32Array.from(changed), seen, length };
    if (seen !== before) return;
  }
}
