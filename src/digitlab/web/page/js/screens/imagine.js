// Imagine: what a digit looks like to the network, in three ways, growing step by step.
import { ascend, inverseQuery, linearBack, whyNoChain } from "../engine/imagine.js";
import { argmax } from "../engine/tensor.js";
import { batchOf, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, slider } from "../ui/controls.js";
import { el, fill } from "../ui/dom.js";
import { heatmap, paint } from "../ui/heatmap.js";
import { ICONS } from "../ui/icons.js";
import { percent, short } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";

export const id = "imagine";
export const title = "Imagine";
export const key = "8";
export const needsServer = false;

const STEPS = 120;

export function mount(root, app) {
  const { network } = app;
  const head = screenHead(
    "Imagine",
    "What does a digit look like to this network? Three methods compute a picture from an answer.",
  );
  const why = whyNoImage(network);
  if (why || network.classNames.length < 2) {
    root.append(
      head,
      panel({ title: "Nothing to imagine" }, el("p", {}, why || "This network has one output and no classes.")),
    );
    return null;
  }
  let digit = Number(app.state.get("digit", 3));
  if (!(digit in network.classNames)) digit = 0;
  const buttons = network.classNames.map((name, i) =>
    button(name, { on: () => choose(i), label: `Imagine ${name}`, "aria-pressed": "false" }),
  );
  const chain = whyNoChain(network);
  const ways = [
    ascentPanel(app, chain ? "two-thirds" : "third"),
    chainPanel(
      app,
      "Linear inversion",
      "A one-hot output multiplied by the transposed weights: orange is evidence for the digit, blue against it.",
      linearBack,
      "signed",
      chain,
    ),
    chainPanel(
      app,
      "Inverse query",
      "The output through the inverse of each activation and the transposed weights (Rashid's backquery).",
      inverseQuery,
      "ink",
      chain,
    ),
  ];

  function choose(next) {
    digit = next;
    app.state.set({ digit });
    buttons.forEach((each, i) => each.setAttribute("aria-pressed", String(i === digit)));
    ways.forEach((way) => way.start(digit));
  }

  root.append(
    head,
    el("div", { class: "row examples-row" }, buttons),
    el(
      "div",
      { class: "panels" },
      chain
        ? [ways[0].element, el("div", { class: "third stack" }, ways[1].element, ways[2].element)]
        : ways.map((way) => way.element),
    ),
  );
  choose(digit);
  const stop = app.on("theme", () => ways.forEach((way) => way.redraw()));
  return () => {
    stop();
    ways.forEach((way) => way.stop());
  };
}

/** What the network reads in a picture of values 0 … 1. */
function reading(network, pixels) {
  const outputs = network.forward(batchOf(network, pixels)).outputs.data;
  const first = argmax(outputs);
  return { outputs, text: `read as ${network.classNames[first]}, ${percent(outputs[first])}` };
}

function ascentPanel(app, wide) {
  const { network } = app;
  const [height, width, channels = 1] = network.pictureShape;
  const map = heatmap({
    rows: height,
    columns: width,
    kind: "ink",
    label: "The picture of the ascent",
    scale: 280 / width,
  });
  const said = el("p", { class: "sum", id: "ascent" });
  const chart = bars(network.classNames, { title: "Output for this picture" });
  let pictures = [];
  let steps = null;
  let digit = 0;
  let seed = 0;
  let playing = false;
  const at = slider({
    label: "Step",
    min: 0,
    max: STEPS,
    value: 0,
    format: (n) => `${n} of ${STEPS}`,
    on: (n) => (pause(), show(Math.min(n, pictures.length - 1))),
  });
  const play = button("Pause", { path: ICONS.pause, on: () => (playing ? pause() : resume()) });

  function grey(picture) {
    if (channels === 1) return Float32Array.from(picture);
    return Float32Array.from(
      { length: height * width },
      (_, i) => picture.slice(i * channels, (i + 1) * channels).reduce((a, b) => a + b) / channels,
    );
  }

  function show(step) {
    const { picture, lead } = pictures[step];
    map.draw(grey(picture), { limit: 1 });
    const { outputs, text } = channels === 1 ? reading(network, Float32Array.from(picture)) : reading(network, picture);
    chart.set(outputs, { truth: digit });
    fill(said, `J = ${short(lead)}: `, el("b", {}, text));
    at.set(step);
  }

  function grow() {
    if (!playing) return;
    const { value, done } = steps.next();
    if (done) return pause();
    pictures.push(value);
    show(pictures.length - 1);
    requestAnimationFrame(grow);
  }

  function label(text, path) {
    fill(play, ...button(text, { path }).childNodes);
  }
  function pause() {
    playing = false;
    label(pictures.length > STEPS ? "Again" : "Go on", ICONS.play);
  }
  function resume() {
    if (pictures.length > STEPS) return part.start(digit);
    playing = true;
    label("Pause", ICONS.pause);
    grow();
  }

  const part = {
    element: panel(
      {
        title: "Gradient ascent",
        sentence:
          "From smoothed noise, each step changes the pixels so that the digit's lead J over all others grows; little ink and smooth pictures are preferred.",
        docs: "see-imagine.md",
        width: wide,
      },
      el(
        "div",
        { class: wide === "third" ? "stack" : "before-after" },
        el(
          "div",
          { class: "stack" },
          map.element,
          at.element,
          el("div", { class: "row" }, play, button("Another start", { on: () => ((seed += 1), part.start(digit)) })),
        ),
        el(
          "div",
          { class: "stack" },
          said,
          chart.element,
          el("p", { class: "formula" }, "J = z_d − ln Σ_{k≠d} e^{z_k}\nx ← x + η (∂J/∂x / max |∂J/∂x| − penalties)"),
        ),
      ),
    ),
    start(next) {
      digit = next;
      pictures = [];
      steps = ascend(network, digit, { steps: STEPS, seed });
      const running = playing;
      playing = true;
      label("Pause", ICONS.pause);
      if (running) pictures.push(steps.next().value);
      else grow();
    },
    redraw: () => pictures.length && show(Math.min(at.value, pictures.length - 1)),
    stop: () => (playing = false),
  };
  return part;
}

/** One of the two ways through the transposed weights: every signal on the way, the picture last. */
function chainPanel(app, title, sentence, way, kind, why) {
  const { network } = app;
  const [height, width] = network.pictureShape;
  const map = heatmap({
    rows: height,
    columns: width,
    kind,
    label: `The picture of the ${title.toLowerCase()}`,
    scale: 280 / width,
  });
  const said = el("p", { class: "sum" });
  const stages = el("ol", { class: "layers" });
  let digit = 0;
  let timer = null;

  function start(next) {
    digit = next;
    clearTimeout(timer);
    if (why) return;
    const signals = [...way(network, digit)];
    fill(stages);
    const grow = (i) => {
      const { name, signal } = signals[i];
      stages.append(el("li", { class: "stage" }, el("span", { class: "small" }, name), cells(signal, name)));
      if (i + 1 < signals.length) timer = setTimeout(() => grow(i + 1), 250);
      else finish(signal);
    };
    map.draw(new Float32Array(height * width));
    fill(said);
    grow(0);
  }

  function finish(signal) {
    map.draw(Float32Array.from(signal), { limit: kind === "ink" ? 1 : 0 });
    const [low, high] = [Math.min(...signal), Math.max(...signal)];
    const pixels = Float32Array.from(signal, (v) => (v - low) / (high - low || 1));
    fill(said, el("b", {}, reading(network, pixels).text));
  }

  const part = {
    element: panel(
      { title, sentence, docs: "see-imagine.md", width: "third" },
      why ? el("p", { class: "note" }, `This method ${why}`) : [map.element, said, el("h3", {}, "Intermediate results"), stages],
    ),
    start,
    redraw: () => part.start(digit),
    stop: () => clearTimeout(timer),
  };
  return part;
}

/** A signal as a row of cells, or as a picture if it is long. */
function cells(signal, name) {
  const columns = signal.length > 40 ? Math.ceil(Math.sqrt(signal.length)) : signal.length;
  const rows = Math.ceil(signal.length / columns);
  const values = new Float32Array(rows * columns);
  values.set(signal);
  const canvas = el("canvas", { class: "mosaic", role: "img", "aria-label": `Signal at the ${name}` });
  paint(canvas, values, rows, columns);
  canvas.style.width = `${rows > 1 ? 5 : Math.min(14, columns * 0.9)}rem`;
  return canvas;
}
