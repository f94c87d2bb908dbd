// Break it: what an image and a network can lose before the answer changes.
import { damagedImage, damagedNetwork } from "../engine/damage.js";
import { shuffled } from "../engine/random.js";
import { argmax } from "../engine/tensor.js";
import { exampleImage } from "../examples.js";
import { batchOf, fitted, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, checkbox, select, slider } from "../ui/controls.js";
import { el, fill } from "../ui/dom.js";
import { heatmap, paint } from "../ui/heatmap.js";
import { arrangeCells, mosaic } from "../ui/mosaic.js";
import { percent } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { ensureImage, imagePanel } from "../ui/picker.js";
import { smallestChange } from "./break/smallest-change.js";

export const id = "break";
export const title = "Break it";
export const key = "5";
export const needsServer = false;

const WHOLE = { noise: 0, right: 0, down: 0, degrees: 0, rows: 0 };

export function mount(root, app) {
  const { network } = app;
  const head = screenHead(
    "Break it",
    "Disturb the image, switch neurons off, round the weights: what does the network still read?",
  );
  const why = whyNoImage(network);
  if (why) {
    root.append(head, panel({ title: "No image" }, el("p", {}, why)));
    return null;
  }
  ensureImage(app);
  const [height, width] = network.pictureShape;
  const examples = Array.from({ length: 10 }, (_, digit) => ({
    digit,
    pixels: fitted(network, { pixels: exampleImage(digit) }).pixels,
  }));

  let changes = { ...WHOLE };
  let broken = network;
  let waiting = false;

  const picture = imagePanel(app);
  const damaged = heatmap({
    rows: height,
    columns: width,
    kind: "ink",
    label: "The damaged image",
    scale: 224 / width,
  });
  const chart = bars(network.classNames, { title: "Output for the damaged image" });
  const said = el("p", { class: "sum", "aria-live": "polite" });
  const survivors = el("ul", { class: "survivors" });
  const count = el("p", { class: "small muted", id: "survivors" });

  const sliders = [
    ["noise", "Noise σ", 0, 1, 0.02, (x) => x.toFixed(2)],
    ["right", "Shift right", -10, 10, 1, (x) => `${x} px`],
    ["down", "Shift down", -10, 10, 1, (x) => `${x} px`],
    ["degrees", "Rotation", -180, 180, 5, (x) => `${x}°`],
    ["rows", "Missing rows", 0, height, 1, (x) => String(x)],
  ].map(([name, label, min, max, step, format]) => [
    name,
    slider({
      label,
      min,
      max,
      step,
      value: 0,
      format: (x) => format(x).replace("-", "−"),
      on: (value) => ((changes[name] = value), soon()),
    }),
  ]);

  const { steps } = network.forward(batchOf(network, fitted(network, app.image).pixels));
  const channels = (i) => steps[Number(i)].y.shape.at(-1);
  const inner = steps.slice(0, -1);
  const first = inner.findIndex(({ layer }) => Object.keys(layer.params).length || layer.value);
  const layer = select({
    label: "Layer",
    value: String(Math.max(0, first)),
    options: inner.map(({ layer: each }, i) => [String(i), `${i}  ${each}, ${channels(i)} outputs`]),
    on: () => {
      off.element.querySelector("input").max = channels(layer.value);
      offNeurons = [];
      rebuildSwitches();
      rebuild();
    },
  });
  const off = slider({
    label: "Neurons (or maps) off",
    min: 0,
    max: inner.length ? channels(layer.value) : 0,
    value: 0,
    format: (n) => (inner.length ? `${n} of ${channels(layer.value)}` : "0"),
    on: (n) => ((offNeurons = shuffled(channels(layer.value), 1).slice(0, n)), rebuild()),
  });
  let offNeurons = [];
  const switchBox = el("div", { class: "stack" });
  let switches = null;

  /** A cell for each neuron of the layer: a click switches it. */
  function rebuildSwitches() {
    switches = mosaic(arrangeCells(channels(layer.value)), {
      label: "The neurons of the layer, dark where one is on",
      width: 300,
      height: 160,
      most: 6,
      toggles: true,
      onPick(neuron) {
        offNeurons = offNeurons.includes(neuron)
          ? offNeurons.filter((each) => each !== neuron)
          : [...offNeurons, neuron];
        rebuild();
      },
    });
    fill(switchBox, switches.element);
  }
  const biases = checkbox({ label: "All biases removed", on: rebuild });
  const bits = slider({
    label: "Bits of each weight",
    min: 1,
    max: 17,
    value: 17,
    format: (n) => (n > 16 ? "32 (all)" : String(n)),
    on: rebuild,
  });

  function rebuild() {
    off.set(offNeurons.length);
    broken = damagedNetwork(network, {
      off: new Map([[Number(layer.value), offNeurons]]),
      biases: !biases.value,
      bits: bits.value > 16 ? 32 : bits.value,
    });
    soon();
  }

  const answer = (net, pixels) => net.forward(batchOf(net, pixels)).outputs.data;

  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  }

  function show() {
    const { pixels } = fitted(network, app.image);
    const hurt = damagedImage(pixels, [height, width], changes);
    damaged.draw(hurt, { limit: 1 });
    switches?.draw(
      Array.from({ length: channels(layer.value) }, (_, i) => (offNeurons.includes(i) ? 0.1 : 0.75)),
      { kind: "ink", limit: 1 },
    );
    const [whole, now] = [answer(network, pixels), answer(broken, hurt)];
    const [before, after] = [argmax(whole), argmax(now)];
    chart.set(now, { truth: app.image.label ?? before });
    const names = network.classNames;
    fill(
      said,
      before === after ? `Still read as ${names[before]}` : `Read as ${names[before]} before, now as ${names[after]}`,
      `: ${percent(whole[before])} → ${percent(now[before])}.`,
    );
    let left = 0;
    fill(
      survivors,
      examples.map(({ digit, pixels: each }) => {
        const image = damagedImage(each, [height, width], changes);
        const seen = argmax(answer(broken, image));
        left += Number(seen === digit);
        const canvas = el("canvas", { "aria-hidden": "true" });
        paint(canvas, image, height, width, { kind: "ink", limit: 1 });
        return el("li", { class: seen === digit ? null : "wrong" }, canvas, `${digit} → ${names[seen]}`);
      }),
    );
    count.textContent = `${left} of 10 example digits are still read correctly.`;
  }

  function reset() {
    changes = { ...WHOLE };
    sliders.forEach(([, part]) => part.set(0));
    offNeurons = [];
    bits.set(17);
    biases.set(false);
    rebuild();
  }

  const smallest = smallestChange([height, width], () => ({
    network: broken,
    pixels: fitted(network, app.image).pixels,
  }));

  root.append(
    el("div", { class: "row spread" }, head, button("Reset", { on: reset })),
    el(
      "div",
      { class: "panels" },
      picture.element,
      panel(
        {
          title: "Change the image",
          sentence: "Add noise, shift, rotate, or remove rows of ink.",
          docs: "augmentation.md",
          width: "third",
        },
        damaged.element,
        ...sliders.map(([, part]) => part.element),
      ),
      el(
        "div",
        { class: "third stack" },
        panel(
          {
            title: "Change the network",
            sentence:
              "Neurons off (their output is 0; click cells to choose them), biases removed, weights of few bits.",
            docs: "play.md",
          },
          inner.length ? [layer.element, off.element, switchBox] : null,
          biases.element,
          bits.element,
        ),
        panel(
          { title: "Answer", sentence: "✓ marks the right class, or the answer without the changes.", docs: "predict.md" },
          said,
          chart.element,
        ),
      ),
      panel(
        { title: "The ten example digits", sentence: "Each with the same changes.", docs: "play.md" },
        survivors,
        count,
      ),
      smallest.element,
    ),
  );
  if (inner.length) rebuildSwitches();
  show();
  const stops = [
    app.on("image", () => (smallest.clear(), show())),
    app.on("theme", show),
    picture.stop,
    smallest.clear,
  ];
  return () => stops.forEach((stop) => stop());
}
