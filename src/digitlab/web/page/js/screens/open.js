// Open up: one number of one layer as a worked example, the path of the largest contributions, saliency, occlusion.
import { argmax } from "../engine/tensor.js";
import { flattened, largestPath } from "../engine/saliency.js";
import { placeText } from "../engine/worked.js";
import { inputOf, whyNoImage } from "../input.js";
import { button, select } from "../ui/controls.js";
import { el, fill } from "../ui/dom.js";
import { arrangeValues, mosaic } from "../ui/mosaic.js";
import { sizes } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { ensureImage, imagePanel } from "../ui/picker.js";
import { whyPanel } from "./open/why.js";
import { workedExample } from "./open/worked-example.js";

export const id = "open";
export const title = "Open up";
export const key = "2";
export const needsServer = false;

export function mount(root, app) {
  const { network } = app;
  const head = screenHead(
    "Open up",
    "Choose a number of any layer and see how it is computed: every input, every weight, the sum.",
  );
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
    options: entries.map((entry) => [
      entry.name,
      `${"  ".repeat(entry.depth)}${entry.name}  ${entry.step.layer}  →  ${sizes(entry.step.y.shape.slice(1))}`,
    ]),
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
    if (at < 0) return (fill(path), fill(pathImage, "The path is shown for the outermost layers."));
    const found = largestPath(
      top.slice(0, at + 1).map((entry) => entry.step),
      index,
    );
    fill(
      path,
      found.path.map(({ step, index: place }) => {
        const entry = top.find((each) => each.step === step);
        return el(
          "li",
          {},
          button(`${entry.name} ${entry.step.layer.described.type}: ${placeText(step.y.shape, place)}`, {
            on: () => choose(entry.name, place),
          }),
        );
      }),
    );
    const [, width] = network.pictureShape;
    const channels = network.inputShape.reduce((a, b) => a * b) / (width * network.pictureShape[0]);
    const pixel = found.pixel === null ? null : Math.floor(found.pixel / channels);
    pathImage.textContent =
      pixel === null
        ? "The path ends at a layer whose numbers have no single inputs."
        : `It ends at the pixel in row ${Math.floor(pixel / width)}, column ${pixel % width}.`;
  }

  const why1 = whyPanel(
    app,
    () => (running += 1),
    () => running,
  );

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
        {
          title: "Layer",
          sentence: "Click a cell or a map's pixel; with the keyboard, arrows move.",
          docs: "see-inside.md",
          width: "two-thirds",
        },
        layers.element,
        picked,
      ),
      panel(
        {
          title: "How the number is computed",
          sentence: "The layer's formula with the numbers of this image.",
          docs: "see-explain.md",
          width: "half",
        },
        example,
      ),
      el(
        "div",
        { class: "half stack" },
        panel(
          {
            title: "Path of the largest contributions",
            sentence: "From this number back to the pixels, at each layer through the input with the largest contribution.",
            docs: "play.md",
          },
          path,
          pathImage,
        ),
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
