// Numbers of one example as a picture: maps side by side, neurons as cells, the steps of a sequence as rows.
import { paint } from "./heatmap.js";
import { el } from "./dom.js";
import { css } from "./theme.js";

const MOST = 64; // tiles

/** Tiles beside each other: `place(k, i, j)` is the index of the number in row i, column j of tile k. */
function tiled(count, height, width, place, { wide = 2.2, most = MOST } = {}) {
  const shown = Math.min(count, most);
  const gap = height * width > 1 ? 1 : 0;
  const perRow = Math.min(shown, Math.max(1, Math.round(Math.sqrt((shown * wide * height) / width))));
  const rows = Math.ceil(shown / perRow) * (height + gap) - gap;
  const columns = perRow * (width + gap) - gap;
  const cells = new Int32Array(rows * columns).fill(-1);
  for (let k = 0; k < shown; k++) {
    const top = Math.floor(k / perRow) * (height + gap);
    const left = (k % perRow) * (width + gap);
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) cells[(top + i) * columns + left + j] = place(k, i, j);
  }
  return { rows, columns, cells, left: count - shown };
}

/** How to show an output of this shape (without the batch axis). */
export function arrangeValues(shape) {
  if (shape.length === 3) return tiled(shape[2], shape[0], shape[1], (k, i, j) => (i * shape[1] + j) * shape[2] + k);
  if (shape.length === 2) return tiled(1, shape[0], shape[1], (k, i, j) => i * shape[1] + j);
  const n = shape[0];
  const columns = n <= 20 ? n : Math.ceil(Math.sqrt(n * 3));
  const rows = Math.ceil(n / columns);
  const cells = Int32Array.from({ length: rows * columns }, (_, i) => (i < n ? i : -1));
  return { rows, columns, cells, left: 0 };
}

/** A cell for each of n neurons, with gaps between them. */
export const arrangeCells = (n) => ({ ...tiled(n, 3, 3, (k) => k, { wide: 9, most: 400 }), span: 3 });

/** How to show weights: kernels, a picture per neuron where the input is one, else the matrix. Null for other arrays. */
export function arrangeWeights(shape, picture = null) {
  if (shape.length === 4) {
    const [height, width, channels, filters] = shape;
    const index = (i, j, c, f) => ((i * width + j) * channels + c) * filters + f;
    return tiled(filters * channels, height, width, (k, i, j) => index(i, j, Math.floor(k / filters), k % filters));
  }
  if (shape.length !== 2) return null;
  const [inner, out] = shape;
  if (picture && picture[0] * picture[1] === inner) {
    return tiled(out, picture[0], picture[1], (k, i, j) => (i * picture[1] + j) * out + k);
  }
  const flat = inner <= out; // the longer side lies
  const [rows, columns] = [Math.min(Math.min(inner, out), 96), Math.min(Math.max(inner, out), 288)];
  const cells = Int32Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    return flat ? r * out + c : c * out + r;
  });
  return { rows, columns, cells, left: flat ? out - columns : out - rows };
}

/**
 * A canvas of an arrangement. `onPick(index)` makes it a control: a click, or arrows, choose a number. With `toggles`
 * arrows only move, and space or a click chooses.
 * Returns { element, draw(values, { limit, kind, picked }) }.
 */
export function mosaic(arrangement, { label, width = 420, height = 300, most = 18, onPick = null, toggles = false }) {
  const { rows, columns, cells, span = 1 } = arrangement; // a number covers span × span cells
  const scale = Math.max(1, Math.min(most, Math.floor(width / columns), Math.floor(height / rows)));
  const canvas = el("canvas", {
    class: onPick ? "mosaic pick" : "mosaic",
    width: columns,
    height: rows,
    role: onPick ? "application" : "img",
    tabindex: onPick ? 0 : null,
    "aria-label": onPick ? `${label}. ${toggles ? "Arrows move, space switches." : "Arrows choose a number."}` : label,
  });
  const cursor = el("span", { class: "cursor", hidden: true, "aria-hidden": "true" });
  const element = el("div", { class: "mosaic-box", style: { width: `${columns * scale}px` } }, canvas, cursor);
  let [row, column] = [0, 0];

  function show(index) {
    const at = index === null || index === undefined ? -1 : cells.indexOf(index);
    cursor.hidden = at < 0;
    if (at < 0) return;
    [row, column] = [Math.floor(at / columns), at % columns];
    cursor.style.left = `${(100 * column) / columns}%`;
    cursor.style.top = `${(100 * row) / rows}%`;
    cursor.style.width = `${(100 * span) / columns}%`;
    cursor.style.height = `${(100 * span) / rows}%`;
    cursor.style.borderColor = css("accent");
  }

  function pick(r, c) {
    const index = cells[r * columns + c];
    if (index === undefined || index < 0) return;
    show(index);
    onPick(index);
  }

  if (onPick) {
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      pick(
        Math.floor(((event.clientY - box.top) / box.height) * rows),
        Math.floor(((event.clientX - box.left) / box.width) * columns),
      );
    });
    if (toggles) {
      canvas.addEventListener("focus", () => show(cells[row * columns + column]));
      canvas.addEventListener("blur", () => show(null));
    }
    canvas.addEventListener("keydown", (event) => {
      if (toggles && event.key === " ") {
        event.preventDefault();
        return pick(row, column);
      }
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      for (let n = 1; n < span + 2; n++) {
        // over the gap between two tiles
        const [r, c] = [row + n * step[0], column + n * step[1]];
        if (r < 0 || c < 0 || r >= rows || c >= columns) return;
        const index = cells[r * columns + c];
        if (index >= 0 && index !== cells[row * columns + column]) return toggles ? show(index) : pick(r, c);
      }
    });
  }

  const shown = new Float32Array(cells.length);
  return {
    element,
    draw(values, { limit = 0, kind = "signed", picked = null } = {}) {
      if (!limit) {
        for (const i of cells) if (i >= 0) limit = Math.max(limit, Math.abs(values[i]));
        limit = limit || 1;
      }
      for (let i = 0; i < cells.length; i++) shown[i] = cells[i] < 0 ? NaN : values[cells[i]]; // NaN stays transparent
      paint(canvas, shown, rows, columns, { kind, limit });
      if (!toggles) show(picked);
    },
  };
}
