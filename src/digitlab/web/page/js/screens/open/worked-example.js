// One number of a layer as a worked example: its formula, the code, inputs × weights, the sum.
import { placeText, worked } from "../../engine/worked.js";
import { el } from "../../ui/dom.js";
import { paint } from "../../ui/heatmap.js";
import { short } from "../../ui/numbers.js";

const MOST_TERMS = 12;

/** The formula, the code, the numbers, and what they give. */
export function workedExample(network, name, step, index) {
  const { layer, x, y } = step;
  const found = worked(step, index);
  const { formulas, python } = layer.constructor;
  return [
    el("p", {}, el("b", {}, placeText(y.shape, index)), ` of layer ${name}, ${layer}`),
    el("p", { class: "formula" }, formulas.forward),
    el("p", { class: "small muted" }, "computed by ", el("code", {}, `${python}, ${layer.described.type}.forward`)),
    ...(found.terms.length > 1 ? windowPictures(network, step, found) : []),
    found.parts.length ? partsTable(found.parts) : null,
    found.rule === "gates" ? el("h3", {}, "xₜ W of what is new, term by term") : null,
    found.terms.length > 1 ? termsTable((place) => inputText(network, name, x, place), found) : null,
    el("p", { class: "sum", id: "sum" }, ...sumLine(found, layer)),
  ];
}

/** Inputs × weights = products as pictures, where they are a window of a picture or a whole one. */
function windowPictures(network, step, { terms, rule }) {
  const size = terms.length;
  const channels = step.x.shape.length === 4 ? step.x.shape[3] : 1;
  const [height, width] = shapeOfTerms(network, step, size, channels);
  if (!height) return [];
  const perChannel = size / channels;
  const sum = (key) =>
    Float32Array.from({ length: perChannel }, (_, p) => {
      let total = 0;
      for (let c = 0; c < channels; c++) total += terms[p * channels + c][key];
      return total;
    });
  const figure = (values, caption) => {
    const canvas = el("canvas", { role: "img", "aria-label": caption });
    paint(canvas, values, height, width);
    canvas.style.width = `${Math.min(9, Math.max(4.5, width * 0.4))}rem`;
    return el("figure", { class: "heat" }, canvas, el("figcaption", {}, caption));
  };
  const many = channels > 1 ? `, Σ of ${channels} channels` : "";
  if (rule !== "sum") return [el("div", { class: "times" }, figure(sum("x"), "the window"))];
  return [
    el(
      "div",
      { class: "times" },
      channels > 1
        ? null
        : [
            figure(sum("x"), "inputs"),
            el("span", { class: "op" }, "×"),
            figure(sum("w"), "weights"),
            el("span", { class: "op" }, "="),
          ],
      figure(sum("product"), `products${many}`),
    ),
  ];
}

function shapeOfTerms(network, step, size, channels) {
  const kernel = step.cache?.windows?.kernel ?? (step.layer.windows ? step.layer.windows(step.x.shape).kernel : null);
  if (kernel && kernel[0] * kernel[1] * channels === size) return kernel;
  const [height, width] = network.pictureShape;
  return height * width === size && step.x.data.length === size ? [height, width] : [0, 0];
}

/** Where an input is: for the first layer its pixel. */
function inputText(network, name, x, place) {
  const [height, width, channels = 1] = network.pictureShape;
  if (name !== "0" || height === 1 || x.data.length !== height * width * channels) return placeText(x.shape, place);
  const pixel = Math.floor(place / channels);
  const where = `row ${Math.floor(pixel / width)}, column ${pixel % width}`;
  return channels > 1 ? `${where}, channel ${place % channels}` : where;
}

function termsTable(textOf, { terms, rule }) {
  const shown = [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, MOST_TERMS);
  const weighted = rule !== "largest";
  const rest = terms.length - shown.length;
  const left = terms.reduce((sum, each) => sum + each.product, 0) - shown.reduce((sum, each) => sum + each.product, 0);
  const rows = shown.map((each) =>
    el(
      "tr",
      {},
      el("td", {}, textOf(each.place)),
      el("td", { class: "number" }, short(each.x)),
      weighted
        ? [el("td", { class: "number" }, short(each.w)), el("td", { class: "number" }, short(each.product))]
        : null,
    ),
  );
  if (rest > 0 && weighted)
    rows.push(
      el(
        "tr",
        {},
        el("td", {}, `${rest.toLocaleString("en")} more`),
        el("td"),
        el("td"),
        el("td", { class: "number" }, short(left)),
      ),
    );
  const heads = weighted ? ["input", "x", "w", "x w"] : ["input", "x"];
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "The largest terms" },
    el(
      "table",
      { class: "compact" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((text, i) => el("th", { class: i ? "number" : null, scope: "col" }, text)),
        ),
      ),
      el("tbody", {}, rows),
    ),
  );
}

function partsTable(parts) {
  return el(
    "table",
    { class: "compact" },
    el(
      "tbody",
      {},
      parts.map(([name, value]) =>
        el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "number" }, short(value))),
      ),
    ),
  );
}

function sumLine({ rule, terms, bias, sum, y, slope, applied }, layer) {
  const result = el("b", {}, short(y));
  if (rule === "sum") {
    return [`Σ x w = ${short(sum - (bias ?? 0))}`, bias === null ? "" : `,  + b = ${short(bias)}`, ",  y = ", result];
  }
  if (rule === "largest") return [`the largest of ${terms.length}: y = `, result];
  if (rule === "mean") return [`the mean of ${terms.length}: y = `, result];
  if (rule === "f(x)")
    return [
      `x = ${short(sum)},  y = ${applied ?? layer.described.type}(x) = `,
      result,
      slope === undefined ? "" : `,  slope f′(x) = ${short(slope)}`,
    ];
  if (rule === "see the layers inside") return ["Its layers are in the list above: choose one of them.  y = ", result];
  return [rule === "the same number" ? "passed on: y = " : "y = ", result];
}
