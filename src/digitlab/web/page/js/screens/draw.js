// Draw: a digit by hand, what the network sees of it, its answer, and every layer on the way.
import { centredDrawing } from "../engine/digits.js";
import { exampleStrokes } from "../examples.js";
import { decoded, fitted, inputOf, whyNoImage } from "../input.js";
import { bars } from "../ui/bars.js";
import { button, slider } from "../ui/controls.js";
import { el, fill } from "../ui/dom.js";
import { drawing } from "../ui/drawing.js";
import { heatmap, paint } from "../ui/heatmap.js";
import { ICONS } from "../ui/icons.js";
import { layerList } from "../ui/layers.js";
import { percent } from "../ui/numbers.js";
import { panel, screenHead } from "../ui/panel.js";
import { exampleButtons, fetchImage, imageNumber, origin } from "../ui/picker.js";

export const id = "draw";
export const title = "Draw";
export const key = "1";
export const needsServer = false;

const SIZE = 280;

export function mount(root, app) {
  const head = screenHead(
    "Draw",
    "Draw a digit. The network reads it while you draw, and every layer shows what it computes.",
  );
  const why = whyNoImage(app.network);
  if (why) {
    root.append(head, panel({ title: "No image" }, el("p", {}, why)));
    return null;
  }

  const canvas = drawing({ size: SIZE, on: drawn });
  const stages = el("div", { class: "stages" });
  const seen = seenPicture(app.network);
  const about = el("p", { class: "small muted" });
  const answer = el("b", {});
  const share = el("span", { class: "muted" });
  const chart = bars(app.network.classNames);
  const strange = el("p", { class: "small muted", id: "strange", hidden: !app.network.description.open_set });
  const time = el("span", { class: "small muted number", id: "time" });
  const list = layerList(app.network, { open: (name) => (location.hash = `#/open?layer=${name}`) });

  function drawn() {
    const form = canvas.empty ? null : centredDrawing(canvas.pixels(), SIZE, SIZE);
    if (form)
      app.setImage(
        Float32Array.from(form.image, (byte) => byte / 255),
        { kind: "drawing", form, strokes: [...canvas.strokes] },
      );
    else {
      app.image = null;
      update();
    }
  }

  function update() {
    const start = performance.now();
    const { image } = app;
    const pixels = image ? fitted(app.network, image).pixels : new Float32Array(seen.size);
    seen.draw(pixels);
    about.textContent = image ? origin(image) : "nothing yet";
    showStages(stages, image?.form);
    const { logits, outputs, steps } = app.network.forward(
      image ? inputOf(app) : app.network.prepare(new Uint8Array(app.network.inputShape.reduce((a, b) => a * b))),
    );
    const best = outputs.data.indexOf(Math.max(...outputs.data));
    answer.textContent = image ? app.network.classNames[best] : "–";
    share.textContent = image ? percent(outputs.data[best]) : "draw a digit";
    strange.textContent = image ? `of none of these classes: ${percent(app.network.ofNoClass(logits.data) ?? 0)}` : "";
    chart.set(outputs.data, { truth: image?.kind === "data" ? image.label : -1 });
    list.update(steps);
    time.textContent = `${Math.max(1, Math.round(performance.now() - start))} ms`;
  }

  const erase = button("Eraser", {
    "aria-pressed": "false",
    on: () => {
      canvas.erasing = !canvas.erasing;
      erase.setAttribute("aria-pressed", String(canvas.erasing));
    },
  });
  const width = slider({
    label: "Width of the pen",
    min: 4,
    max: 40,
    value: Math.round(canvas.width),
    format: (x) => `${x} px`,
    on: (value) => (canvas.width = value),
  });
  const draw = panel(
    {
      title: "Your digit",
      sentence: "Mouse, pen or finger; with the keyboard, arrows and space.",
      docs: "play.md",
      width: "third",
    },
    canvas.element,
    el(
      "div",
      { class: "row tight" },
      button("Undo", { path: ICONS.undo, on: () => canvas.undo() }),
      erase,
      button("Clear", { path: ICONS.trash, on: () => canvas.clear() }),
    ),
    width.element,
    exampleButtons((digit) => canvas.load(exampleStrokes(digit, SIZE))),
  );

  root.append(
    head,
    el(
      "div",
      { class: "panels" },
      draw,
      panel(
        {
          title: "What the network sees",
          sentence:
            "The drawing in the form of MNIST's images: its box, 20 pixels high, its centre of mass in the middle.",
          docs: "handwriting.md",
          width: "third",
        },
        seen.element,
        about,
        stages,
      ),
      panel(
        {
          title: "Answer",
          sentence: "The output for each class; the largest is the answer.",
          docs: "predict.md",
          width: "third",
        },
        el("p", { class: "answer", "aria-live": "polite" }, answer, share),
        chart.element,
        strange,
      ),
      app.api ? serverPanel(app, draw) : null,
      panel(
        {
          title: "Every layer",
          sentence: "Orange is positive, blue negative; each layer's largest number has the full colour.",
          docs: "see-inside.md",
        },
        el(
          "div",
          { class: "layers-head" },
          el("span", {}, "layer ", time),
          el("span", {}, "values"),
          el("span", {}, "weights"),
        ),
        list.element,
      ),
    ),
  );

  if (app.image?.strokes) canvas.load(app.image.strokes);
  else if (app.image) update();
  else canvas.load(exampleStrokes(3, SIZE));
  const stops = [
    app.on("image", update),
    app.on("theme", () => {
      canvas.redraw();
      list.redraw();
      update();
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

function seenPicture(network) {
  const [height, width] = network.pictureShape;
  const map = heatmap({
    rows: height,
    columns: width,
    kind: "ink",
    label: "The image that the network gets",
    scale: 224 / width,
  });
  return { element: map.element, size: height * width, draw: (pixels) => map.draw(pixels, { limit: 1 }) };
}

/** The steps from a drawing to the image, each with one line. */
function showStages(element, form) {
  if (!form) return fill(element);
  const figure = ({ data, height, width }, caption, mark = null) => {
    const canvas = el("canvas", { role: "img", "aria-label": caption });
    paint(canvas, data, height, width, { kind: "ink", limit: 1 });
    canvas.style.width = `${(6 * width) / Math.max(height, width)}rem`;
    return el("figure", { class: "heat" }, canvas, el("figcaption", {}, caption, mark));
  };
  const { box, pen, widened, stretched, mass } = form;
  const grown = widened.width > box.right - box.left;
  fill(
    element,
    figure(
      widened,
      `${box.right - box.left} × ${box.bottom - box.top} pixels, pen ${pen.toFixed(0)}${grown ? ", widened" : ""}`,
    ),
    figure(stretched, `shrunk to ${stretched.width} × ${stretched.height}`),
    figure(
      { data: Float32Array.from(form.image, (b) => b / 255), height: 28, width: 28 },
      `centre of mass (${(mass.x + form.corner.x).toFixed(1)}, ${(mass.y + form.corner.y).toFixed(1)})`,
    ),
  );
}

/** What needs the server: images by number, the worst failures, a photo. */
function serverPanel(app, target) {
  const thumbs = el("div", { class: "thumbs" });
  const said = el("p", { class: "small muted" });
  const show = (images, caption, choose) => {
    fill(
      thumbs,
      images.map((found) => {
        const { pixels, shape } = decoded(found);
        const canvas = el("canvas", { "aria-hidden": "true" });
        paint(canvas, pixels, shape[0], shape[1], { kind: "ink", limit: 1 });
        return el(
          "button",
          { type: "button", onclick: () => choose(found, { pixels, shape }), "aria-label": caption(found) },
          canvas,
          caption(found),
        );
      }),
    );
  };
  const attempt = async (work) => {
    try {
      await work();
    } catch (error) {
      fill(said);
      app.say(error.message, { bad: true });
    }
  };
  const failures = () =>
    attempt(async () => {
      said.textContent = "Looking for failures…";
      const { failures: found } = await app.api.get("failures");
      said.textContent = found.length
        ? `The ${found.length} most confident errors in the test set: the label → what the network reads.`
        : "There are no failures to show.";
      show(
        found,
        (f) => `${f.label} → ${f.predicted}`,
        (f) => fetchImage(app, f.source, f.part, f.index),
      );
    });
  const photo = (file) =>
    attempt(async () => {
      said.textContent = "Reading the photo…";
      const { digits, text } = await app.api.send("photo", file);
      said.textContent = digits.length ? `On the photo: ${text}` : "No digit was found on the photo.";
      show(
        digits,
        (d) => `${app.network.classNames[d.label]}, ${percent(d.confidence)}`,
        (d, { pixels, shape }) => app.setImage(pixels, { kind: "photo", shape }),
      );
    });
  const file = el("input", {
    type: "file",
    accept: "image/*",
    class: "hidden-text",
    tabindex: -1,
    "aria-hidden": "true",
    onchange: () => file.files[0] && photo(file.files[0]),
  });
  for (const [event, on] of [
    ["dragover", true],
    ["dragleave", false],
    ["drop", false],
  ]) {
    target.addEventListener(event, (moved) => {
      moved.preventDefault();
      target.classList.toggle("drop", on);
      if (event === "drop" && moved.dataTransfer.files[0]) photo(moved.dataTransfer.files[0]);
    });
  }
  return panel(
    {
      title: "Other images",
      sentence:
        "Test images by number, the most confident errors, or the digits on a photo (drop one on the drawing, too).",
      docs: "see-failures.md",
    },
    el(
      "div",
      { class: "row end" },
      imageNumber(app),
      button("Worst failures", { on: failures }),
      button("A photo…", { on: () => file.click() }),
      file,
    ),
    said,
    thumbs,
  );
}
