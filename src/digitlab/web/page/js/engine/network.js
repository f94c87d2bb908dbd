// A network: layers one after another, and the loss that judges the last one's logits. Twin of digitlab/nn/network.py.
//
//     const network = readNetwork(buffer);               // a safetensors file
//     const { logits, outputs, steps } = network.forward(network.prepare(bytes));
//     steps[0]                                                // { name, layer, x, y, cache }; after `gradient` with
//                                                             // gradY = ∂L/∂y and gradX = ∂L/∂x
//     const { loss, steps } = network.gradient(x, [label]);   // and layer.grads.W of each layer

import { buildLayer } from "./layers/index.js";
import { backwardChain, forwardChain } from "./layers/layer.js";
import { buildLoss } from "./losses.js";
import { ModelFileError, readSafetensors } from "./safetensors.js";
import { ShapeError, Tensor, product } from "./tensor.js";

const SCALINGS = { "/255": [1 / 255, 0], "/256": [1 / 256, 0], "0.01-1": [0.99 / 255, 0.01], none: [1, 0] };

/** The network of a safetensors file that digitlab wrote. Raises ModelFileError, or ShapeError if layers do not fit. */
export function readNetwork(buffer) {
  const { tensors, metadata } = readSafetensors(buffer);
  if (!metadata?.network?.layers) throw new ModelFileError("this file holds weights but no network's description");
  return new Network(metadata.network, tensors, metadata);
}

export class Network {
  constructor(description, tensors, { class_names: names = [] } = {}) {
    this.description = description;
    this.Array = description.dtype === "float64" ? Float64Array : Float32Array;
    this.inputShape = description.input_shape;
    this.layers = description.layers.map(buildLayer);
    this.loss = buildLoss(description.loss ?? { type: "Quadratic" });
    [this.factor, this.offset] = Array.isArray(description.scaling)
      ? description.scaling
      : (SCALINGS[description.scaling ?? "/255"] ?? SCALINGS["/255"]);
    this.load(tensors);
    const { logits } = this.forward(new Tensor(new this.Array(product(this.inputShape)), [1, ...this.inputShape]));
    this.outputShape = logits.shape.slice(1);
    this.classNames = Array.from({ length: this.outputShape.at(-1) }, (_, i) => names[i] ?? String(i));
  }

  /** Every layer with its name, the ones inside others too: "0", "1", "1.left.0". */
  *namedLayers(layers = Object.fromEntries(this.layers.entries()), prefix = "") {
    for (const [key, layer] of Object.entries(layers)) {
      yield [`${prefix}${key}`, layer];
      yield* this.namedLayers(layer.children(), `${prefix}${key}.`);
    }
  }

  /** Every learned parameter with its layer and key: "0.W" → { layer, key: "W" }. */
  *parameters() {
    for (const [name, layer] of this.namedLayers()) {
      for (const key of Object.keys(layer.params)) yield [`${name}.${key}`, { layer, key }];
    }
  }

  /** Take arrays by name. Raises ModelFileError for missing and superfluous ones. */
  load(tensors) {
    const waiting = new Set(Object.keys(tensors));
    for (const [name, layer] of this.namedLayers()) {
      for (const [kind, keys] of Object.entries(layer.arrayNames())) {
        for (const key of keys) {
          const found = tensors[`${name}.${key}`];
          if (!found) throw new ModelFileError(`the weights do not fit the network: missing ${name}.${key}`);
          layer[kind][key] = new Tensor(this.Array.from(found.data), found.shape);
          waiting.delete(`${name}.${key}`);
        }
      }
    }
    if (waiting.size)
      throw new ModelFileError(`the weights do not fit the network: it has no ${[...waiting].join(", ")}`);
  }

  /** An independent network with the same layers and weights. */
  copy() {
    const tensors = {};
    for (const [name, layer] of this.namedLayers()) {
      for (const [key, array] of Object.entries({ ...layer.params, ...layer.buffers }))
        tensors[`${name}.${key}`] = array;
    }
    return new Network(this.description, tensors, { class_names: this.classNames });
  }

  /** Pixel bytes of one example or more as the first layer takes them: x = factor · byte + offset, (N, …). */
  prepare(bytes) {
    const factor = Math.fround(this.factor); // as NumPy multiplies float32
    const numbers =
      this.Array === Float32Array ? (b) => Math.fround(b * factor) + this.offset : (b) => b * this.factor + this.offset;
    return this.batch(this.Array.from(bytes, numbers));
  }

  /** Numbers as a batch (N, …) of the network's input, taken as they are. */
  batch(numbers) {
    const size = product(this.inputShape);
    if (numbers.length === 0 || numbers.length % size) {
      throw new ShapeError(`got ${numbers.length} numbers, expected ${size}: input (${this.inputShape.join(", ")})`);
    }
    const data = numbers instanceof this.Array ? numbers : this.Array.from(numbers);
    return new Tensor(data, [numbers.length / size, ...this.inputShape]);
  }

  /**
   * Logits and outputs (N, out), and a step for every layer: its name, input, output and cache. With `random`, a function
   * that returns numbers from 0 to below 1, as in training: Dropout leaves out numbers, BatchNorm uses the batch.
   */
  forward(x, random) {
    const [logits, steps] = forwardChain(this.layers, x, random);
    steps.forEach((step, i) => (step.name = String(i)));
    return { logits, outputs: this.loss.activation(logits), steps };
  }

  /** From ∂L/∂logits back to ∂L/∂x, assigning the gradient of every parameter on the way. */
  backward(grad, steps) {
    return backwardChain(steps, grad);
  }

  /** One backpropagation: every parameter's gradient, δ = ∂L/∂logits, and the loss of the batch. */
  gradient(x, labels, random) {
    const { logits, outputs, steps } = this.forward(x, random);
    const [loss, cache] = this.loss.forward(logits, labels);
    const delta = this.loss.backward(cache);
    const gradX = this.backward(delta, steps);
    return { loss, delta, logits, outputs, steps, gradX };
  }

  /** The network in one line: "784 → 30 → 10, 23,860 parameters". */
  get summary() {
    const input = this.inputShape.join("×");
    const { steps } = this.forward(this.batch(new this.Array(product(this.inputShape))));
    const sizes = steps.filter(({ layer }) => Object.keys(layer.params).length || Object.keys(layer.children()).length);
    const counted = [...this.parameters()].reduce((sum, [, { layer, key }]) => sum + layer.params[key].data.length, 0);
    const shapes = sizes.map(({ y }) => y.shape.slice(1).join("×"));
    return `${[input, ...shapes].join(" → ")}, ${counted.toLocaleString("en")} parameters`;
  }

  /**
   * The probability that an example is of none of the classes, from its logits: 1 / (1 + Σ exp zᵢ), as
   * digitlab/judging.py; null for a network that did not learn such examples.
   */
  ofNoClass(logits) {
    if (!this.description.open_set) return null;
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const logOdds = most + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - most), 0));
    return 1 / (1 + Math.exp(Math.min(Math.max(logOdds, -500), 500)));
  }

  /** What bytes 0 and 255 become. */
  get pixelRange() {
    return [this.offset, 255 * this.factor + this.offset];
  }

  /** The shape in which to show an input: its own, or a square for flat inputs such as 784 = 28 · 28. */
  get pictureShape() {
    const shape = this.inputShape;
    if (shape.length > 1) return shape.at(-1) === 1 ? shape.slice(0, 2) : shape;
    const side = Math.round(Math.sqrt(shape[0]));
    return side * side === shape[0] ? [side, side] : [1, shape[0]];
  }
}
