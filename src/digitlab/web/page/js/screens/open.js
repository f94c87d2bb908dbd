// Open up: one number of one layer as a worked example, the path of the largest contributions, saliency, occlusion.
import { argmax } from "../engine/tensor.js";
import { flattened, gradientSaliency, largestPath, occlusion } from "../engine/saliency.js";
import { placeText, worked } from "../engine/worked.js";
import { batchOf, fitted, inputOf, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, choice, select, slider } from "../ui/controls.js";
import { el, fill } from "../ui/dom.js";
import { heatmap, paint } from "../ui/heatmap.js";
import { arrangeValues, mosaic } from "../ui/mosaic.js";
import { percent, short, sizes } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { ensureImage, imagePanel } from "../ui/picker.js";

export const id = "open";
export const title = "Open up";
export const key = "2";
export const needsServer = false;

const MOST_TERMS = 12;

export function mount(root, app) {
  const { network } = app;
  const head = screenHead("Open up", "Choose a number of any layer and see how it came about: every input, every weight, the sum.");
  const why = whyNoImage(network);
  if (why) {
    root.append(head, panel({ title: "No image" }, el("p", {}, why)));
    return null;
  }
  ensureImage(app);

  let entries = [...flattened(network.forward(inputOf(app)).steps)];
  const last = String(network.layers.length - 1);
  let name = entries.some((entry) => entry.name === app.state.get("layer")) ? app.state.get("layer") : last;
  let index = null;
  let map = null;
  let running = 0; // the number of the latest occlusion map

  const picture = imagePanel(app);
  const example = el("div", { class: "stack" });
  const path = el("ul", { class: "chain" });
  const pathImage = el("p", { class: "small muted" });
  const picked = el("div", { class: "stack" });
  const layers = select({
    label: "Layer",
    value: name,
    options: entries.map((entry) => [entry.name, `${"  ".repeat(entry.depth)}${entry.name}  ${entry.step.layer}  →  ${sizes(entry.step.y.shape.slice(1))}`]),
    on: (chosen) => choose(chosen, null),
  });

  const stepOf = () => entries.find((entry) => entry.name === name).step;

  function choose(nextName, nextIndex) {
    const changed = nextName !== name || !map;
    name = nextName;
    layers.set(name);
    const { y } = stepOf();
    index = nextIndex ?? argmax(y.data);
    app.state.set({ layer: name, index });
    if (changed) {
      map = mosaic(arrangeValues(y.shape.slice(1)), {
        label: `Output of layer ${name}, ${stepOf().layer}`,
        width: 640,
        height: 420,
        most: 26,
        onPick: (i) => choose(name, i),
      });
      fill(picked, map.element);
    }
    show();
  }

  function show() {
    const step = stepOf();
    map.draw(step.y.data, { picked: index });
    fill(example, workedExample(network, name, step, index));
    showPath();
  }

  function showPath() {
    const top = entries.filter((entry) => entry.depth === 0);
    const at = top.findIndex((entry) => entry.name === name);
    if (at < 0) return fill(path), fill(pathImage, "The path is shown for the outermost layers.");
    const found = largestPath(top.slice(0, at + 1).map((entry) => entry.step), index);
    fill(
      path,
      found.path.map(({ step, index: place }) => {
        const entry = top.find((each) => each.step === step);
        return el("li", {}, button(`${entry.name} ${entry.step.layer.described.type}: ${placeText(step.y.shape, place)}`, { on: () => choose(entry.name, place) }));
      }),
    );
    const [, width] = network.pictureShape;
    const channels = network.inputShape.reduce((a, b) => a * b) / (width * network.pictureShape[0]);
    const pixel = found.pixel === null ? null : Math.floor(found.pixel / channels);
    pathImage.textContent = pixel === null ? "The path ends at a layer whose numbers have no single inputs." : `It ends at the pixel in row ${Math.floor(pixel / width)}, column ${pixel % width}.`;
  }

  const why1 = whyPanel(app, () => (running += 1), () => running);

  function newImage() {
    entries = [...flattened(network.forward(inputOf(app)).steps)];
    show();
    why1.update();
  }

  root.append(
    head,
    el(
      "div",
      { class: "panels" },
      picture.element,
      panel(
        { title: "Layer", sentence: "Click a cell or a map's pixel; with the keyboard, arrows move.", docs: "see-inside.md", width: "two-thirds" },
        layers.element,
        picked,
      ),
      panel({ title: "The number, worked out", sentence: "As in an example by hand, with this image's numbers.", docs: "see-explain.md", width: "half" }, example),
      el(
        "div",
        { class: "half stack" },
        panel({ title: "Path of the largest contributions", sentence: "From this number back to the pixels, each time to the input that adds most to it.", docs: "play.md" }, path, pathImage),
        why1.element,
      ),
    ),
  );
  const given = Number(app.state.get("index", -1));
  const count = stepOf().y.data.length;
  choose(name, Number.isInteger(given) && given >= 0 && given < count ? given : null);
  const stops = [
    app.on("image", newImage),
    app.on("theme", () => {
      show();
      why1.redraw();
    }),
    picture.stop,
    why1.stop,
  ];
  return () => stops.forEach((stop) => stop());
}

/** The formula, the code, the numbers, and what they give. */
function workedExample(network, name, step, index) {
  const { layer, x, y } = step;
  const found = worked(step, index);
  const { formulas, python } = layer.constructor;
  return [
    el("p", {}, el("b", {}, placeText(y.shape, index)), ` of layer ${name}, ${layer}`),
    el("p", { class: "formula" }, formulas.forward),
    el("p", { class: "small muted" }, "computed by ", el("code", {}, `${python}, ${layer.described.type}.forward`)),
    ...(found.terms.length > 1 ? windowPictures(network, step, found) : []),
    found.parts.length ? partsTable(found.parts) : null,
    found.terms.length > 1 ? termsTable(x, found) : null,
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
  const sum = (key) => Float32Array.from({ length: perChannel }, (_, p) => {
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
      channels > 1 ? null : [figure(sum("x"), "inputs"), el("span", { class: "op" }, "×"), figure(sum("w"), "weights"), el("span", { class: "op" }, "=")],
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

function termsTable(x, { terms, rule }) {
  const shown = [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, MOST_TERMS);
  const weighted = rule !== "largest";
  const rest = terms.length - shown.length;
  const left = terms.reduce((sum, each) => sum + each.product, 0) - shown.reduce((sum, each) => sum + each.product, 0);
  const rows = shown.map((each) =>
    el("tr", {}, el("td", {}, placeText(x.shape, each.place)), el("td", { class: "number" }, short(each.x)), weighted ? [el("td", { class: "number" }, short(each.w)), el("td", { class: "number" }, short(each.product))] : null),
  );
  if (rest > 0 && weighted) rows.push(el("tr", {}, el("td", {}, `${rest.toLocaleString("en")} more`), el("td"), el("td"), el("td", { class: "number" }, short(left))));
  const heads = weighted ? ["input", "x", "w", "x w"] : ["input", "x"];
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "The largest terms" },
    el("table", { class: "compact" }, el("thead", {}, el("tr", {}, heads.map((text, i) => el("th", { class: i ? "number" : null, scope: "col" }, text)))), el("tbody", {}, rows)),
  );
}

function partsTable(parts) {
  return el("table", { class: "compact" }, el("tbody", {}, parts.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "number" }, short(value))))));
}

function sumLine({ rule, terms, bias, sum, y, slope, applied }, layer) {
  const result = el("b", {}, short(y));
  if (rule === "sum") {
    return [`Σ x w = ${short(sum - (bias ?? 0))}`, bias === null ? "" : `,  + b = ${short(bias)}`, ",  y = ", result];
  }
  if (rule === "largest") return [`the largest of ${terms.length}: y = `, result];
  if (rule === "mean") return [`the mean of ${terms.length}: y = `, result];
  if (rule === "f(x)") return [`x = ${short(sum)},  y = ${applied ?? layer.described.type}(x) = `, result, slope === undefined ? "" : `,  slope f′(x) = ${short(slope)}`];
  if (rule === "see the layers inside") return ["Its layers are in the list above: choose one of them.  y = ", result];
  return [rule === "the same number" ? "passed on: y = " : "y = ", result];
}

/** Which pixels the answer depends on: saliency, occlusion, and a brush that covers. */
function whyPanel(app, begin, latest) {
  const { network } = app;
  const [height, width] = network.pictureShape;
  const map = heatmap({ rows: height, columns: width, label: "Which pixels the answer depends on", scale: 224 / width });
  const chart = bars(network.classNames, { title: "Answer for the covered image" });
  const about = el("p", { class: "small muted", "aria-live": "polite" });
  let covered = new Uint8Array(height * width);
  const size = slider({ label: "Size of the brush", min: 1, max: 11, step: 2, value: 5, format: (n) => `${n} × ${n}` });
  const mode = choice({ label: "Show", hideLabel: true, value: "saliency", options: [["saliency", "Saliency"], ["occlusion", "Occlusion"], ["brush", "Brush"]], on: update });
  const reset = button("Uncover", { on: () => ((covered = new Uint8Array(height * width)), update()) });

  function answer() {
    const { outputs } = network.forward(inputOf(app));
    return { chosen: argmax(outputs.data), outputs };
  }

  function update() {
    const mine = begin();
    const { chosen, outputs } = answer();
    const label = network.classNames[chosen];
    const brush = mode.value === "brush";
    chart.element.hidden = size.element.hidden = reset.hidden = !brush;
    map.canvas.classList.toggle("pick", brush);
    if (mode.value === "saliency") {
      const { pixels } = fitted(network, app.image);
      const slopes = gradientSaliency(network, inputOf(app), chosen);
      const channels = slopes.length / pixels.length;
      map.draw(Float32Array.from(pixels, (_, i) => slopes.subarray(i * channels, (i + 1) * channels).reduce((a, b) => a + b, 0)));
      about.textContent = `∂z/∂x for the ${label}: orange where more ink speaks for it, blue where it speaks against it.`;
    } else if (mode.value === "occlusion") {
      about.textContent = `How much the output for the ${label} falls when 5 × 5 pixels around each one are covered.`;
      const rows = occlusion(network, inputOf(app), chosen);
      const next = () => {
        if (mine !== latest()) return;
        const { value, done } = rows.next();
        if (done) return;
        map.draw(value.falls);
        setTimeout(next);
      };
      next();
    } else {
      const pixels = Float32Array.from(fitted(network, app.image).pixels, (v, i) => (covered[i] ? 0 : v));
      const canvas = Float32Array.from(pixels, (v, i) => (covered[i] ? -0.5 : v));
      map.draw(canvas, { limit: 1 });
      const after = network.forward(batchOf(network, pixels)).outputs.data;
      chart.set(after);
      about.textContent = `Paint over the image: what is blue is covered. The ${label} had ${percent(outputs.data[chosen])}, now ${percent(after[chosen])}.`;
    }
  }

  function cover(event) {
    if (mode.value !== "brush" || !event.buttons) return;
    const box = map.canvas.getBoundingClientRect();
    const [row, column] = [Math.floor(((event.clientY - box.top) / box.height) * height), Math.floor(((event.clientX - box.left) / box.width) * width)];
    const reach = Math.floor(size.value / 2);
    for (let i = Math.max(0, row - reach); i <= Math.min(height - 1, row + reach); i++) {
      for (let j = Math.max(0, column - reach); j <= Math.min(width - 1, column + reach); j++) covered[i * width + j] = 1;
    }
    update();
  }
  map.canvas.addEventListener("pointerdown", cover);
  map.canvas.addEventListener("pointermove", cover);
  map.canvas.style.touchAction = "pan-y";

  const element = panel(
    { title: "Why this answer", sentence: "Which pixels the network's answer depends on.", docs: "see-explain.md" },
    mode.element,
    el("div", { class: "row" }, map.element),
    about,
    size.element,
    reset,
    chart.element,
  );
  update();
  return { element, update, redraw: () => map.redraw(), stop: () => begin() };
}
