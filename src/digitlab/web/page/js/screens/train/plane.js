// Points in the plane, what the network says at every place, and what each hidden neuron says.
import { el, fill } from "../../ui/dom.js";
import { paint } from "../../ui/heatmap.js";
import { colour, css } from "../../ui/theme.js";
import { REACH } from "./points.js";

const GRID = 80;
const SMALL = 28;
const CLASS_COLOURS = ["negative", "positive", "series-3", "series-4", "series-5", "series-6"];

/** The outputs of all layers on a grid of the plane: [{ y: Tensor }, …] and outputs. */
function onGrid(network, size) {
  const inputs = new Float32Array(2 * size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      inputs[2 * (i * size + j)] = ((j + 0.5) / size) * 2 * REACH - REACH;
      inputs[2 * (i * size + j) + 1] = REACH - ((i + 0.5) / size) * 2 * REACH;
    }
  return network.forward(network.batch(inputs));
}

/** Returns { element, draw(points, network), neurons }. `onPoint(x, y)` is called for clicks. */
export function plane(onPoint) {
  const canvas = el("canvas", { class: "plane", width: 480, height: 480, tabindex: 0, role: "application", "aria-label": "Points in the plane and the network's boundary. Arrows move a cross, Enter or space puts a point there." });
  const maps = el("div", { class: "maps" });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    onPoint(((event.clientX - box.left) / box.width) * 2 * REACH - REACH, REACH - ((event.clientY - box.top) / box.height) * 2 * REACH);
  });
  const cross = { x: 0, y: 0, shown: false };
  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (event.key === "Enter" || event.key === " ") onPoint(cross.x, cross.y);
    else if (!dx && !dy) return;
    event.preventDefault();
    cross.x = Math.max(-REACH, Math.min(REACH, cross.x + dx / 10));
    cross.y = Math.max(-REACH, Math.min(REACH, cross.y + dy / 10));
    cross.shown = true;
    part.draw(...last);
  });
  canvas.addEventListener("blur", () => {
    cross.shown = false;
    part.draw(...last);
  });
  let last = [[], null];
  const ground = document.createElement("canvas");

  function mixed(outputs, classes) {
    ground.width = ground.height = GRID;
    const context = ground.getContext("2d");
    const image = context.createImageData(GRID, GRID);
    const colours = CLASS_COLOURS.slice(0, classes).map(colour);
    const base = colour("zero");
    for (let i = 0; i < GRID * GRID; i++) {
      for (let k = 0; k < 3; k++) {
        let value = 0;
        for (let c = 0; c < classes; c++) value += outputs.data[i * classes + c] * (0.6 * colours[c % colours.length][k] + 0.4 * base[k]);
        image.data[4 * i + k] = value;
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  function mark(context, x, y, c, size) {
    context.beginPath();
    if (c % 3 === 0) context.arc(x, y, size, 0, 2 * Math.PI);
    else if (c % 3 === 1) context.rect(x - size * 0.88, y - size * 0.88, size * 1.76, size * 1.76);
    else {
      context.moveTo(x, y - size * 1.2);
      context.lineTo(x + size * 1.1, y + size * 0.8);
      context.lineTo(x - size * 1.1, y + size * 0.8);
      context.closePath();
    }
    context.fill();
    context.stroke();
  }

  function drawMaps(network) {
    const { steps } = onGrid(network, SMALL);
    const hidden = steps.filter(({ layer, y }, i) => i < steps.length - 1 && y.shape.length === 2 && !Object.keys(layer.params).length && layer.constructor.name !== "Dropout");
    const rows = (hidden.length ? hidden : steps.slice(0, -1)).slice(0, 4);
    fill(maps, rows.map(({ y }, r) => {
      const columns = y.shape[1];
      return el("div", { class: "map-row" }, el("span", { class: "small muted" }, `hidden layer ${r + 1}`), Array.from({ length: Math.min(columns, 16) }, (_, j) => {
        const small = el("canvas", { role: "img", "aria-label": `neuron ${j} of hidden layer ${r + 1}` });
        const values = new Float32Array(SMALL * SMALL);
        for (let i = 0; i < values.length; i++) values[i] = y.data[i * columns + j];
        paint(small, values, SMALL, SMALL);
        return small;
      }));
    }));
  }

  const part = {
    element: el("div", { class: "plane-part" }, canvas, maps),
    draw(points, network) {
      last = [points, network];
      const context = canvas.getContext("2d");
      const size = canvas.width;
      context.clearRect(0, 0, size, size);
      if (network) {
        const { outputs } = onGrid(network, GRID);
        mixed(outputs, outputs.shape[1]);
        context.imageSmoothingEnabled = true;
        context.drawImage(ground, 0, 0, size, size);
        drawMaps(network);
      } else maps.replaceChildren();
      context.lineWidth = 1.5;
      context.strokeStyle = css("panel");
      for (const [x, y, c] of points) {
        context.fillStyle = css(CLASS_COLOURS[c % CLASS_COLOURS.length]);
        mark(context, ((x + REACH) / (2 * REACH)) * size, ((REACH - y) / (2 * REACH)) * size, c, 5);
      }
      if (!cross.shown) return;
      const [x, y] = [((cross.x + REACH) / (2 * REACH)) * size, ((REACH - cross.y) / (2 * REACH)) * size];
      context.strokeStyle = css("ink");
      context.strokeRect(x - 8, y, 16, 0);
      context.strokeRect(x, y - 8, 0, 16);
    },
  };
  return part;
}
