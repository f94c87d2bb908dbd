// Conv2D: the same small dense layer at every window of a picture (N, H, W, C).

import { Layer, connected, given } from "./layer.js";
import { placesOf, windowsOn } from "./windows.js";

export class Conv2D extends Layer {
  static python = "digitlab/nn/conv.py";
  static formulas = {
    forward:
      "y[p] = Σ over places k in the kernel of  x[p·stride + k·dilation] W[k] + b,  p a window's position;\n" +
      "with windows as rows, R (N·OH·OW, kh·kw·C):  y = R W + b",
    backward: "∂L/∂W = Rᵀ g    ∂L/∂b = Σ g    ∂L/∂R = g Wᵀ;  ∂L/∂x sums ∂L/∂R over the windows that saw each pixel",
  };
  static defaults = {
    filters: undefined,
    kernel_size: undefined,
    stride: 1,
    padding: 0,
    dilation: 1,
    biases: "zeros",
    connections: "none",
  };

  arrayNames() {
    return {
      params: given(this.biases) ? ["W", "b"] : ["W"],
      buffers: given(this.connections) ? ["connections"] : [],
    };
  }

  windows(shape) {
    return windowsOn(shape, this.kernel_size, this.stride, this.padding, this.dilation);
  }

  forward(x) {
    const windows = this.windows(x.shape);
    const [n, , , channels] = x.shape;
    const filters = this.filters;
    const W = connected(this.params.W, this.buffers.connections).data; // (kh, kw, C, filters)
    const y = x.zeros(n, ...windows.count, filters);
    const sums = new Float64Array(filters);
    const positions = windows.count[0] * windows.count[1];
    for (let p = 0; p < n * positions; p++) {
      if (this.params.b) sums.set(this.params.b.data);
      else sums.fill(0);
      for (const [k, pixel] of placesOf(windows, p)) {
        for (let c = 0; c < channels; c++) {
          const value = x.data[pixel * channels + c];
          if (value === 0) continue;
          const kernel = (k * channels + c) * filters;
          for (let f = 0; f < filters; f++) sums[f] += value * W[kernel + f];
        }
      }
      y.data.set(sums, p * filters);
    }
    return [y, { x, windows }]; // (N, OH, OW, filters)
  }

  backward(gradY, { x, windows }) {
    const [n, , , channels] = x.shape;
    const filters = this.filters;
    const mask = this.buffers.connections;
    const W = connected(this.params.W, mask).data;
    const gradX = x.zeros(...x.shape);
    const sumsW = new Float64Array(W.length);
    const sumsB = new Float64Array(filters);
    const active = new Int32Array(filters); // the filters with a gradient
    const positions = windows.count[0] * windows.count[1];
    for (let p = 0; p < n * positions; p++) {
      const g = gradY.data.subarray(p * filters, (p + 1) * filters);
      let count = 0; // before a pool most of g is 0
      for (let f = 0; f < filters; f++) {
        sumsB[f] += g[f];
        if (g[f] !== 0) active[count++] = f;
      }
      if (count === 0) continue;
      for (const [k, pixel] of placesOf(windows, p)) {
        for (let c = 0; c < channels; c++) {
          const value = x.data[pixel * channels + c];
          const kernel = (k * channels + c) * filters;
          let back = 0;
          for (let a = 0; a < count; a++) {
            const f = active[a];
            back += g[f] * W[kernel + f];
            sumsW[kernel + f] += value * g[f];
          }
          gradX.data[pixel * channels + c] += back;
        }
      }
    }
    const gradW = x.zeros(...this.params.W.shape);
    gradW.data.set(sumsW);
    this.grads.W = connected(gradW, mask); // (kh, kw, C, filters)
    if (this.params.b) (this.grads.b = x.zeros(filters)).data.set(sumsB);
    return gradX; // (N, H, W, C)
  }
}
