// Every layer of a network with its values and weights as pictures, updated for each image.
import { el, fill } from "./dom.js";
import { arrangeValues, arrangeWeights, mosaic } from "./mosaic.js";
import { sizes } from "./numbers.js";
import { flattened } from "../engine/saliency.js";

/** What a layer's output looks like: for a recurrent layer the states after every step, (T, H), instead of the last. */
function shownValues({ layer, y, cache }) {
  if (!cache?.states) return { shape: y.shape.slice(1), data: y.data };
  const units = layer.units;
  const data = new Float32Array(cache.states.length * units);
  cache.states.forEach((state, t) => data.set(state.data.subarray(0, units), t * units));
  return { shape: [cache.states.length, units], data };
}

/** A picture's height and width if the input of a layer is one, flat or not, of a single channel; else null. */
export function pictureBefore(network, step) {
  const [height, width, channels = 1] = network.pictureShape;
  return channels === 1 && step.x.data.length === height * width ? [height, width] : null;
}

/** Returns { element, update(steps) }; `open(name)` is called for the button of a layer. */
export function layerList(network, { open = null } = {}) {
  const element = el("ol", { class: "layers" });
  let parts = [];

  function build(steps) {
    parts = [...flattened(steps)].map(({ name, depth, step }) => {
      const { layer } = step;
      const { shape } = shownValues(step);
      const arrangement = arrangeValues(shape);
      const values = mosaic(arrangement, {
        label: `Output of layer ${name}, ${layer}: ${sizes(shape)} numbers`,
        width: 340,
        most: 14,
      });
      const weights = layer.params.W;
      const arranged = weights && arrangeWeights(weights.shape, pictureBefore(network, step));
      const picture =
        arranged && mosaic(arranged, { label: `Weights of layer ${name}, ${layer}`, width: 260, most: 8 });
      picture?.draw(weights.data);
      const more = (n) => (n > 0 ? el("p", { class: "small muted" }, `and ${n} more`) : null);
      const row = el(
        "li",
        { class: "layer", "data-depth": depth || null },
        el(
          "div",
          { class: "layer-name" },
          el("h3", {}, el("span", { class: "muted" }, `${name}  `), String(layer)),
          el("p", { class: "small muted" }, cacheNote(step) || sizes(shape)),
          open && !depth
            ? el(
                "button",
                {
                  type: "button",
                  class: "button quiet small",
                  onclick: () => open(name),
                  "aria-label": `Open up layer ${name}`,
                },
                "Open up",
              )
            : null,
        ),
        el("div", { class: "layer-picture" }, values.element, more(arrangement.left)),
        el("div", { class: "layer-picture" }, picture ? [picture.element, more(arranged.left)] : null),
      );
      return { row, values, layer };
    });
    fill(
      element,
      parts.map(({ row }) => row),
    );
  }

  return {
    element,
    update(steps) {
      const all = [...flattened(steps)];
      if (all.length !== parts.length || all.some(({ step }, i) => step.layer !== parts[i].layer)) build(steps);
      all.forEach(({ step }, i) => parts[i].values.draw(shownValues(step).data));
    },
    redraw() {
      parts = [];
    },
  };
}

function cacheNote({ cache, layer }) {
  return cache?.states ? `states after ${cache.states.length} steps × ${layer.units} units` : "";
}
