// Dense, Bias: weighted sums, and the learned numbers added to each channel.

import { matmul, matmulTransposed, rowsAndColumns, sumRows, transposedMatmul } from "../tensor.js";
import { Layer, connected, given } from "./layer.js";

export class Dense extends Layer {
  static python = "digitlab/nn/network.py";
  static formulas = {
    forward: "y = x W + b",
    backward: "∂L/∂W = xᵀ g    ∂L/∂b = Σₙ gₙ    ∂L/∂x = g Wᵀ,   g = ∂L/∂y",
  };
  static defaults = { out_features: undefined, biases: "zeros", connections: "none" };

  arrayNames() {
    return {
      params: given(this.biases) ? ["W", "b"] : ["W"],
      buffers: given(this.connections) ? ["connections"] : [],
    };
  }

  forward(x) {
    const y = matmul(x, connected(this.params.W, this.buffers.connections)); // (N, out)
    return [this.params.b ? plusBias(y, this.params.b) : y, x];
  }

  backward(gradY, x) {
    const mask = this.buffers.connections;
    this.grads.W = connected(transposedMatmul(x, gradY), mask); // (in, out)
    if (this.params.b) this.grads.b = sumRows(gradY); // (out)
    return matmulTransposed(gradY, connected(this.params.W, mask)); // (N, in)
  }
}

export class Bias extends Layer {
  static python = "digitlab/nn/bias.py";
  static formulas = { forward: "y = x + b", backward: "∂L/∂b = Σ g over all axes but the last    ∂L/∂x = g" };
  static defaults = { biases: "zeros" };

  arrayNames() {
    return { params: ["b"], buffers: [] };
  }

  forward(x) {
    return [plusBias(x.copy(), this.params.b), null];
  }

  backward(gradY) {
    this.grads.b = sumRows(gradY); // (C)
    return gradY;
  }
}

/** Adds b to each row of y, in place. */
export function plusBias(y, b) {
  const [rows, columns] = rowsAndColumns(y);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) y.data[i * columns + j] += b.data[j];
  return y;
}
