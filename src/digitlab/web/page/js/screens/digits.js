// My digits: own handwriting collected, seen beside MNIST, tested, trained on, downloaded.
import { centredDrawing } from "../engine/digits.js";
import { button, choice, slider } from "../ui/controls.js";
import { el, fill, prose } from "../ui/dom.js";
import { drawing } from "../ui/drawing.js";
import { paint } from "../ui/heatmap.js";
import { ICONS } from "../ui/icons.js";
import { panel, screenHead } from "../ui/panel.js";
import { bytesOf, imageCanvas } from "./train/results.js";

export const id = "digits";
export const title = "My digits";
export const key = "6";
export const needsServer = true;

const LABELS = Array.from({ length: 10 }, (_, i) => String(i));

export function mount(root, app) {
  let name = app.state.get("set", app.about?.own[0]?.name ?? "mine");
  let label = 0;
  let images = [];
  let mnist = [];
  let unknown = ""; // why the images are unknown, if they are
  let seen = null; // the drawing in MNIST's form

  const preview = el("canvas", { class: "preview", role: "img", "aria-label": "What is saved: 28 by 28 pixels" });
  const answer = el("p", { class: "muted", role: "status" });
  const canvas = drawing({ on: see });
  const labels = choice({ label: "The digit you draw", options: LABELS.map((d) => [d, d]), value: "0", on: choose });
  const width = slider({ label: "Pen", min: 8, max: 44, value: 22, format: (v) => `${v} px`, on: (v) => (canvas.width = v) });
  const setName = el("input", { type: "text", value: name, maxlength: 40, pattern: "[A-Za-z0-9_\\-]+", onchange: () => open(setName.value) });
  const known = el("datalist", { id: "own-sets" });
  setName.setAttribute("list", "own-sets");
  const own = el("div", { class: "own" });
  const beside = el("div", { class: "beside" });
  const score = el("p", { role: "status" });
  const actions = el("div", { class: "row" });

  root.append(
    screenHead("My digits", "Collect your own handwriting, see how it differs from MNIST, and train on it."),
    el("div", { class: "panels" },
      panel({ title: "Collect", sentence: "Choose a digit, draw it, save it (Enter); the next digit follows.", docs: "own-data.md", width: "third" },
        el("label", { class: "field" }, el("span", {}, "Name of the set"), setName, known),
        labels.element,
        canvas.element,
        width.element,
        el("div", { class: "row tight" },
          button("Save", { kind: "primary", key: "Enter", on: save }),
          button("Undo", { path: ICONS.undo, on: () => canvas.undo() }),
          button("Clear", { on: () => canvas.clear() })),
        el("div", { class: "row" }, preview, answer)),
      el("div", { class: "two-thirds stack results" },
        panel({ title: "Your digits", sentence: "Each image as the network sees it, with its answer where it is wrong. Click one to use it on the other screens.", docs: "own-data.md" }, score, own, actions),
        panel({ title: "Comparison with MNIST", sentence: "Top: your images. Bottom: images of the same digit from MNIST's training set.", docs: "data.md" }, beside))),
  );

  function see() {
    const { length } = canvas.pixels();
    const side = Math.sqrt(length);
    seen = canvas.empty ? null : centredDrawing(canvas.pixels(), side, side);
    paint(preview, seen ? seen.image : new Uint8Array(784), 28, 28, { kind: "ink", limit: 255 });
    const said = seen ? predict(seen.image) : null;
    answer.textContent = said ? `The network reads ${said.name} (${(100 * said.share).toFixed(0)} %).` : "";
  }

  /** The network's answer for 784 bytes; null for a network of other inputs. */
  function predict(bytes) {
    const { network } = app;
    if (!network || network.inputShape.reduce((a, b) => a * b, 1) !== 784) return null;
    const outputs = network.forward(network.prepare(bytes)).outputs.data;
    const best = outputs.indexOf(Math.max(...outputs));
    const sum = outputs.reduce((a, b) => a + b, 0) || 1;
    return { label: best, name: network.classNames[best], share: outputs[best] / sum };
  }

  async function choose(text) {
    label = Number(text);
    labels.set(text);
    mnist = [];
    drawBeside();
    if (unknown) return;
    try {
      mnist = app.about.sources.includes("mnist") ? (await app.api.get(`sample?label=${label}`)).images : [];
    } catch (error) {
      app.say(error.message, { bad: true });
    }
    drawBeside();
  }

  async function open(next) {
    name = next.trim();
    app.state.set({ set: name === "mine" ? null : name });
    try {
      const { sets } = await app.api.get("own");
      unknown = "";
      app.about.own = sets;
      fill(known, sets.map((set) => el("option", { value: set.name })));
      images = sets.some((set) => set.name === name) ? (await app.api.get(`own?name=${encodeURIComponent(name)}`)).images : [];
    } catch (error) {
      images = [];
      unknown = error.message;
    }
    draw();
  }

  async function save() {
    if (!seen) {
      app.say("Draw a digit first.");
      return;
    }
    const pixels = btoa(String.fromCharCode(...seen.image));
    try {
      if (unknown) await open(name); // the server may be back
      const saved = await app.api.post("own", { do: "add", name, label, pixels });
      images.push({ ...saved, pixels });
      recount();
      canvas.clear();
      draw();
      await choose(String((label + 1) % 10));
    } catch (error) {
      app.say(error.message, { bad: true });
    }
  }

  async function remove(image) {
    try {
      await app.api.post("own", { do: "remove", name, file: image.file });
      images = images.filter((other) => other !== image);
      recount();
      draw();
    } catch (error) {
      app.say(error.message, { bad: true });
    }
  }

  async function download() {
    try {
      const bytes = await app.api.bytes(`own.zip?name=${encodeURIComponent(name)}`);
      const link = el("a", { href: URL.createObjectURL(new Blob([bytes])), download: `${name}.zip` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (error) {
      app.say(error.message, { bad: true });
    }
  }

  function use(image) {
    app.setImage(Float32Array.from(bytesOf(image.pixels), (b) => b / 255), { kind: "own", label: image.label });
    app.say("This image is now in the other screens.");
  }

  /** The sets that other screens offer, with the number of images that this one has now. */
  function recount() {
    app.about.own = [...app.about.own.filter((set) => set.name !== name), { name, count: images.length }];
  }

  function draw() {
    let right = 0;
    let judged = 0;
    const rows = LABELS.map((digit) => images.filter((image) => image.label === Number(digit))).map((row, digit) => {
      if (!row.length) return null;
      return el("div", { class: "own-row" }, el("span", { class: "digit" }, String(digit)), el("div", { class: "own-images" }, row.map((image) => {
        const said = predict(bytesOf(image.pixels));
        judged += said ? 1 : 0;
        right += said?.label === image.label ? 1 : 0;
        const wrong = said && said.label !== image.label;
        const text = `your ${image.label}${wrong ? `, read as ${said.name}` : ""}`;
        return el("span", { class: wrong ? "own-image wrong" : "own-image" },
          el("button", { type: "button", title: text, "aria-label": text, onclick: () => use(image) }, imageCanvas({ pixels: image.pixels, shape: [28, 28] }, text), wrong ? el("span", { class: "said" }, `→ ${said.name}`) : null),
          el("button", { type: "button", class: "remove", "aria-label": `Remove this ${image.label}`, onclick: () => remove(image) }, "×"));
      })));
    });
    fill(own, rows);
    if (unknown) fill(score, prose(unknown));
    else score.textContent = images.length === 0 ? `Nothing is collected in “${name}” yet.` : judged ? `${app.networkName} reads ${right} of ${judged} right.` : `${images.length} images`;
    fill(actions, images.length === 0 ? [] : [
      button("Train on these", { kind: "primary", on: () => (location.hash = `#/train?source=own/${name}&size=0&start=1&optimizer=adam&rate=0.001&batch=16&augment=1`), title: "Fine-tune the network on your digits" }),
      button("Download as ZIP", { path: ICONS.download, on: download }),
      images.length < 20 ? el("span", { class: "small muted" }, "From about 20 images on, training on them makes sense.") : null,
    ]);
    drawBeside();
  }

  function drawBeside() {
    const mine = images.filter((image) => image.label === label);
    const row = (text, list) => el("div", { class: "own-row" }, el("span", { class: "digit" }, text), el("div", { class: "own-images" }, list.map((image) => el("span", { class: "own-image" }, imageCanvas({ pixels: image.pixels, shape: [28, 28] }, `${text} ${label}`)))));
    if (unknown) return fill(beside);
    fill(beside, mine.length ? row("yours", mine.slice(-12)) : el("p", { class: "muted" }, `You have no ${label} yet.`), row("MNIST", mnist));
  }

  const onKey = (event) => {
    if (event.key === "Enter" && !event.target.closest("button, input[type=text], a, select, dialog")) save();
  };
  document.addEventListener("keydown", onKey);
  const offs = [app.on("theme", () => (canvas.redraw(), see(), draw())), app.on("network", draw)];
  see();
  if (app.about) open(name).then(() => choose("0"));
  return () => {
    document.removeEventListener("keydown", onKey);
    for (const off of offs) off();
  };
}
