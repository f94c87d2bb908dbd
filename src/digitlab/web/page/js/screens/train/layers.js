// The network put together by clicks: a row of blocks from input to output.
import { el, fill } from "../../ui/dom.js";
import { button } from "../../ui/controls.js";
import { layersText, parseLayers } from "./settings.js";

const MOST = 8;
const NAMES = { dense: "dense", conv: "convolution", pool: "max pool" };
const UNITS = { dense: "neurons", conv: "filters", pool: "× smaller" };
const LIMITS = { dense: [1, 1000], conv: [1, 64], pool: [2, 4] };

/** Returns { element, set(text, { pictures, input, output }) }; `on(text)` gets the new blocks as text. */
export function layerBuilder(on) {
  const list = el("ol", { class: "blocks", "aria-label": "Layers of the network" });
  const adding = el("div", { class: "row" });
  const element = el("div", { class: "stack" }, list, adding);
  let blocks = [];

  const changed = () => on(layersText(blocks));
  const firstDense = () => {
    const at = blocks.findIndex((block) => block.type === "dense");
    return at < 0 ? blocks.length : at;
  };

  function block(item, i) {
    const [low, high] = LIMITS[item.type];
    const number = el("input", { type: "number", min: low, max: high, value: item.size, "aria-label": `${UNITS[item.type]} of layer ${i + 1}` });
    number.addEventListener("change", () => {
      item.size = Math.round(Math.min(high, Math.max(low, Number(number.value) || low)));
      changed();
    });
    const kernel = item.type === "conv" ? el("span", { class: "small muted" }, `${item.kernel}×${item.kernel}`) : null;
    return el(
      "li",
      { class: `block ${item.type}` },
      el("span", { class: "name" }, NAMES[item.type]),
      el("span", { class: "size" }, number, el("span", { class: "small muted" }, UNITS[item.type]), kernel),
      button("×", { kind: "quiet", label: `Remove layer ${i + 1}`, on: () => (blocks.splice(i, 1), changed()) }),
    );
  }

  return {
    element,
    set(text, { pictures, input, output }) {
      blocks = parseLayers(text);
      fill(list, el("li", { class: "block end" }, input), blocks.map(block), el("li", { class: "block end" }, output));
      const add = (type, size, kernel, at) => button(`+ ${NAMES[type]}`, {
        disabled: blocks.length >= MOST,
        on: () => {
          blocks.splice(at(), 0, { type, size, kernel });
          changed();
        },
      });
      fill(
        adding,
        add("dense", 30, undefined, () => blocks.length),
        pictures ? add("conv", 8, 5, firstDense) : null,
        pictures ? add("pool", 2, undefined, firstDense) : null,
      );
    },
  };
}
