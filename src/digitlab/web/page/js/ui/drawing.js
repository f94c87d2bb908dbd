// A canvas to draw on with mouse, pen or touch; also with the keyboard: arrows move the pen, space puts it down.
import { el } from "./dom.js";
import { css } from "./theme.js";

/**
 * Returns { element, width, erasing, empty, strokes, load(strokes), clear(), undo(), redraw(), pixels() }; a stroke is
 * { width, erasing, points }.
 * `on()` is called after every change, at most once a frame. pixels() is ink from 0 to 1, Float32Array(size²).
 */
export function drawing({ size = 280, label = "Canvas to draw a digit on", on = () => {} } = {}) {
  const canvas = el("canvas", { class: "drawing", width: size, height: size, tabindex: 0, role: "application", "aria-label": `${label}. Arrows move the pen, space puts it down or lifts it.` });
  const ink = document.createElement("canvas");
  ink.width = ink.height = size;
  const context = ink.getContext("2d", { willReadFrequently: true });
  const strokes = [];
  let current = null;
  let waiting = false;
  let pen = { x: size / 2, y: size / 4, down: false, shown: false };

  function line(stroke, from) {
    context.globalCompositeOperation = stroke.erasing ? "destination-out" : "source-over";
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = stroke.width;
    context.beginPath();
    const points = stroke.points;
    context.moveTo(...points[Math.max(0, from - 1)]);
    for (let i = from; i < points.length; i++) context.lineTo(...points[i]);
    context.stroke();
  }

  function redraw() {
    const shown = canvas.getContext("2d");
    shown.clearRect(0, 0, size, size);
    shown.globalCompositeOperation = "source-over";
    shown.drawImage(ink, 0, 0);
    shown.globalCompositeOperation = "source-in";
    shown.fillStyle = css("stroke");
    shown.fillRect(0, 0, size, size);
    shown.globalCompositeOperation = "source-over";
    if (pen.shown) {
      shown.strokeStyle = css("accent");
      shown.lineWidth = 2;
      shown.beginPath();
      shown.arc(pen.x, pen.y, part.width / 2, 0, 2 * Math.PI);
      shown.stroke();
    }
  }

  function changed() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      redraw();
      on();
    });
  }

  function begin(x, y) {
    current = { width: part.width, erasing: part.erasing, points: [[x, y]] };
    strokes.push(current);
    line(current, 0);
    changed();
  }

  function move(x, y) {
    current.points.push([x, y]);
    line(current, current.points.length - 1);
    changed();
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * size) / box.width, ((event.clientY - box.top) * size) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pen.shown = false;
    begin(...place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!current || pen.down) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) move(...place(each));
  });
  const lift = () => {
    if (!pen.down) current = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      pen.x = Math.min(size, Math.max(0, pen.x + (step[0] * size) / 28));
      pen.y = Math.min(size, Math.max(0, pen.y + (step[1] * size) / 28));
      if (pen.down) move(pen.x, pen.y);
    } else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) begin(pen.x, pen.y);
      else current = null;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    pen.shown = true;
    redraw();
  });
  canvas.addEventListener("blur", () => {
    pen = { ...pen, down: false, shown: false };
    current = null;
    redraw();
  });

  const part = {
    element: canvas,
    width: size / 13,
    erasing: false,
    get empty() {
      return strokes.length === 0;
    },
    strokes,
    load(others) {
      strokes.splice(0, strokes.length, ...others);
      context.clearRect(0, 0, size, size);
      for (const stroke of strokes) line(stroke, 0);
      changed();
    },
    clear() {
      strokes.length = 0;
      current = null;
      context.clearRect(0, 0, size, size);
      changed();
    },
    undo() {
      strokes.pop();
      context.clearRect(0, 0, size, size);
      for (const stroke of strokes) line(stroke, 0);
      changed();
    },
    redraw,
    pixels() {
      const bytes = context.getImageData(0, 0, size, size).data;
      const values = new Float32Array(size * size);
      for (let i = 0; i < values.length; i++) values[i] = bytes[4 * i + 3] / 255;
      return values;
    },
  };
  return part;
}
