// Combine: the outputs of several networks made into one answer; with Branches and Subnetwork, an ensemble.

import { ShapeError, argmax } from "../tensor.js";
import { Layer, given } from "./layer.js";

const LEAST = 1e-6; // what an output of 0 counts as, so that no logarithm is infinite
const TIE = 1e-3; // weight of the mean of probabilities against votes: it breaks ties

export class Combine extends Layer {
  static python = "digitlab/nn/combine.py";
  static formulas = {
    forward:
      "pₖ = xₖ / Σ xₖ, each network's outputs as probabilities;\n" +
      '"mean"  s = Σₖ wₖ pₖ / Σ wₖ;   "vote"  s = Σₖ wₖ [argmax pₖ] / Σ wₖ, ties decided by the mean\n' +
      "y = ln s: a softmax after it gives s back",
    backward:
      "mean: with u = (g/s − Σ g) / Σ s, ∂L/∂pₖ = wₖ u / Σ w, ∂L/∂xₖ = (h − Σ h pₖ) / Σ xₖ for h = ∂L/∂pₖ\n" +
      "vote: the votes are constants, since a small change of x changes none; what decides ties has a gradient",
  };
  static defaults = { sizes: undefined, classes: undefined, rule: "mean", weights: "none", covers: "none" };

  constructor(settings) {
    super(settings);
    const all = Array.from({ length: this.classes }, (_, c) => c);
    this.known = this.sizes.map((_, k) => (given(this.covers) && this.covers[k].length ? this.covers[k] : all));
    const weights = given(this.weights) ? this.weights : this.sizes.map(() => 1);
    const totals = new Float64Array(this.classes); // the weight of the networks that know each class
    this.known.forEach((cover, k) => cover.forEach((c) => (totals[c] += weights[k])));
    this.shares = this.known.map((cover, k) => cover.map((c) => weights[k] / (totals[c] > 0 ? totals[c] : 1)));
  }

  forward(x) {
    const [n, width] = x.shape;
    if (width !== this.sizes.reduce((a, b) => a + b)) throw new ShapeError(`${this}: got (${x.shape})`);
    const y = x.zeros(n, this.classes);
    const rows = [];
    for (let i = 0; i < n; i++) {
      const mean = new Float64Array(this.classes);
      const votes = new Float64Array(this.classes);
      let start = i * width;
      const parts = this.sizes.map((size, k) => {
        const part = x.data.subarray(start, (start += size));
        const above = Array.from(part, (v) => v > LEAST);
        const raised = Array.from(part, (v) => (v > LEAST ? v : LEAST));
        const total = raised.reduce((a, b) => a + b);
        const p = raised.map((v) => v / total);
        this.known[k].forEach((c, j) => (mean[c] += p[j] * this.shares[k][j]));
        const most = argmax(p);
        if (most < this.known[k].length) votes[this.known[k][most]] += this.shares[k][most];
        return { p, total, above };
      });
      const whole = mean.reduce((a, b) => a + b) + LEAST; // the least keeps a mean of 0 from dividing
      const s = mean.map((v) => (v + LEAST / this.classes) / whole);
      const said = this.rule === "mean" ? s : s.map((v, c) => votes[c] + TIE * v);
      y.data.set(said.map(Math.log), i * this.classes);
      rows.push({ parts, s, whole, said });
    }
    return [y, { rows, shape: x.shape }];
  }

  backward(gradY, { rows, shape }) {
    const gradX = gradY.zeros(...shape);
    const tie = this.rule === "mean" ? 1 : TIE;
    rows.forEach(({ parts, s, whole, said }, i) => {
      const gradS = s.map((_, c) => (gradY.data[i * this.classes + c] / said[c]) * tie);
      const along = gradS.reduce((sum, g, c) => sum + g * s[c], 0);
      const gradMean = gradS.map((g) => (g - along) / whole);
      let start = i * shape[1];
      parts.forEach(({ p, total, above }, k) => {
        const gradP = new Float64Array(p.length); // 0 for outputs that count for no class
        this.known[k].forEach((c, j) => (gradP[j] = gradMean[c] * this.shares[k][j]));
        const part = gradP.reduce((sum, g, j) => sum + g * p[j], 0);
        gradP.forEach((g, j) => (gradX.data[start + j] = above[j] ? (g - part) / total : 0));
        start += p.length;
      });
    });
    return gradX;
  }
}
