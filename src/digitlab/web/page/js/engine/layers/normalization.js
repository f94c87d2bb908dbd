// BatchNorm and LayerNorm: x̂ = (x − μ) / s,  s = √(σ² + ε),  y = γ x̂ + β.

import { ShapeError, elementwise, product, rowsAndColumns, sumRows } from "../tensor.js";
import { Layer, given } from "./layer.js";

const FILE = "digitlab/nn/normalization.py";

export class BatchNorm extends Layer {
  static python = FILE;
  static formulas = {
    forward:
      "training: y = γ x̂ + β with μ, σ² of the batch (and, for pictures, of all their pixels); then\n" +
      "running ← (1 − momentum) running + momentum · batch, its variance divided by n − 1\n" +
      "otherwise: y = γ x̂ + β with the running μ, σ²",
    backward:
      "∂L/∂γ = Σ g x̂    ∂L/∂β = Σ g    ∂L/∂x = (h − mean h − x̂ mean(h x̂)) / s,  h = γ g;\n" +
      "outside of training h / s, for the running μ, σ² do not depend on x",
  };
  static defaults = { momentum: 0.1, epsilon: 1e-5 };

  arrayNames() {
    return { params: ["gamma", "beta"], buffers: ["running_mean", "running_var"] };
  }

  forward(x, random) {
    const { gamma, beta } = this.params;
    const { running_mean: mean, running_var: variance } = random ? this.moved(x) : this.buffers;
    const [rows, features] = rowsAndColumns(x);
    const inverse = Float64Array.from(variance.data, (v) => 1 / Math.sqrt(v + this.epsilon)); // (F)
    const xHat = x.zeros(...x.shape);
    const y = x.zeros(...x.shape);
    for (let i = 0; i < rows * features; i++) {
      const j = i % features;
      xHat.data[i] = (x.data[i] - mean.data[j]) * inverse[j];
      y.data[i] = gamma.data[j] * xHat.data[i] + beta.data[j];
    }
    return [y, { xHat, inverse, training: Boolean(random) }];
  }

  backward(gradY, { xHat, inverse, training }) {
    const { gamma } = this.params;
    const alongXHat = (this.grads.gamma = sumRows(elementwise((g, v) => g * v, gradY, xHat))); // (F)
    const alongOnes = (this.grads.beta = sumRows(gradY)); // (F)
    const [rows, features] = rowsAndColumns(gradY);
    const gradX = gradY.copy();
    for (let i = 0; i < gradX.data.length; i++) {
      const j = i % features;
      const along = training ? (alongOnes.data[j] + xHat.data[i] * alongXHat.data[j]) / rows : 0;
      gradX.data[i] = (gradX.data[i] - along) * gamma.data[j] * inverse[j];
    }
    return gradX;
  }

  /** The mean and variance of a batch, towards which the running ones are moved. */
  moved(x) {
    const [n] = rowsAndColumns(x);
    if (n < 2) throw new ShapeError("BatchNorm: got one number per feature in training, expected at least two");
    const batch = moments(x);
    for (const [name, factor] of [["running_mean", 1], ["running_var", n / (n - 1)]]) {
      const towards = (r, v) => (1 - this.momentum) * r + this.momentum * factor * v;
      this.buffers[name] = elementwise(towards, this.buffers[name], batch[name]);
    }
    return batch;
  }
}

/** The mean and the variance of each feature (the last axis) over a batch. */
function moments(x) {
  const [n] = rowsAndColumns(x);
  const mean = elementwise((sum) => sum / n, sumRows(x));
  const squares = x.zeros(...x.shape);
  for (let i = 0; i < x.data.length; i++) squares.data[i] = (x.data[i] - mean.data[i % mean.data.length]) ** 2;
  return { running_mean: mean, running_var: elementwise((sum) => sum / n, sumRows(squares)) };
}

export class LayerNorm extends Layer {
  static python = FILE;
  static formulas = {
    forward: "y = γ x̂ + β with μ, σ² over the last `axes` axes of each example",
    backward: "∂L/∂γ = Σ g x̂ and ∂L/∂β = Σ g over the other axes\n∂L/∂x = (h − mean h − x̂ mean(h x̂)) / s,  h = γ g",
  };
  static defaults = { epsilon: 1e-5, axes: 1 };

  arrayNames() {
    return { params: ["gamma", "beta"], buffers: [] };
  }

  /** How many numbers are taken together. */
  groupSize(shape) {
    return product(given(this.axes) ? shape.slice(-this.axes) : shape.slice(1));
  }

  forward(x) {
    const { gamma, beta } = this.params;
    const size = this.groupSize(x.shape);
    const xHat = x.zeros(...x.shape);
    const y = x.zeros(...x.shape);
    const inverse = new Float64Array(x.data.length / size);
    for (let r = 0; r < inverse.length; r++) {
      const row = x.data.subarray(r * size, (r + 1) * size);
      const mean = row.reduce((sum, v) => sum + v, 0) / size;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / size;
      inverse[r] = 1 / Math.sqrt(variance + this.epsilon);
      for (let j = 0; j < size; j++) {
        xHat.data[r * size + j] = (row[j] - mean) * inverse[r];
        y.data[r * size + j] = gamma.data[j] * xHat.data[r * size + j] + beta.data[j];
      }
    }
    return [y, { xHat, inverse }];
  }

  backward(gradY, { xHat, inverse }) {
    const { gamma } = this.params;
    const size = this.groupSize(gradY.shape);
    const rows = gradY.reshape(inverse.length, size);
    this.grads.gamma = sumRows(elementwise((g, v) => g * v, rows, xHat.reshape(inverse.length, size))).reshape(
      ...gamma.shape,
    );
    this.grads.beta = sumRows(rows).reshape(...gamma.shape);
    const gradX = gradY.zeros(...gradY.shape);
    for (let r = 0; r < inverse.length; r++) {
      let alongOnes = 0;
      let alongXHat = 0;
      for (let j = 0; j < size; j++) {
        const h = gradY.data[r * size + j] * gamma.data[j];
        alongOnes += h / size;
        alongXHat += (h * xHat.data[r * size + j]) / size;
      }
      for (let j = 0; j < size; j++) {
        const i = r * size + j;
        gradX.data[i] = (gradY.data[i] * gamma.data[j] - alongOnes - xHat.data[i] * alongXHat) * inverse[r];
      }
    }
    return gradX;
  }
}
