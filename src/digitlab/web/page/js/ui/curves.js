// Curves of numbers over epochs or steps, with axes in real units.
import { el, fill } from "./dom.js";
import { css } from "./theme.js";

/** Round numbers between two others, about `count` of them. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Returns { element, draw(series, options), redraw() }. A series is { name, points: [[x, y], …], colour: 1 … 6, dashed }.
 * `low` and `high` fix the ends of the vertical axis, `y` is its name.
 */
export function curves({ label, x = "epoch", y = "", format = (v) => String(v) }) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  const legend = el("ul", { class: "legend" });
  let last = [[], {}];

  function draw(series, options = {}) {
    last = [series, options];
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    [canvas.width, canvas.height] = [width * ratio, height * ratio];
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75;
    context.font = `${size}px system-ui, sans-serif`;
    const points = series.flatMap((s) => s.points).filter(([, v]) => Number.isFinite(v));
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const [x0, x1] = xs.length ? [Math.min(...xs), Math.max(Math.max(...xs), Math.min(...xs) + 1)] : [0, 1];
    let low = options.low ?? (ys.length ? Math.min(...ys) : 0);
    let high = options.high ?? (ys.length ? Math.max(...ys) : 1);
    if (high - low < 1e-9) {
      const half = 0.5 * (Math.abs(low) || 1);
      [low, high] = [low < 0 ? low - half : Math.max(0, low - half), high + half]; // a loss is never below 0
    }
    const marks = ticks(low, high, 4);
    const left = Math.max(...marks.map((m) => context.measureText(format(m)).width), 10) + 10;
    const [right, top, bottom] = [width - 16, size * 2.4, height - size * 2.6];
    const toX = (v) => left + ((v - x0) / (x1 - x0)) * (right - left);
    const toY = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const mark of marks) {
      context.strokeStyle = css("line");
      context.beginPath();
      context.moveTo(left, toY(mark));
      context.lineTo(right, toY(mark));
      context.stroke();
      context.fillStyle = css("muted");
      context.fillText(format(mark), left - 6, toY(mark));
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    const whole = xs.every(Number.isInteger); // epochs have no halves
    for (const mark of ticks(x0, x1, Math.min(8, Math.max(2, width / 70))).filter((m) => !whole || Number.isInteger(m))) context.fillText(String(mark), toX(mark), bottom + 5);
    context.textAlign = "right";
    context.fillText(x, right, bottom + 5 + size * 1.25);
    context.textAlign = "left";
    context.fillText(options.y ?? y, 0, 0);
    context.lineJoin = "round";
    for (const s of series) {
      context.strokeStyle = context.fillStyle = css(`series-${s.colour ?? 1}`, s.faint ? 0.3 : 1);
      context.lineWidth = s.faint ? 1.2 : 2.2;
      context.setLineDash(s.dashed ? [6, 4] : []);
      context.beginPath();
      let begun = false;
      for (const [px, py] of s.points) {
        if (!Number.isFinite(py)) continue;
        if (begun) context.lineTo(toX(px), toY(py));
        else context.moveTo(toX(px), toY(py));
        begun = true;
      }
      context.stroke();
      context.setLineDash([]);
      if (s.points.length === 1) {
        context.beginPath();
        context.arc(toX(s.points[0][0]), toY(s.points[0][1]), 3, 0, 2 * Math.PI);
        context.fill();
      }
    }
    fill(
      legend,
      series.filter((s) => !s.faint).map((s) =>
        el("li", { class: s.dashed ? "dashed" : null }, el("i", { "aria-hidden": "true", style: { color: css(`series-${s.colour ?? 1}`) } }), s.name),
      ),
    );
  }

  const watcher = new ResizeObserver(() => draw(...last));
  watcher.observe(canvas);
  return { element: el("div", { class: "plot" }, canvas, legend), draw, redraw: () => draw(...last), stop: () => watcher.disconnect() };
}
