// Layers that read a sequence (N, T, F) one step at a time and remember: SimpleRNN, LSTM, GRU, Bidirectional.
//
//     aₜ = xₜ W + b                   what this row says
//     stateₜ = step(aₜ, stateₜ₋₁)     what it means after everything read so far

import {
  ShapeError,
  add,
  columnsOf,
  concat,
  elementwise,
  matmul,
  matmulTransposed,
  sumRows,
  transposedMatmul,
} from "../tensor.js";
import { sigmoid } from "./activations.js";
import { plusBias } from "./dense.js";
import { Layer } from "./layer.js";

const FILE = "digitlab/nn/recurrent.py";
const tanh = Math.tanh;

class Recurrent extends Layer {
  static defaults = { units: undefined, returns: "last", reverse: false };
  static bounds = [-1, 1];

  arrayNames() {
    return { params: ["W", "U", "b"], buffers: [] };
  }

  forward(x) {
    if (x.shape.length !== 3) throw new ShapeError(`${this}: got (${x.shape}), expected (N, steps, features)`);
    const [examples, steps, features] = x.shape;
    const { W, b } = this.params;
    const a = plusBias(matmul(x.reshape(examples * steps, features), W), b).reshape(examples, steps, W.shape[1]);
    let state = this.firstState(x);
    const states = new Array(steps); // h after each step, at the step that made it
    const seen = new Array(steps);
    for (const t of this.readingOrder(steps)) {
      [state, seen[t]] = this.step(atStep(a, t), state);
      states[t] = state[0];
    }
    return [this.returns === "last" ? state[0] : stack(states), { x, seen, states }];
  }

  backward(gradY, { x, seen }) {
    const [examples, steps, features] = x.shape;
    let gradState = this.firstState(x); // nothing comes from beyond the last step
    if (this.returns === "last") gradState = [add(gradState[0], gradY), ...gradState.slice(1)];
    const gradA = new Array(steps);
    const sums = {};
    for (const t of this.readingOrder(steps).reverse()) {
      // A state is read by the layer above, and by the next step.
      if (this.returns === "all") gradState = [add(gradState[0], atStep(gradY, t)), ...gradState.slice(1)];
      let grads;
      [gradA[t], gradState, grads] = this.stepBack(gradState, seen[t]);
      for (const [key, grad] of Object.entries(grads)) sums[key] = key in sums ? add(sums[key], grad) : grad;
    }
    const flat = stack(gradA).reshape(examples * steps, gradA[0].shape[1]); // (N·T, gates·H)
    this.grads = {
      ...sums,
      W: transposedMatmul(x.reshape(examples * steps, features), flat), // (F, gates·H)
      b: sumRows(flat), // (gates·H)
    };
    return matmulTransposed(flat, this.params.W).reshape(examples, steps, features); // (N, T, F)
  }

  /** The steps in the order in which they are read. */
  readingOrder(steps) {
    const order = [...Array(steps).keys()];
    return this.reverse ? order.reverse() : order;
  }

  firstState(x) {
    return [x.zeros(x.shape[0], this.units)];
  }
}

export class SimpleRNN extends Recurrent {
  static python = FILE;
  static formulas = {
    forward: "hₜ = tanh(xₜ W + hₜ₋₁ U + b),   h₋₁ = 0",
    backward:
      "δₜ = gₜ (1 − hₜ²),  gₜ = ∂L/∂hₜ from above plus δₜ₊₁ Uᵀ from the step after\n" +
      "∂L/∂W = Σₜ xₜᵀ δₜ    ∂L/∂U = Σₜ hₜ₋₁ᵀ δₜ    ∂L/∂b = Σₜ Σₙ δₜ    ∂L/∂xₜ = δₜ Wᵀ",
  };

  step(a, [hBefore]) {
    const h = elementwise((u, v) => tanh(u + v), a, matmul(hBefore, this.params.U)); // (N, H)
    return [[h], [hBefore, h]];
  }

  stepBack([gradH], [hBefore, h]) {
    const delta = elementwise((g, v) => g * (1 - v * v), gradH, h); // (N, H)
    return [delta, [matmulTransposed(delta, this.params.U)], { U: transposedMatmul(hBefore, delta) }];
  }
}

export class LSTM extends Recurrent {
  static python = FILE;
  static formulas = {
    forward:
      "[i f g o] = xₜ W + hₜ₋₁ U + b, then i, f, o = σ(·): what to write, keep, show;  g = tanh(·): what is new\n" +
      "cₜ = f cₜ₋₁ + i g          hₜ = o tanh cₜ",
    backward:
      "with gₕ = ∂L/∂hₜ, τ = tanh cₜ:   ∂L/∂cₜ = gₕ o (1 − τ²) + what comes from cₜ₊₁\n" +
      "δᵢ = ∂c g i(1 − i)   δ_f = ∂c cₜ₋₁ f(1 − f)   δ_g = ∂c i (1 − g²)   δₒ = gₕ τ o(1 − o)\n" +
      "∂L/∂cₜ₋₁ = ∂c f;  with δ = [δᵢ δ_f δ_g δₒ] the rest is as in SimpleRNN",
  };
  static defaults = { ...Recurrent.defaults, forget_bias: 1 };

  firstState(x) {
    return [x.zeros(x.shape[0], this.units), x.zeros(x.shape[0], this.units)];
  }

  step(a, [hBefore, cBefore]) {
    const H = this.units;
    a = add(a, matmul(hBefore, this.params.U)); // (N, 4H)
    const i = elementwise(sigmoid, columnsOf(a, 0, H));
    const f = elementwise(sigmoid, columnsOf(a, H, 2 * H));
    const g = elementwise(tanh, columnsOf(a, 2 * H, 3 * H));
    const o = elementwise(sigmoid, columnsOf(a, 3 * H, 4 * H));
    const c = elementwise((keep, before, write, fresh) => keep * before + write * fresh, f, cBefore, i, g); // (N, H)
    const tanhC = elementwise(tanh, c);
    const h = elementwise((show, cell) => show * cell, o, tanhC);
    return [[h, c], { hBefore, cBefore, i, f, g, o, tanhC, c }];
  }

  stepBack([gradH, gradCAfter], { hBefore, cBefore, i, f, g, o, tanhC }) {
    const gradC = elementwise((after, gh, ov, t) => after + gh * ov * (1 - t * t), gradCAfter, gradH, o, tanhC);
    const delta = concat([
      elementwise((dc, gv, iv) => dc * gv * iv * (1 - iv), gradC, g, i),
      elementwise((dc, cv, fv) => dc * cv * fv * (1 - fv), gradC, cBefore, f),
      elementwise((dc, iv, gv) => dc * iv * (1 - gv * gv), gradC, i, g),
      elementwise((gh, t, ov) => gh * t * ov * (1 - ov), gradH, tanhC, o),
    ]); // (N, 4H)
    const gradBefore = elementwise((dc, fv) => dc * fv, gradC, f);
    return [delta, [matmulTransposed(delta, this.params.U), gradBefore], { U: transposedMatmul(hBefore, delta) }];
  }
}

export class GRU extends Recurrent {
  static python = FILE;
  static formulas = {
    forward:
      "r = σ(xₜ W_r + hₜ₋₁ U_r + b_r)        z = σ(xₜ W_z + hₜ₋₁ U_z + b_z)\n" +
      'n = tanh(xₜ W_n + b_n + r (hₜ₋₁ U_n + v))     reset="after" the product, as PyTorch and cuDNN\n' +
      'n = tanh(xₜ W_n + b_n + (r hₜ₋₁) U_n)         reset="before" it, Cho et al. eq. 8, ONNX\'s default\n' +
      "hₜ = z hₜ₋₁ + (1 − z) n",
    backward:
      "δ_n = gₕ (1 − z)(1 − n²)      δ_z = gₕ (hₜ₋₁ − n) z(1 − z)      δ_r = (∂L/∂r) r(1 − r)\n" +
      "after:   ∂L/∂r = δ_n (hₜ₋₁ U_n + v), and r δ_n goes back through U_n and v\n" +
      "before:  ∂L/∂r = (δ_n U_nᵀ) hₜ₋₁, and r (δ_n U_nᵀ) goes back to hₜ₋₁",
  };
  static defaults = { ...Recurrent.defaults, reset: "after" };

  arrayNames() {
    return { params: this.reset === "after" ? ["W", "U", "b", "v"] : ["W", "U", "b"], buffers: [] };
  }

  /** U's columns for r and z, and for n; cut once for all steps. */
  parts() {
    const { U } = this.params;
    const H = this.units;
    if (this.cut?.U !== U) this.cut = { U, parts: [columnsOf(U, 0, 2 * H), columnsOf(U, 2 * H, 3 * H)] };
    return this.cut.parts;
  }

  step(a, [hBefore]) {
    const H = this.units;
    const [U_rz, U_n] = this.parts();
    const rz = elementwise((u, v) => sigmoid(u + v), columnsOf(a, 0, 2 * H), matmul(hBefore, U_rz)); // (N, 2H)
    const r = columnsOf(rz, 0, H);
    const z = columnsOf(rz, H, 2 * H);
    const a_n = columnsOf(a, 2 * H, 3 * H);
    let inner; // what r is multiplied with
    let n;
    if (this.reset === "after") {
      inner = plusBias(matmul(hBefore, U_n), this.params.v); // (N, H)
      n = elementwise((u, rv, v) => tanh(u + rv * v), a_n, r, inner);
    } else {
      inner = elementwise((rv, v) => rv * v, r, hBefore);
      n = elementwise((u, v) => tanh(u + v), a_n, matmul(inner, U_n));
    }
    const h = elementwise((zv, before, fresh) => zv * before + (1 - zv) * fresh, z, hBefore, n);
    return [[h], { hBefore, r, z, n, inner }];
  }

  stepBack([gradH], { hBefore, r, z, n, inner }) {
    const [U_rz, U_n] = this.parts();
    const delta_n = elementwise((g, zv, nv) => g * (1 - zv) * (1 - nv * nv), gradH, z, n); // (N, H)
    const delta_z = elementwise((g, before, nv, zv) => g * (before - nv) * zv * (1 - zv), gradH, hBefore, n, z);
    const times = (u, v) => elementwise((p, q) => p * q, u, v);
    const grads = {};
    let gradR;
    let gradBefore;
    let gradU_n;
    if (this.reset === "after") {
      const gradInner = times(delta_n, r);
      gradR = times(delta_n, inner);
      gradBefore = matmulTransposed(gradInner, U_n);
      gradU_n = transposedMatmul(hBefore, gradInner);
      grads.v = sumRows(gradInner);
    } else {
      const gradInner = matmulTransposed(delta_n, U_n);
      gradR = times(gradInner, hBefore);
      gradBefore = times(gradInner, r);
      gradU_n = transposedMatmul(inner, delta_n);
    }
    const delta_rz = concat([elementwise((g, rv) => g * rv * (1 - rv), gradR, r), delta_z]); // (N, 2H)
    grads.U = concat([transposedMatmul(hBefore, delta_rz), gradU_n]); // (H, 3H)
    gradBefore = add(add(gradBefore, times(gradH, z)), matmulTransposed(delta_rz, U_rz)); // (N, H)
    return [concat([delta_rz, delta_n]), [gradBefore], grads];
  }
}

export class Bidirectional extends Layer {
  static python = "digitlab/nn/bidirectional.py";
  static formulas = {
    forward: "y = [forward(x), backward(x)], joined along the last axis; each has its own weights",
    backward: "each takes its half of g; ∂L/∂x is the sum of what they return",
  };
  static defaults = { layer: undefined };
  static bounds = [-1, 1];

  constructor(settings, build) {
    super(settings);
    this.onTheWay = build(this.layer);
    this.back = build({ ...this.layer, reverse: !this.layer.reverse });
  }

  children() {
    return { forward: this.onTheWay, backward: this.back };
  }

  forward(x) {
    const [there, thereCache] = this.onTheWay.forward(x);
    const [back, backCache] = this.back.forward(x);
    return [concat([there, back]), [thereCache, backCache]];
  }

  backward(gradY, [thereCache, backCache]) {
    const units = this.onTheWay.units;
    const gradX = this.onTheWay.backward(columnsOf(gradY, 0, units), thereCache);
    return add(gradX, this.back.backward(columnsOf(gradY, units, 2 * units), backCache));
  }
}

/** One step of (N, T, F): (N, F). */
function atStep(x, t) {
  const [examples, steps, features] = x.shape;
  const y = x.zeros(examples, features);
  for (let n = 0; n < examples; n++) {
    const start = (n * steps + t) * features;
    y.data.set(x.data.subarray(start, start + features), n * features);
  }
  return y;
}

/** T arrays (N, F) as one (N, T, F). */
function stack(parts) {
  const [examples, features] = parts[0].shape;
  const y = parts[0].zeros(examples, parts.length, features);
  parts.forEach((part, t) => {
    for (let n = 0; n < examples; n++) {
      y.data.set(part.data.subarray(n * features, (n + 1) * features), (n * parts.length + t) * features);
    }
  });
  return y;
}
