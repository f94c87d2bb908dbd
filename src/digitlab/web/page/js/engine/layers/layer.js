// What a layer is. Each class is the twin of the Python class of the same name, and each family has one file.
//
//     static python     where the Python code is
//     static formulas   what forward and backward compute, word for word those of the Python class
//     static defaults   the settings, with the names of a network file
//     forward(x, random)       → [y, cache]      as in training if there is a `random`, a function that returns numbers
//                                               from 0 to below 1, of which Dropout makes its mask
//     backward(gradY, cache)   → gradX           assigns grads[name] for every params[name]

import { elementwise } from "../tensor.js";

export class Layer {
  static python = "";
  static formulas = { forward: "", backward: "" };
  static defaults = {};

  constructor(settings) {
    Object.assign(this, this.constructor.defaults, settings);
    this.params = {}; // learned: Tensors by name
    this.grads = {};
    this.buffers = {}; // not learned by gradient
  }

  /** The names of the arrays that a network file has for this layer. */
  arrayNames() {
    return { params: [], buffers: [] };
  }

  /** The layers inside this one, by name. */
  children() {
    return {};
  }

  forward() {
    throw new TypeError(`${this.constructor.name} has no forward`);
  }

  backward() {
    throw new TypeError(`${this.constructor.name} has no backward`);
  }

  /** The layer as Python's repr writes it, without initial weights: "Conv2D(16, 5)". */
  toString() {
    const { type, ...settings } = this.described;
    const written = Object.entries(settings).filter(([key]) => !UNSHOWN.has(key));
    const required = Object.keys(this.constructor.defaults).filter(
      (key) => this.constructor.defaults[key] === undefined,
    );
    const texts = written.map(([key, value]) => {
      const text = JSON.stringify(value).replaceAll('"', "");
      return required.includes(key) ? text : `${key}=${text}`;
    });
    return `${type}(${texts.join(", ")})`;
  }
}

const UNSHOWN = new Set([
  ...["weights", "biases", "recurrent", "connections", "layers", "branches", "network", "layer", "projection"],
  ...["activations", "neurons"],
]);

/** The value of a setting that a file writes as "none". */
export const given = (value) => value !== undefined && value !== null && value !== "none";

/** Weights, or their gradient, with 0 where the mask has no connection. */
export function connected(weights, mask) {
  if (!mask) return weights;
  const [rows, columns] = mask.shape; // the last two axes of the weights
  const y = weights.copy();
  for (let i = 0; i < y.data.length; i++) y.data[i] *= mask.data[i % (rows * columns)];
  return y;
}

/** Layers one after another: a step for each, with its input, output and cache. */
export function forwardChain(layers, x, random) {
  const steps = [];
  for (const layer of layers) {
    const [y, cache] = layer.forward(x, random);
    steps.push({ layer, x, y, cache });
    x = y;
  }
  return [x, steps];
}

/** Back through a chain: each step gets gradY = ∂L/∂y and gradX = ∂L/∂x. */
export function backwardChain(steps, gradY) {
  for (const step of [...steps].reverse()) {
    step.gradY = gradY;
    step.gradX = gradY = step.layer.backward(gradY, step.cache);
  }
  return gradY;
}

/** An activation: y = f(x) number by number, and g f'(x). `value` and `slope` are the formulas. */
export class Activation extends Layer {
  forward(x) {
    const y = elementwise((v) => this.value(v), x);
    return [y, { x, y }];
  }

  backward(gradY, { x, y }) {
    return elementwise((g, u, v) => g * this.slope(u, v), gradY, x, y);
  }
}
