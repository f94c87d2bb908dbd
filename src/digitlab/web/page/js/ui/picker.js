// The image at hand, and ways to another one: examples, and with a server images of a data set by their number.
import { exampleImage } from "../examples.js";
import { decoded, fitted } from "../input.js";
import { button, numberField } from "./controls.js";
import { el } from "./dom.js";
import { heatmap } from "./heatmap.js";
import { panel } from "./panel.js";

/** Make sure that there is an image: a 3. */
export function ensureImage(app) {
  if (!app.image) app.setImage(exampleImage(3), { kind: "example", label: 3 });
}

/** One line that says where an image is from. */
export function origin(image) {
  if (image.kind === "data")
    return `${image.source} ${image.part} ${image.index.toLocaleString("en")}, a ${image.label}`;
  return (
    { drawing: "your drawing", example: `an example, a ${image.label}`, photo: "from your photo" }[image.kind] ??
    "an image"
  );
}

/** Get an image of the server by its number and make it the image at hand. */
export async function fetchImage(app, source, part, index) {
  try {
    const found = await app.api.get(`images?source=${source}&part=${part}&index=${index}`);
    const { pixels, shape } = decoded(found);
    app.setImage(pixels, { kind: "data", shape, source, part, index, label: found.label });
  } catch (error) {
    app.say(error.message, { bad: true });
  }
}

/** Buttons 0 to 9 for the examples. */
export function exampleButtons(choose) {
  return el(
    "div",
    { class: "examples", role: "group", "aria-label": "Example digits" },
    Array.from({ length: 10 }, (_, digit) =>
      button(String(digit), { on: () => choose(digit), label: `Example ${digit}` }),
    ),
  );
}

/** A panel with the image and these ways. Returns { element, draw(pixels), stop() }. */
export function imagePanel(app, { sentence = "The input of the network.", extra = [] } = {}) {
  const { height, width } = fitted(app.network, app.image);
  const picture = heatmap({
    rows: height,
    columns: width,
    kind: "ink",
    label: "The image at hand",
    scale: 240 / width,
  });
  const about = el("p", { class: "small muted" });
  const show = () => {
    picture.draw(fitted(app.network, app.image).pixels, { limit: 1 });
    about.textContent = origin(app.image);
  };
  const number = app.api ? imageNumber(app) : null;
  const element = panel(
    { title: "Image", sentence, docs: "play.md", width: "third" },
    picture.element,
    about,
    ...extra,
    exampleButtons((digit) => app.setImage(exampleImage(digit), { kind: "example", label: digit })),
    number,
    el("p", { class: "small" }, el("a", { href: "#/draw" }, "Draw another")),
  );
  show();
  const stops = [app.on("image", show), app.on("theme", show)];
  return { element, picture, stop: () => stops.forEach((stop) => stop()) };
}

/** A field for the number of a test image, and a button for any of them. */
export function imageNumber(app) {
  const source = app.about?.sources?.[0] ?? "mnist";
  const most = source === "mnist" ? 9999 : 99;
  const field = numberField({
    label: `Test image of ${source}, by number`,
    value: app.image?.index ?? 0,
    max: most,
    on: (index) => fetchImage(app, source, "test", index),
  });
  const any = () => {
    const index = Math.floor(Math.random() * (most + 1));
    field.set(index);
    fetchImage(app, source, "test", index);
  };
  return el("div", { class: "row end" }, field.element, button("Any", { on: any, label: "Any test image" }));
}
