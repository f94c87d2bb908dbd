// The settings of a training: their defaults, their form in the address, and what the server is sent.
import { decodePoints, makePoints } from "./points.js";

export const KINDS = [["images", "Images"], ["points", "Points"], ["function", "Function"]];
export const ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky-relu", "elu", "gelu", "softplus", "silu"];
export const OPTIMIZERS = [["sgd", "gradient descent"], ["momentum", "momentum"], ["nesterov", "Nesterov"], ["adam", "Adam"], ["adamw", "AdamW"], ["rmsprop", "RMSProp"]];
export const LOSSES = [["quadratic", "quadratic (sigmoid)"], ["cross-entropy", "cross-entropy (sigmoid)"], ["log-likelihood", "log-likelihood (softmax)"]];

/** What each kind begins with; the address names only what differs. */
const DEFAULTS = {
  images: { source: "mnist", size: 10000, layers: "dense30", activation: "sigmoid", loss: "quadratic", optimizer: "sgd", batch: 10, epochs: 20, speed: 0 },
  points: { set: "spiral", count: 300, noise: 0.1, classes: 2, points: "", layers: "dense12,dense12", activation: "tanh", loss: "log-likelihood", optimizer: "adam", batch: 10, epochs: 1000, speed: 30 },
  function: { function: "sin(x) + x", low: -8, high: 8, layers: "dense40,dense40", activation: "tanh", loss: "mean-squared-error", optimizer: "adam", batch: 20, epochs: 200, speed: 20 },
};
const COMMON = { rate: 0, l2: 0, dropout: 0, augment: 0, start: 0, seed: 0 };

export function defaults(kind) {
  return { kind, ...COMMON, ...DEFAULTS[kind] };
}

/** What a setting may be, where the form has a list of choices. */
const CHOICES = { activation: ACTIVATIONS, optimizer: OPTIMIZERS.map(([name]) => name), loss: LOSSES.map(([name]) => name) };

/** The settings in the address, for what it does not name or names wrongly the defaults; `mark` is "" for the first training and "b." for the one it is compared with. */
export function fromAddress(state, mark, base = {}) {
  const named = state.get(`${mark}kind`, base.kind ?? "images");
  const kind = named in DEFAULTS ? named : "images";
  const settings = { ...defaults(kind), ...base, kind };
  for (const [name, usual] of Object.entries(defaults(kind))) {
    const text = state.get(mark + name);
    if (text === null || name === "kind") continue;
    if (typeof usual === "number") settings[name] = Number.isFinite(Number(text)) ? Number(text) : usual;
    else settings[name] = CHOICES[name] && !CHOICES[name].includes(text) ? usual : text;
  }
  return settings;
}

/** Write them into the address; what is at its default is left out. */
export function toAddress(state, mark, settings) {
  const usual = settings ? defaults(settings.kind) : {};
  const values = {};
  for (const kind of Object.keys(DEFAULTS)) for (const name of Object.keys(defaults(kind))) values[mark + name] = null;
  for (const [name, value] of Object.entries(settings ?? {})) if (value !== usual[name]) values[mark + name] = String(value);
  if (settings && settings.kind !== "images") values[`${mark}kind`] = settings.kind;
  state.set(values);
}

/** "conv8x5,pool2,dense30" as blocks: { type, size, kernel }. What cannot be read is left out. */
export function parseLayers(text) {
  return text.split(",").flatMap((part) => {
    const [, type, size, kernel] = part.match(/^(dense|conv|pool)(\d+)(?:x(\d+))?$/) ?? [];
    if (!type) return [];
    return [type === "conv" ? { type, size: Number(size), kernel: Number(kernel ?? 5) } : { type, size: Number(size) }];
  });
}

export function layersText(blocks) {
  return blocks.map(({ type, size, kernel }) => `${type}${size}${type === "conv" ? `x${kernel}` : ""}`).join(",");
}

/** The points of the settings: [[x, y, class], …]. */
export function pointsOf(settings) {
  if (settings.points) return decodePoints(settings.points);
  return makePoints(settings.set, settings.count, settings.noise, settings.classes, settings.seed);
}

/** What the server is sent (web/plans.py). */
export function request(settings) {
  const s = settings;
  const common = {
    kind: s.kind,
    layers: parseLayers(s.layers),
    activation: s.activation,
    loss: s.loss,
    optimizer: s.optimizer,
    learning_rate: s.rate || null,
    l2: s.l2,
    dropout: s.dropout,
    batch_size: s.batch,
    epochs: s.epochs,
    seed: s.seed,
  };
  if (s.kind === "points") return { ...common, points: pointsOf(s) };
  if (s.kind === "function") return { ...common, function: s.function, low: s.low, high: s.high };
  return { ...common, source: s.source, train_size: s.size, augment: Boolean(s.augment), start: Boolean(s.start) };
}
