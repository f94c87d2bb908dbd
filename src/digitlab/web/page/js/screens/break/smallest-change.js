// The smallest change of an image that a network reads as another class.
import { fool } from "../../engine/damage.js";
import { argmax } from "../../engine/tensor.js";
import { batchOf } from "../../input.js";
import { button } from "../../ui/controls.js";
import { el, fill } from "../../ui/dom.js";
import { paint } from "../../ui/heatmap.js";
import { percent, short } from "../../ui/numbers.js";
import { panel } from "../../ui/panel.js";

/** A panel that searches. `at()` gives the network and the pixels. Returns { element, clear() }, which also stops. */
export function smallestChange([height, width], at) {
  const pictures = el("div", { class: "times" });
  const said = el("p", { class: "sum", "aria-live": "polite", id: "fooled" });
  let run = 0; // the number of the latest search

  const outputs = (network, pixels) => network.forward(batchOf(network, pixels)).outputs.data;

  function search() {
    const mine = ++run;
    const { network, pixels } = at();
    const before = argmax(outputs(network, pixels));
    const steps = fool(network, pixels);
    let found = false;
    said.textContent = "Searching…";
    const next = () => {
      if (mine !== run) return;
      const { value, done } = steps.next();
      if (!done) {
        found = true;
        show(network, pixels, value, before);
        setTimeout(next);
      } else if (!found) said.textContent = "No gradient leads away from this answer.";
    };
    setTimeout(next);
  }

  function show(network, pixels, { pixels: changed, seen, length }, before) {
    const change = changed.map((v, i) => v - pixels[i]);
    const most = change.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const figure = (values, caption, kind, limit) => {
      const canvas = el("canvas", { role: "img", "aria-label": caption });
      paint(canvas, values, height, width, { kind, limit });
      canvas.style.width = "8.5rem";
      return el("figure", { class: "heat" }, canvas, el("figcaption", {}, caption));
    };
    const names = network.classNames;
    fill(
      pictures,
      figure(pixels, `read as ${names[before]}`, "ink", 1),
      el("span", { class: "op" }, "+"),
      figure(change, `change, full colour ${short(most)}`, "signed", most),
      el("span", { class: "op" }, "="),
      figure(changed, `read as ${names[seen]}`, "ink", 1),
    );
    const [size, share] = [`√Σ change² = ${short(length)}`, percent(outputs(network, changed)[seen])];
    said.textContent =
      seen === before
        ? `${size}: still a ${names[seen]}, ${share}`
        : `A change of length ${size}, at most ${short(most)} of full ink in a pixel, makes it a ${names[seen]} (${share}).`;
  }

  return {
    element: panel(
      {
        title: "The smallest change of the image that changes the answer",
        sentence: "Step by step to the nearest decision boundary (DeepFool, Moosavi-Dezfooli et al. 2016).",
        docs: "play.md",
      },
      el("div", { class: "row" }, button("Search", { on: search, kind: "primary" })),
      pictures,
      said,
    ),
    clear() {
      run += 1;
      fill(pictures);
      fill(said);
    },
  };
}
