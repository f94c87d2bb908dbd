// Layers that pass numbers on: Flatten, Reshape, Repeat, Slice, Dropout, Rescale.

import { ShapeError, elementwise, product, sumRows } from "../tensor.js";
import { Layer, given } from "./layer.js";

export class Flatten extends Layer {
  static python = "digitlab/nn/reshaping.py";
  static formulas = { forward: "y = x, its axes joined into one", backward: "∂L/∂x = g in the input's shape" };
  static passesOn = true;

  forward(x) {
    return [x.reshape(x.shape[0], product(x.shape.slice(1))), x.shape];
  }

  backward(gradY, shape) {
    return gradY.reshape(...shape);
  }
}

export class Reshape extends Layer {
  static python = "digitlab/nn/reshaping.py";
  static formulas = {
    forward: "y = x, its numbers in the same order in another shape",
    backward: "∂L/∂x = g in the input's shape",
  };
  static defaults = { shape: undefined };
  static passesOn = true;

  forward(x) {
    return [x.reshape(x.shape[0], ...[this.shape].flat()), x.shape];
  }

  backward(gradY, shape) {
    return gradY.reshape(...shape);
  }
}

export class Repeat extends Layer {
  static python = "digitlab/nn/repeat.py";
  static formulas = { forward: "yₜ = x for every step t", backward: "∂L/∂x = Σₜ gₜ" };
  static defaults = { steps: undefined };

  forward(x) {
    const [n, features] = x.shape;
    const y = x.zeros(n, this.steps, features);
    for (let i = 0; i < n * this.steps; i++) y.data.set(x.row(Math.floor(i / this.steps)).data, i * features);
    return [y, null]; // (N, steps, F)
  }

  backward(gradY) {
    const [n, steps, features] = gradY.shape;
    const gradX = gradY.zeros(n, features);
    for (let i = 0; i < n; i++) gradX.data.set(sumRows(gradY.row(i)).data, i * features);
    return gradX; // (N, F)
  }
}

export class Slice extends Layer {
  static python = "digitlab/nn/slices.py";
  static formulas = {
    forward: "y = the chosen elements of x, in their order",
    backward: "∂L/∂x is g where an element was chosen and 0 elsewhere",
  };
  static defaults = { rows: "none", columns: "none", channels: "none", indices: "none" };
  static passesOn = true;

  /** The places in the flattened example that are chosen, and the output's shape without the batch axis. */
  places(shape) {
    if (given(this.indices)) {
      if (Math.max(...this.indices) >= product(shape)) throw new ShapeError(`${this}: got input of shape (${shape})`);
      return [this.indices, [this.indices.length]];
    }
    const [height, width, depth = 1] = shape;
    const [top, bottom] = given(this.rows) ? this.rows : [0, height];
    const [left, right] = given(this.columns) ? this.columns : [0, width];
    const channels = given(this.channels) ? this.channels : [...Array(depth).keys()];
    if (bottom > height || right > width || Math.max(...channels) >= depth) {
      throw new ShapeError(`${this}: got input of shape (${shape}), which has no such place`);
    }
    const places = [];
    for (let i = top; i < bottom; i++) {
      for (let j = left; j < right; j++) for (const c of channels) places.push((i * width + j) * depth + c);
    }
    const picture = [bottom - top, right - left];
    return [places, shape.length === 3 ? [...picture, channels.length] : picture];
  }

  forward(x) {
    const [n, ...shape] = x.shape;
    const [places, picture] = this.places(shape);
    const y = x.zeros(n, ...picture);
    const size = product(shape);
    for (let i = 0; i < n; i++) places.forEach((k, j) => (y.data[i * places.length + j] = x.data[i * size + k]));
    return [y, { places, shape: x.shape }];
  }

  backward(gradY, { places, shape }) {
    const gradX = gradY.zeros(...shape);
    const size = product(shape.slice(1));
    for (let i = 0; i < shape[0]; i++) {
      places.forEach((k, j) => (gradX.data[i * size + k] = gradY.data[i * places.length + j]));
    }
    return gradX;
  }
}

export class Dropout extends Layer {
  static python = "digitlab/nn/dropout.py";
  static formulas = {
    forward: "y = x m / (1 − rate),  m = 1 with probability 1 − rate, else 0;  outside of training y = x",
    backward: "g m / (1 − rate)",
  };
  static defaults = { rate: 0.5, inverted: true };
  static passesOn = true;

  forward(x, random) {
    if (!random || this.rate === 0) return [this.scaled(x), null];
    const most = this.inverted ? 1 / (1 - this.rate) : 1;
    const mask = elementwise(() => (random() >= this.rate ? most : 0), x);
    return [elementwise((v, m) => v * m, x, mask), { mask }];
  }

  backward(gradY, cache) {
    return cache ? elementwise((g, m) => g * m, gradY, cache.mask) : this.scaled(gradY);
  }

  scaled(x) {
    return this.inverted ? x : elementwise((v) => v * (1 - this.rate), x);
  }
}

export class Rescale extends Layer {
  static python = "digitlab/nn/combine.py";
  static formulas = { forward: "y = factor · x + offset", backward: "∂L/∂x = factor · g" };
  static defaults = { factor: undefined, offset: 0 };

  forward(x) {
    return [elementwise((v) => v * this.factor + this.offset, x), null];
  }

  backward(gradY) {
    return elementwise((g) => g * this.factor, gradY);
  }
}
