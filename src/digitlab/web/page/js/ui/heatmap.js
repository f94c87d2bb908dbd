// A matrix as a picture: blue below 0, orange above, the panel's colour at 0; or from paper to ink for images.
import { el } from "./dom.js";
import { ramp } from "./theme.js";

/**
 * Draw `values` (rows × columns, row by row) on a canvas, one pixel each; CSS enlarges it.
 * kind "signed": −limit … limit; kind "ink": 0 … limit. Without a limit, the largest absolute value is the limit.
 */
export function paint(canvas, values, rows, columns, { kind = "signed", limit = 0, offset = 0 } = {}) {
  const size = rows * columns;
  if (!limit) {
    for (let i = 0; i < size; i++) limit = Math.max(limit, Math.abs(values[offset + i]));
    limit = limit || 1;
  }
  const signed = kind === "signed";
  const colours = signed ? ramp("negative", "zero", "positive") : ramp("paper", "stroke");
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < size; i++) {
    const share = signed ? 0.5 + values[offset + i] / limit / 2 : values[offset + i] / limit;
    const at = 4 * Math.round(255 * Math.min(1, Math.max(0, share)));
    image.data.set(colours.subarray(at, at + 4), 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/**
 * A heat map with a label for screen readers. Returns { element, canvas, draw(values, options) }.
 * `scale` is the size of a cell in CSS pixels; `caption` is shown below.
 */
export function heatmap({ rows, columns, label, scale = 4, kind = "signed", caption = "" }) {
  const canvas = el("canvas", { width: columns, height: rows, role: "img", "aria-label": label, style: { width: `${columns * scale}px` } });
  let last = null;
  const part = {
    canvas,
    element: el("figure", { class: "heat" }, canvas, caption ? el("figcaption", {}, caption) : null),
    draw(values, options = {}) {
      last = [values, options];
      paint(canvas, values, rows, columns, { kind, ...options });
    },
    redraw() {
      if (last) part.draw(...last);
    },
  };
  return part;
}

/** The legend of signed heat maps. */
export function scale(limit, unit = "") {
  return el("span", { class: "scale" }, `−${limit}${unit}`, el("i", { "aria-hidden": "true" }), `${limit}${unit}`);
}
