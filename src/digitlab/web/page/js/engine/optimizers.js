// Optimizers: from a parameter, its gradient and a state to the next parameter and state, number by number.

class Optimizer {
  static defaults = {};

  constructor(settings) {
    Object.assign(this, this.constructor.defaults, settings);
  }

  initState() {
    return {};
  }
}

export class SGD extends Optimizer {
  static python = "digitlab/optim/sgd.py";
  static formula = "w ← w − η g";

  update(value, grad, state, rate) {
    return [value.map((w, i) => w - rate * grad[i]), state];
  }
}

export class Momentum extends Optimizer {
  static python = "digitlab/optim/sgd.py";
  static formula = "v ← μ v − η g,  w ← w + v";
  static defaults = { momentum: 0.9 };

  initState(value) {
    return { velocity: value.map(() => 0) };
  }

  update(value, grad, state, rate) {
    const velocity = state.velocity.map((v, i) => this.momentum * v - rate * grad[i]);
    return [value.map((w, i) => w + velocity[i]), { velocity }];
  }
}

export class Nesterov extends Momentum {
  static formula = "v ← μ v − η g,  w ← w + μ v − η g";

  update(value, grad, state, rate) {
    const velocity = state.velocity.map((v, i) => this.momentum * v - rate * grad[i]);
    return [value.map((w, i) => w + this.momentum * velocity[i] - rate * grad[i]), { velocity }];
  }
}

export class RMSProp extends Optimizer {
  static python = "digitlab/optim/adaptive.py";
  static formula = "s ← ρ s + (1 − ρ) g²,  w ← w − η g / (√s + ε)";
  static defaults = { decay: 0.99, epsilon: 1e-8 };

  initState(value) {
    return { square: value.map(() => 0) };
  }

  update(value, grad, state, rate) {
    const square = state.square.map((s, i) => this.decay * s + (1 - this.decay) * grad[i] * grad[i]);
    return [value.map((w, i) => w - (rate * grad[i]) / (Math.sqrt(square[i]) + this.epsilon)), { square }];
  }
}

export class Adam extends Optimizer {
  static python = "digitlab/optim/adaptive.py";
  static formula = "m ← β₁ m + (1−β₁) g,  v ← β₂ v + (1−β₂) g²,  w ← w − η m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)";
  static defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

  initState(value) {
    return { step: 0, mean: value.map(() => 0), square: value.map(() => 0) };
  }

  update(value, grad, state, rate) {
    const step = state.step + 1;
    const mean = state.mean.map((m, i) => this.beta1 * m + (1 - this.beta1) * grad[i]);
    const square = state.square.map((s, i) => this.beta2 * s + (1 - this.beta2) * grad[i] * grad[i]);
    // Both averages start at 0 and are too small at first; dividing by 1 − βᵗ makes up for it.
    const next = value.map((w, i) => {
      const root = Math.sqrt(square[i] / (1 - this.beta2 ** step));
      return w - ((rate / (1 - this.beta1 ** step)) * mean[i]) / (root + this.epsilon);
    });
    return [next, { step, mean, square }];
  }
}

export class AdamW extends Adam {
  static formula = "w ← w − η λ w, and then Adam's step";
  static defaults = { ...Adam.defaults, weight_decay: 0.01 };

  update(value, grad, state, rate) {
    return super.update(
      value.map((w) => w * (1 - rate * this.weight_decay)),
      grad,
      state,
      rate,
    );
  }
}

export const OPTIMIZERS = { SGD, Momentum, Nesterov, RMSProp, Adam, AdamW };

/** One training step of a network whose gradients are assigned; `states` (a Map by name) is kept between steps. */
export function trainingStep(network, optimizer, states, rate) {
  for (const [name, { layer, key }] of network.parameters()) {
    const value = layer.params[key];
    const state = states.get(name) ?? optimizer.initState(value.data);
    const [next, nextState] = optimizer.update(value.data, layer.grads[key].data, state, rate);
    states.set(name, nextState);
    layer.params[key] = new value.constructor(next, value.shape);
  }
}
