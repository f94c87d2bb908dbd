// Every layer by the name it has in network files.

import * as activations from "./activations.js";
import * as combine from "./combine.js";
import * as containers from "./containers.js";
import * as conv from "./conv.js";
import * as dense from "./dense.js";
import { Layer } from "./layer.js";
import * as normalization from "./normalization.js";
import * as pooling from "./pooling.js";
import * as recurrent from "./recurrent.js";
import * as shapes from "./shapes.js";

const families = [activations, combine, containers, conv, dense, normalization, pooling, recurrent, shapes];
const classes = families.flatMap((family) => Object.entries(family));

export const LAYERS = Object.fromEntries(classes.filter(([, thing]) => thing.prototype instanceof Layer));

/** The layer that a description, such as {"type": "Dense", "out_features": 30}, stands for. */
export function buildLayer(description) {
  const { type, ...settings } = description;
  if (!Object.hasOwn(LAYERS, type)) {
    throw new Error(`this page has no layer ${type}; expected one of ${Object.keys(LAYERS).join(", ")}`);
  }
  const layer = new LAYERS[type](settings, buildLayer);
  layer.described = description;
  return layer;
}
