// The activation functions: `value` is y = f(x), `slope` is f'(x) from x and y.

import { Activation } from "./layer.js";

const FILE = "digitlab/nn/activations.py";
const GELU_SCALE = Math.sqrt(2 / Math.PI);

export const sigmoid = (x) => 0.5 * (1 + Math.tanh(0.5 * x));
export const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export class Sigmoid extends Activation {
  static python = "digitlab/nn/network.py";
  static formulas = {
    forward: "y = ½ (1 + tanh(x/2)), which is the same and does not overflow",
    backward: "∂L/∂x = g y (1 − y)",
  };
  static bounds = [0, 1];
  static isMonotone = true;
  value = sigmoid;
  slope = (x, y) => y * (1 - y);
}

export class Linear extends Activation {
  static python = FILE;
  static formulas = { forward: "y = x", backward: "g" };
  static passesOn = true;
  static isMonotone = true;
  value = (x) => x;
  slope = () => 1;
}

export class Tanh extends Activation {
  static python = FILE;
  static formulas = { forward: "y = tanh x", backward: "g (1 − y²)" };
  static bounds = [-1, 1];
  static isMonotone = true;
  value = Math.tanh;
  slope = (x, y) => 1 - y * y;
}

export class ReLU extends Activation {
  static python = FILE;
  static formulas = { forward: "y = max(x, 0)", backward: "g where x > 0, else 0; at the kink, x = 0, we take 0" };
  static bounds = [0, Infinity];
  static isMonotone = true;
  value = (x) => (x <= 0 ? 0 : x); // not Math.max: a NaN would turn into a harmless 0
  slope = (x) => (x <= 0 ? 0 : 1);
}

export class LeakyReLU extends Activation {
  static python = FILE;
  static formulas = { forward: "y = x for x > 0, else slope · x", backward: "g for x > 0, else slope · g" };
  static defaults = { slope: 0.01 };
  static isMonotone = true;

  constructor(settings) {
    super(settings);
    const below = this.slope; // the setting has the name of the method
    this.value = (x) => (x > 0 ? x : below * x);
    this.slope = (x) => (x > 0 ? 1 : below);
  }
}

export class ELU extends Activation {
  static python = FILE;
  static formulas = { forward: "y = x for x > 0, else α (eˣ − 1)", backward: "g for x > 0, else g (y + α)" };
  static defaults = { alpha: 1 };
  static isMonotone = true;
  value = (x) => (x > 0 ? x : this.alpha * Math.expm1(x));
  slope = (x, y) => (x > 0 ? 1 : y + this.alpha);
}

export class GELU extends Activation {
  static python = FILE;
  static formulas = {
    forward: "y = ½ x (1 + t),   t = tanh(√(2/π) (x + 0.044715 x³)); within .0005 of x Φ(x)",
    backward: "g (½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²))",
  };
  bend = (x) => Math.tanh(GELU_SCALE * (x + 0.044715 * x * x * x));
  value = (x) => 0.5 * x * (1 + this.bend(x));
  slope = (x) => {
    const t = this.bend(x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * 0.044715 * x * x);
  };
}

export class Softplus extends Activation {
  static python = FILE;
  static formulas = { forward: "y = ln(1 + eˣ)", backward: "g σ(x)" };
  static bounds = [0, Infinity];
  static isMonotone = true;
  value = softplus;
  slope = sigmoid;
}

export class SiLU extends Activation {
  static python = FILE;
  static formulas = { forward: "y = x σ(x)", backward: "g σ (1 + x (1 − σ))" };
  value = (x) => x * sigmoid(x);
  slope = (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)));
}

export class HardSigmoid extends Activation {
  static python = FILE;
  static formulas = { forward: "y = min(max(x/6 + ½, 0), 1)", backward: "g/6 where −3 < x < 3, else 0" };
  static bounds = [0, 1];
  static isMonotone = true;
  value = (x) => (x > -3 && x < 3 ? x / 6 + 0.5 : x > 0 ? 1 : 0 * x);
  slope = (x) => (x > -3 && x < 3 ? 1 / 6 : 0);
}

export class Step extends Activation {
  static python = "digitlab/nn/step.py";
  static formulas = { forward: "y = 1 for x ≥ 0, else 0", backward: "" };
  static bounds = [0, 1];
  static isMonotone = true;
  static differentiable = false;
  value = (x) => (x >= 0 ? 1 : 0);

  backward() {
    throw new Error("Step: the derivative of a step is 0, so backpropagation cannot train through it; use Sigmoid");
  }
}
