// Side by side: one drawing, several networks, what each of them reads and computes.
import { argmax } from "../engine/tensor.js";
import { centredDrawing } from "../engine/digits.js";
import { exampleStrokes } from "../examples.js";
import { batchOf, fitted } from "../input.js";
import { bars } from "../ui/bars.js";
import { button } from "../ui/controls.js";
import { el } from "../ui/dom.js";
import { drawing } from "../ui/drawing.js";
import { heatmap } from "../ui/heatmap.js";
import { ICONS } from "../ui/icons.js";
import { layerList } from "../ui/layers.js";
import { percent } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { exampleButtons } from "../ui/picker.js";

export const id = "gallery";
export const title = "Side by side";
export const key = "0";
export const needsServer = false;

const SIZE = 280;

export function mount(root, app) {
  const canvas = drawing({ size: SIZE, on: drawn });
  const seen = heatmap({ rows: 28, columns: 28, kind: "ink", label: "The image that the networks get", scale: 8 });
  const columns = app.networks.map(({ name, network }) => column(app, name, network));

  function drawn() {
    const form = canvas.empty ? null : centredDrawing(canvas.pixels(), SIZE, SIZE);
    if (!form) return;
    app.setImage(
      Float32Array.from(form.image, (byte) => byte / 255),
      { kind: "drawing", form, strokes: [...canvas.strokes] },
    );
  }

  function update() {
    if (!app.image) return;
    seen.draw(app.image.pixels, { limit: 1 });
    columns.forEach((each) => each.update(app.image));
  }

  root.append(
    screenHead(
      "Side by side",
      "One drawing, several networks: what does each read, and what does it compute on the way?",
    ),
    el(
      "div",
      { class: "panels" },
      panel(
        {
          title: "Your digit",
          sentence: "Mouse, pen or finger; with the keyboard, arrows and space.",
          docs: "play.md",
        },
        el(
          "div",
          { class: "gallery-draw" },
          canvas.element,
          el(
            "div",
            { class: "stack" },
            el(
              "div",
              { class: "row" },
              button("Undo", { path: ICONS.undo, on: () => canvas.undo() }),
              button("Clear", { path: ICONS.trash, on: () => canvas.clear() }),
            ),
            exampleButtons((digit) => canvas.load(exampleStrokes(digit, SIZE))),
            seen.element,
          ),
        ),
      ),
      columns.map((each) => each.element),
    ),
  );
  canvas.load(app.image?.strokes ?? exampleStrokes(3, SIZE));
  const stops = [
    app.on("image", update),
    app.on("theme", () => {
      canvas.redraw();
      columns.forEach((each) => each.redraw());
      update();
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

/** What one network reads, and its layers. */
function column(app, name, network) {
  const answer = el("b", {});
  const share = el("span", { class: "muted" });
  const chart = bars(network.classNames, { title: `Output of ${name}` });
  const list = layerList(network);
  const explore = () => {
    app.setNetwork(network, name);
    location.hash = "#/draw";
  };
  return {
    element: panel(
      { title: name, sentence: network.summary, width: "third" },
      el("p", { class: "answer", "aria-live": "polite" }, answer, share),
      chart.element,
      el("div", { class: "row" }, button("Explore it", { on: explore, label: `Explore ${name}` })),
      el("div", { class: "narrow" }, list.element),
    ),
    update(image) {
      const { outputs, steps } = network.forward(batchOf(network, fitted(network, image).pixels));
      const best = argmax(outputs.data);
      answer.textContent = network.classNames[best];
      share.textContent = percent(outputs.data[best]);
      chart.set(outputs.data);
      list.update(steps);
    },
    redraw: () => list.redraw(),
  };
}
