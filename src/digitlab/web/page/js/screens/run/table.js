// What the list of runs is made of: order, sparklines, smoothing.
import { el } from "../../ui/dom.js";
import { css } from "../../ui/theme.js";

/** The columns of a history that the curves show, with their names in words. */
export const COLUMNS = [["valid_accuracy", "validation accuracy"], ["valid_loss", "validation loss"], ["train_loss", "training loss"]];

/** Whether a training is going on: epochs are missing, and something was written in the last 20 seconds. */
export function isLive(run) {
  return run.done < run.epochs && Date.now() / 1000 - run.changed < 20;
}

/** Runs by a column or setting, numbers by size; `down` puts the largest first. */
export function sorted(runs, { column, down }) {
  const value = (run) => run[column] ?? run.settings[column] ?? "";
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    const [m, n] = [Number(x), Number(y)];
    if (x !== "" && y !== "" && Number.isFinite(m) && Number.isFinite(n)) return m - n;
    return String(x).localeCompare(String(y), "en", { numeric: true });
  };
  return [...runs].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
}

/** Points with an exponential average of their values, corrected for its start (Kingma and Ba 2015, section 3). */
export function smoothed(points, weight) {
  let [mean, share] = [0, 0];
  return points.map(([x, y]) => {
    mean = weight * mean + (1 - weight) * y;
    share = weight * share + (1 - weight);
    return [x, mean / share];
  });
}

/** A value of a column with its unit. */
export function columnText(column, value) {
  return column.endsWith("accuracy") ? `${Math.round(10000 * value) / 100} %` : String(Number(value.toPrecision(3)));
}

/** The curve of the monitored column as a small line. */
export function sparkline({ curve = [], monitor }) {
  const [width, height, ratio] = [96, 24, window.devicePixelRatio || 1];
  const canvas = el("canvas", { class: "sparkline", width: width * ratio, height: height * ratio, role: "img", "aria-label": curve.length ? `${monitor}: from ${columnText(monitor, curve[0])} to ${columnText(monitor, curve.at(-1))}` : "no epoch yet" });
  if (!curve.length) return canvas;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const [low, high] = [Math.min(...curve), Math.max(...curve)];
  context.strokeStyle = css("accent");
  context.lineWidth = 1.6;
  context.lineJoin = "round";
  context.beginPath();
  curve.forEach((value, i) => {
    const x = 2 + (i / Math.max(1, curve.length - 1)) * (width - 4);
    const y = height - 3 - (high > low ? (value - low) / (high - low) : 0.5) * (height - 6);
    if (i) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  context.stroke();
  return canvas;
}
