// Which pixels a prediction depends on: gradients and occlusion (digitlab/viz/saliency.py), and the path of the largest
// contributions through the layers.

import { Tensor } from "./tensor.js";
import { worked } from "./worked.js";

/** ∂z_c/∂x for the scaled pixels of one example (1, …), z the logits and c a class. */
export function gradientSaliency(network, x, chosen) {
  const { logits, steps } = network.forward(x);
  const wanted = new network.Array(logits.data.length);
  wanted[chosen] = 1;
  return network.backward(new Tensor(wanted, logits.shape), steps).data;
}

/** The decrease of the output for `chosen` when a size × size patch around each pixel is covered; yields row by row. */
export function* occlusion(network, x, chosen, { size = 5 } = {}) {
  const [height, width, channels = 1] = network.pictureShape;
  const paper = network.pixelRange[0];
  const whole = network.forward(x).outputs.data[chosen];
  const falls = new Float32Array(height * width);
  const reach = Math.floor(size / 2);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const covered = x.copy();
      for (let r = Math.max(0, i - reach); r <= Math.min(height - 1, i + reach); r++) {
        for (let c = Math.max(0, j - reach); c <= Math.min(width - 1, j + reach); c++) {
          covered.data.fill(paper, (r * width + c) * channels, (r * width + c + 1) * channels);
        }
      }
      falls[i * width + j] = whole - network.forward(covered).outputs.data[chosen];
    }
    yield { row: i + 1, rows: height, falls };
  }
}

/**
 * From a number of the last layer back to the pixels, each time to the input that contributes most to it: a list of
 * { step, index } from the output to the first layer, and the pixel. It ends early at a layer that cannot be opened.
 */
export function largestPath(steps, index) {
  const path = [];
  let direction = 1; // whether more of the input means more of the output
  for (const step of [...steps].reverse()) {
    path.push({ step, index });
    const { terms, rule } = worked(step, index);
    if (!terms.length || rule === "gates") return { path, pixel: null };
    let best = terms[0];
    for (const term of terms) if (direction * term.product > direction * best.product) best = term;
    direction *= Math.sign(best.w) || 1;
    index = best.place;
  }
  return { path, pixel: index };
}

/** All steps, those inside containers too: { name, depth, step }. */
export function* flattened(steps, prefix = "", depth = 0) {
  for (const [i, step] of steps.entries()) {
    const name = `${prefix}${i}`;
    yield { name, depth, step };
    const inner = step.cache?.steps;
    if (inner) yield* flattened(inner, `${name}.`, depth + 1);
  }
}
