// What a training shows while it learns: weights as pictures, the confusion matrix, the most confident errors.
import { el, fill } from "../../ui/dom.js";
import { paint } from "../../ui/heatmap.js";
import { css } from "../../ui/theme.js";

const MOST = 32;
const NOTHING = "Nothing yet: press Train.";
const note = (tag, text) => el(tag, { class: "small muted nothing" }, text);

/** The first layer's weights as pictures, one a neuron or filter: [{ values, rows, columns, label }, …]. */
export function weightPictures(network) {
  for (const [name, layer] of network.namedLayers()) {
    const W = layer.params.W;
    if (!W) continue;
    if (W.shape.length === 4) {
      const [rows, columns, channels, filters] = W.shape;
      return Array.from({ length: Math.min(filters, MOST) }, (_, f) => ({
        values: Float32Array.from({ length: rows * columns }, (_, i) => W.data[i * channels * filters + f]),
        rows,
        columns,
        label: `filter ${f} of layer ${name}`,
      }));
    }
    if (W.shape.length !== 2 || name !== "0") return [];
    const [rows, columns] = network.pictureShape;
    if (rows * columns !== W.shape[0]) return [];
    return Array.from({ length: Math.min(W.shape[1], MOST) }, (_, j) => ({
      values: Float32Array.from({ length: W.shape[0] }, (_, i) => W.data[i * W.shape[1] + j]),
      rows,
      columns,
      label: `weights of neuron ${j}`,
    }));
  }
  return [];
}

/** Pictures of the weights; canvases are kept while their number stays the same. */
export function weightsView() {
  const element = el("div", { class: "weights" });
  return {
    element,
    draw(network) {
      if (!network) return fill(element, note("p", NOTHING));
      const pictures = weightPictures(network);
      if (!pictures.length) return fill(element, note("p", "The weights of this network's first layer do not form pictures."));
      if (element.querySelectorAll("canvas").length !== pictures.length)
        fill(element, pictures.map(({ label }) => el("canvas", { role: "img", "aria-label": label })));
      pictures.forEach(({ values, rows, columns }, i) => paint(element.children[i], values, rows, columns));
    },
  };
}

/** The confusion matrix as a table: true classes in rows, errors shaded; with `onCell(true, answer)` they are buttons. */
export function confusionView(onCell = null) {
  const element = el("div", { class: "scroll" });
  return {
    element,
    draw(counts, names) {
      if (!counts) return fill(element, note("p", NOTHING));
      const most = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => i !== j)));
      const shade = (count, i, j) => (i === j ? { background: css("good", 0.14) } : { background: css("positive", 0.55 * (count / most)) });
      fill(element, el("table", { class: "confusion" },
        el("caption", { class: "hidden-text" }, "Confusion matrix: true classes in rows, answers in columns"),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "true"), names.map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, counts.map((row, i) => el("tr", {}, el("th", { scope: "row" }, names[i]),
          row.map((count, j) => el("td", { style: shade(count, i, j), class: i === j ? "right" : null },
            count && i !== j && onCell ? el("button", { type: "button", "aria-label": `${count} images of ${names[i]} taken for ${names[j]}`, onclick: () => onCell(i, j) }, String(count)) : count ? String(count) : "")))))));
    },
  };
}

/** Bytes of an image in base64. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** An image of the server on a canvas. */
export function imageCanvas({ pixels, shape }, label) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  paint(canvas, bytesOf(pixels), shape[0], shape[1], { kind: "ink", limit: 255 });
  return canvas;
}

/** Images that were taken for another class; `onImage(failure)` is called on a click. */
export function failuresView(onImage) {
  const element = el("ul", { class: "failures" });
  return {
    element,
    draw(failures, names) {
      if (!failures?.length) return fill(element, note("li", failures ? "No image is misclassified." : NOTHING));
      fill(element, failures.map((failure) => {
        const text = `${names[failure.label]} taken for ${names[failure.predicted]}, ${(100 * failure.confidence).toFixed(0)} %`;
        return el("li", {}, el("button", { type: "button", title: text, onclick: () => onImage(failure) }, imageCanvas(failure, text), el("span", { class: "number" }, `${names[failure.label]} → ${names[failure.predicted]}`)));
      }));
    },
  };
}
