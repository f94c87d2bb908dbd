// Layers made of layers: Sequential, Residual, Branches, PerNeuron, Subnetwork. Their caches hold the inner steps.

import { ShapeError, add, columnsOf, concat, elementwise, product, take } from "../tensor.js";
import { buildLoss } from "../losses.js";
import { Layer, backwardChain, forwardChain, given } from "./layer.js";

const numbered = (layers) => Object.fromEntries(layers.map((layer, i) => [String(i), layer]));

export class Sequential extends Layer {
  static python = "digitlab/nn/containers.py";
  static formulas = {
    forward: "y = f_k(… f₂(f₁(x)))",
    backward: "g through the layers in reverse, each with its own cache: the chain rule, as in `Network`",
  };
  static defaults = { layers: [] };

  constructor(settings, build) {
    super(settings);
    this.layers = this.layers.map(build);
  }

  children() {
    return numbered(this.layers);
  }

  forward(x, random) {
    const [y, steps] = forwardChain(this.layers, x, random);
    return [y, { steps }];
  }

  backward(gradY, { steps }) {
    return backwardChain(steps, gradY);
  }
}

export class Residual extends Sequential {
  static formulas = {
    forward: "y = x + f(x), or P(x) + f(x) with a `projection` P, where f changes the shape",
    backward: "∂L/∂x = g + (g through f): the error also comes back undiminished",
  };
  static defaults = { layers: [], projection: "none" };

  constructor(settings, build) {
    super(settings, build);
    this.projection = given(this.projection) ? build(this.projection) : null;
  }

  children() {
    return this.projection ? { ...super.children(), projection: this.projection } : super.children();
  }

  forward(x, random) {
    const [y, steps] = forwardChain(this.layers, x, random);
    const [shortcut, along] = forwardChain(this.projection ? [this.projection] : [], x, random);
    if (String(shortcut.shape) !== String(y.shape)) {
      throw new ShapeError(`Residual: the layers give shape (${y.shape}), the shortcut (${shortcut.shape})`);
    }
    return [add(shortcut, y), { steps: [...steps, ...along], count: steps.length }];
  }

  backward(gradY, { steps, count }) {
    const through = backwardChain(steps.slice(0, count), gradY);
    return add(backwardChain(steps.slice(count), gradY), through);
  }
}

export class Branches extends Layer {
  static python = "digitlab/nn/containers.py";
  static formulas = {
    forward: 'yᵢ = fᵢ(x);  y = [y₁ … y_k] along the last axis ("concatenate"), Σ yᵢ ("sum") or Σ yᵢ / k ("mean")',
    backward: "each branch takes its part of g (g, g/k); ∂L/∂x is the sum of what the branches return",
  };
  static defaults = { branches: undefined, merge: "concatenate" };

  constructor(settings, build) {
    super(settings);
    const chains = Object.entries(this.branches).map(([key, layers]) => [key, new Sequential({ layers }, build)]);
    chains.forEach(([, chain]) => (chain.described = { type: "Sequential" }));
    this.chains = chains;
  }

  children() {
    return Object.fromEntries(this.chains);
  }

  forward(x, random) {
    const chains = this.chains.map(([, chain]) => chain);
    const steps = chains.map((layer) => {
      const [y, cache] = layer.forward(x, random);
      return { layer, x, y, cache };
    });
    const parts = steps.map((step) => step.y);
    if (this.merge === "concatenate") return [concat(parts), { steps }];
    const total = parts.reduce(add);
    const share = this.merge === "mean" ? parts.length : 1;
    return [elementwise((v) => v / share, total), { steps }];
  }

  backward(gradY, { steps }) {
    let start = 0;
    const grads = steps.map((step) => {
      let part = gradY;
      if (this.merge === "concatenate") {
        const size = step.y.shape.at(-1);
        part = columnsOf(gradY, start, start + size);
        start += size;
      } else if (this.merge === "mean") {
        part = elementwise((g) => g / steps.length, gradY);
      }
      return backwardChain([step], part);
    });
    return grads.reduce(add);
  }
}

export class PerNeuron extends Layer {
  static python = "digitlab/nn/per_neuron.py";
  static formulas = {
    forward: "yⱼ = fᵢ(xⱼ), where group i holds neuron j",
    backward: "each activation's own, on its neurons",
  };
  static defaults = { activations: undefined, neurons: undefined };

  constructor(settings, build) {
    super(settings);
    this.activations = this.activations.map(build);
    this.groups = this.neurons.map((group) => group.flatMap(neuronNumbers));
    const order = this.groups.flat();
    this.places = order.map((_, neuron) => order.indexOf(neuron)); // of each neuron among the parts
  }

  children() {
    return numbered(this.activations);
  }

  forward(x) {
    const found = this.activations.map((layer, i) => layer.forward(take(x, this.groups[i])));
    return [take(concat(found.map(([y]) => y)), this.places), found.map(([, cache]) => cache)];
  }

  backward(gradY, caches) {
    const parts = this.activations.map((layer, i) => layer.backward(take(gradY, this.groups[i]), caches[i]));
    return take(concat(parts), this.places);
  }
}

export class Subnetwork extends Layer {
  static python = "digitlab/nn/subnetwork.py";
  static formulas = {
    forward: 'y = the network\'s logits, or with outputs="activations" what its loss makes of them',
    backward:
      "g through the network's layers in reverse; before it through the activation:\n" +
      "sigmoid g y (1 − y), softmax y (g − Σ g y)",
  };
  static defaults = { network: undefined, outputs: "logits", frozen: false };

  constructor(settings, build) {
    super(settings);
    this.layers = this.network.layers.map(build);
    this.loss = buildLoss(this.network.loss);
  }

  children() {
    return numbered(this.layers);
  }

  forward(x, random) {
    const shape = this.network.input_shape;
    if (product(x.shape.slice(1)) !== product(shape))
      throw new ShapeError(`Subnetwork: got (${x.shape}), expected (N, ${shape})`);
    const [z, steps] = forwardChain(this.layers, x.reshape(x.shape[0], ...shape), this.frozen ? undefined : random);
    const y = this.outputs === "activations" ? this.loss.activation(z) : z;
    return [y, { steps, y, shape: x.shape }];
  }

  backward(gradY, { steps, y, shape }) {
    const gradZ = this.outputs === "activations" ? this.loss.activationBackward(gradY, y) : gradY;
    return backwardChain(steps, gradZ).reshape(...shape);
  }
}

/** The neurons of an item of a group: a number, or a [start, stop) pair. */
function neuronNumbers(item) {
  return Array.isArray(item) ? Array.from({ length: item[1] - item[0] }, (_, i) => item[0] + i) : [item];
}
