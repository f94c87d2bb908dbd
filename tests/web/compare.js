// Runs the page's engine on arrays from Python, and says how far its numbers are from Python's.
import { readNetwork } from "/js/engine/network.js";
import { Tensor } from "/js/engine/tensor.js";

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

export const networkOf = (base64) => readNetwork(bytesOf(base64));

/** The largest |a − b| and the largest |b|. */
function farthest(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} numbers, expected ${b.length}`);
  let [far, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) !== Number.isNaN(b[i])) return [Infinity, most];
    far = Math.max(far, Math.abs(a[i] - b[i]));
    most = Math.max(most, Math.abs(b[i]));
  }
  return [far, most];
}

/**
 * For every expected array its name → [farthest, largest]. Targets are labels, or an array with its shape; `drawn` are a
 * training's random numbers, in the order in which they are drawn.
 */
export function compare({ network, x, targets, shape, expected, drawn }) {
  const net = networkOf(network);
  const numbers = (base64) => new net.Array(bytesOf(base64));
  const batch = net.batch(numbers(x));
  const labels = targets && (shape ? new Tensor(numbers(targets), shape) : targets);
  const numbersOf = drawn && drawn.values();
  const random = drawn && (() => numbersOf.next().value);
  const start = performance.now();
  const seen = labels ? net.gradient(batch, labels, random) : net.forward(batch, random);
  const ms = performance.now() - start;
  const found = { logits: seen.logits.data, outputs: seen.outputs.data };
  seen.steps.forEach(({ y }, i) => (found[`y ${i}`] = y.data));
  if (labels) {
    Object.assign(found, { loss: [seen.loss], "grad δ": seen.delta.data, "grad x": seen.gradX.data });
    for (const [name, { layer, key }] of net.parameters()) found[`grad ${name}`] = layer.grads[key].data;
  }
  if (drawn) {
    for (const [name, layer] of net.namedLayers())
      for (const [key, array] of Object.entries(layer.buffers)) found[`buffer ${name}.${key}`] = array.data;
  }
  const missing = Object.keys(found).filter((name) => !name.startsWith("y ") && !(name in expected));
  if (missing.length) throw new Error(`not expected: ${missing}`);
  const differences = {};
  for (const [name, base64] of Object.entries(expected)) differences[name] = farthest(found[name], numbers(base64));
  return { differences, ms };
}
