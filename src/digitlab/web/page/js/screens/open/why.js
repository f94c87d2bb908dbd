// Which pixels an answer depends on.
import { gradientSaliency, occlusion } from "../../engine/saliency.js";
import { argmax } from "../../engine/tensor.js";
import { batchOf, fitted, inputOf } from "../../input.js";
import { bars } from "../../ui/bars.js";
import { button, choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { heatmap } from "../../ui/heatmap.js";
import { percent } from "../../ui/numbers.js";
import { panel } from "../../ui/panel.js";

/** Which pixels the answer depends on: saliency, occlusion, and a brush that covers. */
export function whyPanel(app, begin, latest) {
  const { network } = app;
  const [height, width] = network.pictureShape;
  const map = heatmap({
    rows: height,
    columns: width,
    label: "Which pixels the answer depends on",
    scale: 224 / width,
  });
  const chart = bars(network.classNames, { title: "Answer for the covered image" });
  const about = el("p", { class: "small muted", "aria-live": "polite" });
  let covered = new Uint8Array(height * width);
  const size = slider({ label: "Size of the brush", min: 1, max: 11, step: 2, value: 5, format: (n) => `${n} × ${n}` });
  const mode = choice({
    label: "Show",
    hideLabel: true,
    value: "saliency",
    options: [
      ["saliency", "Saliency"],
      ["occlusion", "Occlusion"],
      ["brush", "Brush"],
    ],
    on: update,
  });
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
      map.draw(
        Float32Array.from(pixels, (_, i) =>
          slopes.subarray(i * channels, (i + 1) * channels).reduce((a, b) => a + b, 0),
        ),
      );
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
    const [row, column] = [
      Math.floor(((event.clientY - box.top) / box.height) * height),
      Math.floor(((event.clientX - box.left) / box.width) * width),
    ];
    const reach = Math.floor(size.value / 2);
    for (let i = Math.max(0, row - reach); i <= Math.min(height - 1, row + reach); i++) {
      for (let j = Math.max(0, column - reach); j <= Math.min(width - 1, column + reach); j++)
        covered[i * width + j] = 1;
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
