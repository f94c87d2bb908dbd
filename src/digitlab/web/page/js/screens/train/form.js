// The controls of one training's settings.
import { el, fill } from "../../ui/dom.js";
import { button, checkbox, choice, numberField, select, slider } from "../../ui/controls.js";
import { layerBuilder } from "./layers.js";
import { SETS, encodePoints, readCsv } from "./points.js";
import { ACTIVATIONS, KINDS, LOSSES, OPTIMIZERS, defaults } from "./settings.js";

const wide = (element) => {
  element.classList.add("wide");
  return element;
};

/** What decides which controls there are, and what they say about each other. */
const structure = ({ kind, source, set, points, layers, start, rate }) => JSON.stringify([kind, source, set, points, layers, start, !rate]);

/**
 * Returns { element, show(settings) }. `on(settings, { live, redraw })` is called with the new settings: `live` is "rate" if
 * only the learning rate changed, which a training under way takes; with `redraw` false the form shows them already.
 * `app.about.sources` names the data sets and `app.about.own` the own digits.
 */
export function settingsForm(app, on) {
  const element = el("div", { class: "stack" });
  let s = null;
  /** Settings as a control changed them. The other controls are drawn again only where they differ: a slider that is
   * replaced while someone drags it stops. */
  function change(changes) {
    const before = structure(s);
    s = { ...s, ...changes };
    on(s, { redraw: structure(s) !== before });
  }
  const builder = layerBuilder((layers) => change({ layers }));
  const [activation, more] = [el("div"), el("div", { class: "stack" })];
  const folded = [ // kept, so that they stay open
    el("details", { open: true }, el("summary", {}, "Layers"), el("div", { class: "stack" }, builder.element, activation)),
    el("details", {}, el("summary", {}, "Regularization, batch, epochs, seed"), more),
  ];

  const number = (label, name, options) => numberField({ label, value: s[name], on: (v) => change({ [name]: v }), ...options }).element;

  function dataControls() {
    if (s.kind === "images") {
      const sources = [
        ...app.about.sources.map((name) => [name, { mnist: "MNIST, 28×28", digits: "scikit-learn's digits, 8×8" }[name] ?? name]),
        ...app.about.own.map(({ name, count }) => [`own/${name}`, `my digits: ${name} (${count})`]),
      ];
      return [
        wide(select({ label: "Images", options: sources, value: s.source, on: (source) => change({ source }) }).element),
        wide(number("Number of images (0 = all)", "size", { max: 60000, step: 500 })),
        checkbox({ label: "Shift and rotate in each epoch", value: Boolean(s.augment), on: (v) => change({ augment: v ? 1 : 0 }) }).element,
        checkbox({ label: `Start from ${app.networkName} (fine-tuning)`, value: Boolean(s.start), on: (v) => change({ start: v ? 1 : 0 }) }).element,
      ];
    }
    if (s.kind === "points") {
      const file = el("input", { type: "file", accept: ".csv,text/csv", "aria-label": "CSV file with x, y, class" });
      file.addEventListener("change", async () => {
        try {
          change({ points: encodePoints(readCsv(await file.files[0].text())) });
        } catch (error) {
          app.say(error.message, { bad: true });
        }
      });
      return [
        select({ label: "Set", options: s.points ? [["own", "own points"], ...SETS] : SETS, value: s.points ? "own" : s.set, on: (set) => set !== "own" && change({ set, points: "" }) }).element,
        s.points ? null : number("Points", "count", { min: 20, max: 600, step: 20 }),
        s.points ? null : slider({ label: "Noise", min: 0, max: 0.6, step: 0.02, value: s.noise, format: (v) => v.toFixed(2), on: (noise) => change({ noise }) }).element,
        s.points || s.set === "xor" || s.set === "moons" ? null : choice({ label: "Classes", options: [["2", "2"], ["3", "3"], ["4", "4"]], value: String(s.classes), on: (v) => change({ classes: Number(v) }) }).element,
        el("div", { class: "field" }, el("span", {}, "CSV: x, y, class"), file),
        s.points ? el("div", { class: "row wide" },
          button("Remove the last point", { on: () => change({ points: s.points.slice(0, -5) }) }),
          button("Forget own points", { on: () => change({ points: "" }) })) : null,
      ];
    }
    const text = el("input", { type: "text", value: s.function, spellcheck: "false", onchange: () => change({ function: text.value }) });
    return [
      el("label", { class: "field wide" }, el("span", {}, "Function of x"), text),
      number("From", "low", { min: -1000, max: 1000, whole: false }),
      number("To", "high", { min: -1000, max: 1000, whole: false }),
    ];
  }

  function ends() {
    const image = s.source === "digits" ? [8, 64] : [28, 784];
    const pictures = s.kind === "images";
    const convolves = /conv|pool/.test(s.layers);
    const input = pictures ? (convolves ? `${image[0]}×${image[0]} pixels` : `${image[1]} pixels`) : s.kind === "points" ? "x and y" : "x";
    const output = pictures ? "10 classes" : s.kind === "points" ? "a probability per class" : "f(x)";
    return { pictures, input, output };
  }

  function show(settings) {
    s = settings;
    builder.set(s.layers, ends());
    const rate = slider({ label: "Learning rate η", min: 0.0005, max: 20, log: true, value: s.rate || 1, format: (v) => (s.rate ? String(v) : "default"), on: setRate });
    const usual = button("Use the default learning rate", { kind: "quiet", on: () => change({ rate: 0 }) });
    usual.hidden = !s.rate;
    function setRate(value) {
      s = { ...s, rate: value };
      usual.hidden = false;
      rate.set(value);
      on(s, { live: "rate", redraw: false });
    }
    fill(activation, select({ label: "Activation", options: ACTIVATIONS.map((a) => [a, a]), value: s.activation, on: (name) => change({ activation: name }) }).element);
    fill(
      more,
      slider({ label: "Weight decay λ (L2)", min: 0, max: 20, step: 0.1, value: s.l2, on: (l2) => change({ l2 }) }).element,
      slider({ label: "Dropout", min: 0, max: 0.8, step: 0.05, value: s.dropout, format: (v) => `${Math.round(100 * v)} %`, on: (dropout) => change({ dropout }) }).element,
      el("div", { class: "fields" },
        number("Batch size", "batch", { min: 1, max: 1000 }),
        number("Epochs", "epochs", { min: 1, max: 5000 }),
        number("Seed", "seed", { max: 1e6 })),
    );
    fill(
      element,
      choice({ label: "Learn", hideLabel: true, options: KINDS, value: s.kind, on: (kind) => on((s = defaults(kind))) }).element,
      el("div", { class: "fields" }, dataControls()),
      s.start && s.kind === "images" ? el("p", { class: "note" }, `The layers are those of ${app.networkName}.`) : folded[0],
      el("div", { class: "fields" },
        s.kind === "function" ? null : wide(select({ label: "Loss", options: LOSSES, value: s.loss, on: (loss) => change({ loss, rate: 0 }) }).element),
        wide(select({ label: "Optimizer", options: OPTIMIZERS, value: s.optimizer, on: (optimizer) => change({ optimizer, rate: 0 }) }).element)),
      el("div", { class: "stack" }, rate.element, usual),
      folded[1],
    );
  }

  return { element, show };
}
