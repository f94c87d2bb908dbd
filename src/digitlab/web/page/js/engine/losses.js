// The losses, each with the output activation it belongs to. They take logits (N, out) and labels or targets.

import { elementwise, product, rowsAndColumns } from "./tensor.js";
import { sigmoid, softplus } from "./layers/activations.js";

const total = (x) => x.data.reduce((sum, value) => sum + value, 0);

class Loss {
  static owns = "";
  static defaults = { label_smoothing: 0, low: 0, high: 1 };

  constructor(settings) {
    Object.assign(this, this.constructor.defaults, settings);
  }

  get owns() {
    return this.constructor.owns;
  }

  /** Labels as rows: `high` at the label's place, `low` elsewhere; then (1 − s) t + s/out for label smoothing s. */
  targets(labels, logits) {
    if (labels.shape) return labels; // an array (N, out) is taken as it is
    const [n, out] = logits.shape;
    const rows = logits.zeros(n, out);
    for (let i = 0; i < n; i++) {
      if (!(labels[i] >= 0 && labels[i] < out)) throw new Error(`got label ${labels[i]}, expected 0 to ${out - 1}`);
      for (let j = 0; j < out; j++) {
        const t = j === labels[i] ? this.high : this.low;
        rows.data[i * out + j] = t * (1 - this.label_smoothing) + this.label_smoothing / out;
      }
    }
    return rows;
  }

  /** ∂L/∂logits for outputs a whose gradient is gradA; used where a network is a layer of another. */
  activationBackward(gradA, a) {
    if (this.owns === "sigmoid") return elementwise((g, v) => g * v * (1 - v), gradA, a);
    if (this.owns !== "softmax") return gradA;
    const [rows, columns] = rowsAndColumns(a);
    const y = a.zeros(...a.shape);
    for (let i = 0; i < rows; i++) {
      let along = 0;
      for (let j = i * columns; j < (i + 1) * columns; j++) along += gradA.data[j] * a.data[j];
      for (let j = i * columns; j < (i + 1) * columns; j++) y.data[j] = a.data[j] * (gradA.data[j] - along);
    }
    return y;
  }
}

export class Quadratic extends Loss {
  static python = "digitlab/nn/network.py";
  static formulas = { forward: "L = 1/(2N) Σₙ ‖aₙ − tₙ‖²,  a = σ(z)", backward: "δ = (a − t) a (1 − a) / N" };
  static owns = "sigmoid";

  activation(logits) {
    return elementwise(sigmoid, logits);
  }

  forward(logits, labels) {
    const a = this.activation(logits);
    const error = elementwise((u, t) => u - t, a, this.targets(labels, logits)); // (N, out)
    const n = logits.shape[0];
    return [total(elementwise((e) => e * e, error)) / (2 * n), { a, error, n }];
  }

  backward({ a, error, n }) {
    return elementwise((e, v) => (e * v * (1 - v)) / n, error, a); // (N, out)
  }
}

export class CrossEntropy extends Loss {
  static python = "digitlab/nn/losses.py";
  static formulas = {
    forward: "softplus(z) − t z summed: the same, without logarithms of 0",
    backward: "δ = (a − t) / N",
  };
  static owns = "sigmoid";

  activation(logits) {
    return elementwise(sigmoid, logits);
  }

  forward(logits, labels) {
    const targets = this.targets(labels, logits);
    const losses = elementwise((z, t) => softplus(z) - t * z, logits, targets); // (N, out)
    return [total(losses) / logits.shape[0], { logits, targets }];
  }

  backward({ logits, targets }) {
    const n = logits.shape[0];
    return elementwise((z, t) => (sigmoid(z) - t) / n, logits, targets); // (N, out)
  }
}

export class LogLikelihood extends Loss {
  static python = "digitlab/nn/losses.py";
  static formulas = {
    forward: "ln a = z − m − ln Σₖ e^(zₖ − m), m = max z: no exponential overflows",
    backward: "δ = (a Σⱼ t − t) / N, which is (a − t)/N where the targets sum to 1",
  };
  static owns = "softmax";

  activation(logits) {
    return elementwise(Math.exp, logSoftmax(logits));
  }

  forward(logits, labels) {
    const targets = this.targets(labels, logits);
    const logA = logSoftmax(logits); // (N, out)
    const loss = -total(elementwise((t, a) => t * a, targets, logA)) / logits.shape[0];
    return [loss, { logA, targets }];
  }

  backward({ logA, targets }) {
    const [rows, out] = rowsAndColumns(logA);
    const delta = logA.zeros(...logA.shape);
    for (let i = 0; i < rows; i++) {
      const sum = targets.data.subarray(i * out, (i + 1) * out).reduce((u, t) => u + t, 0);
      for (let j = i * out; j < (i + 1) * out; j++) {
        delta.data[j] = (Math.exp(logA.data[j]) * sum - targets.data[j]) / logA.shape[0];
      }
    }
    return delta; // (N, out)
  }
}

export class MeanSquaredError extends Loss {
  static python = "digitlab/nn/losses.py";
  static formulas = { forward: "L = 1/(N·out) Σₙ Σⱼ (zₙⱼ − tₙⱼ)²", backward: "δ = 2 (z − t) / (N·out)" };

  activation(logits) {
    return logits;
  }

  forward(logits, labels) {
    const error = elementwise((z, t) => z - t, logits, this.targets(labels, logits)); // (N, out)
    return [total(elementwise((e) => e * e, error)) / product(error.shape), error];
  }

  backward(error) {
    return elementwise((e) => (2 * e) / product(error.shape), error); // (N, out)
  }
}

/** ln softmax along the last axis, shifted by the row's maximum so that nothing overflows. */
function logSoftmax(z) {
  const [rows, out] = rowsAndColumns(z);
  const y = z.zeros(...z.shape);
  for (let i = 0; i < rows; i++) {
    const row = z.data.subarray(i * out, (i + 1) * out);
    const most = row.reduce((u, v) => Math.max(u, v), -Infinity);
    const sum = row.reduce((u, v) => u + Math.exp(v - most), 0);
    for (let j = 0; j < out; j++) y.data[i * out + j] = row[j] - most - Math.log(sum);
  }
  return y;
}

export const LOSSES = { Quadratic, CrossEntropy, LogLikelihood, MeanSquaredError };

/** The loss that a description, {"type": "Quadratic"}, stands for. */
export function buildLoss({ type, ...settings }) {
  if (!Object.hasOwn(LOSSES, type)) throw new Error(`this page has no loss ${type}; it has ${Object.keys(LOSSES)}`);
  return new LOSSES[type](settings);
}
