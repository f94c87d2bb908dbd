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

const LABEL = "Which pixels the answer depends on";

/** Which pixels the answer depends on: saliency, occlusion, and a brush that covers. */
export function whyPanel(app, begin, latest) {
  const { network } = app;
  const [height, width] = network.pictureShape;
  const map = heatmap({
    rows: height,
    columns: width,
    label: LABEL,
    scale: 224 / width,
  });
  const cursor = el("span", { class: "cursor", hidden: true, "aria-hidden": "true" });
  const place = { row: Math.floor(height / 2), column: Math.floor(width / 2) }; // of the brush, for the keyboard
  const chart = bars(network.classNames, { title: "Answer for the covered image" });
  const about = el("p", { class: "small muted", "aria-live": "polite" });
  let covered = new Uint8Array(height * width);
  const size = slider({ label: "Size of the brush", min: 1, max: 11, step: 2, value: 5, format: (n) => `${n} × ${n}`, on: () => showCursor() });
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
    useAsControl(brush);
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
      about.textContent = `Paint over the image, with the keyboard by arrows and space: what is blue is covered. The ${label} had ${percent(outputs.data[chosen])}, now ${percent(after[chosen])}.`;
    }
  }

  /** With the brush, the picture is a control: arrows move it, space covers. */
  function useAsControl(brush) {
    const { canvas } = map;
    canvas.classList.toggle("pick", brush);
    canvas.tabIndex = brush ? 0 : -1;
    canvas.setAttribute("role", brush ? "application" : "img");
    canvas.setAttribute("aria-label", brush ? `${LABEL}. Arrows move the brush, space covers.` : LABEL);
    showCursor();
  }

  function showCursor() {
    cursor.hidden = mode.value !== "brush" || document.activeElement !== map.canvas;
    const reach = Math.floor(size.value / 2);
    cursor.style.left = `${(100 * (place.column - reach)) / width}%`;
    cursor.style.top = `${(100 * (place.row - reach)) / height}%`;
    cursor.style.width = `${(100 * size.value) / width}%`;
    cursor.style.height = `${(100 * size.value) / height}%`;
  }

  function onPointer(event) {
    if (mode.value !== "brush" || !event.buttons) return;
    const box = map.canvas.getBoundingClientRect();
    cover(
      Math.floor(((event.clientY - box.top) / box.height) * height),
      Math.floor(((event.clientX - box.left) / box.width) * width),
    );
  }

  function onKey(event) {
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
    if (mode.value !== "brush" || (event.key !== " " && !down && !right)) return;
    event.preventDefault();
    place.row = Math.min(height - 1, Math.max(0, place.row + down));
    place.column = Math.min(width - 1, Math.max(0, place.column + right));
    if (event.key === " ") cover(place.row, place.column);
    else showCursor();
  }

  function cover(row, column) {
    const reach = Math.floor(size.value / 2);
    for (let i = Math.max(0, row - reach); i <= Math.min(height - 1, row + reach); i++) {
      for (let j = Math.max(0, column - reach); j <= Math.min(width - 1, column + reach); j++)
        covered[i * width + j] = 1;
    }
    update();
  }
  map.canvas.addEventListener("pointerdown", onPointer);
  map.canvas.addEventListener("pointermove", onPointer);
  map.canvas.addEventListener("keydown", onKey);
  map.canvas.addEventListener("focus", showCursor);
  map.canvas.addEventListener("blur", showCursor);
  map.canvas.style.touchAction = "pan-y";

  const element = panel(
    { title: "Why this answer", sentence: "Which pixels the network's answer depends on.", docs: "see-explain.md" },
    mode.element,
    el("div", { class: "row" }, el("div", { class: "mosaic-box" }, map.element, cursor)),
    about,
    size.element,
    reset,
    chart.element,
  );
  update();
  return { element, update, redraw: () => map.redraw(), stop: () => begin() };
}
