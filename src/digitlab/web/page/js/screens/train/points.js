// Points in the plane with classes: known sets, own ones, and their short form for the address.
import { normal, uniform } from "../../engine/random.js";

export const SETS = [["spiral", "spiral"], ["circles", "circles"], ["xor", "XOR"], ["moons", "two moons"], ["clouds", "clouds"]];
export const REACH = 3; // points lie between −REACH and REACH
export const MOST = 600;

/** A set by name: [[x, y, class], …]. `noise` is the standard deviation of what is added to each coordinate. */
export function makePoints(set, count, noise, classes, seed = 0) {
  const next = uniform(seed + 1);
  const gauss = normal(seed + 2);
  const points = [];
  const several = set === "xor" || set === "moons" ? 2 : classes;
  for (let i = 0; i < Math.min(count, MOST); i++) {
    const c = i % several;
    let [x, y] = [0, 0];
    if (set === "spiral") {
      const t = Math.sqrt(next());
      const angle = t * (several === 2 ? 9 : 5) + (2 * Math.PI * c) / several;
      [x, y] = [2.7 * t * Math.cos(angle), 2.7 * t * Math.sin(angle)];
    } else if (set === "circles") {
      const radius = (2.6 * (c + 0.25 + 0.5 * next())) / several;
      const angle = 2 * Math.PI * next();
      [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    } else if (set === "xor") {
      [x, y] = [0.15 + 2.3 * next(), 0.15 + 2.3 * next()];
      if (next() < 0.5) [x, y] = [-x, -y];
      if (c) x = -x;
    } else if (set === "moons") {
      const angle = Math.PI * next();
      [x, y] = c ? [1.6 - 1.6 * Math.cos(angle) - 0.8, 0.4 - 1.6 * Math.sin(angle)] : [1.6 * Math.cos(angle) - 0.8, 1.6 * Math.sin(angle) - 0.4];
    } else {
      const angle = (2 * Math.PI * c) / several + 0.5;
      [x, y] = [1.4 * Math.cos(angle) + 0.5 * gauss(), 1.4 * Math.sin(angle) + 0.5 * gauss()];
    }
    points.push([rounded(x + noise * gauss()), rounded(y + noise * gauss()), c]);
  }
  return points;
}

const rounded = (x) => Math.round(1000 * x) / 1000;
const STEPS = 36 ** 2 - 1;

/** Points as text: two characters for x, two for y, one for the class. */
export function encodePoints(points) {
  const part = (x) => Math.round(((Math.max(-REACH, Math.min(REACH, x)) + REACH) / (2 * REACH)) * STEPS).toString(36).padStart(2, "0");
  return points.slice(0, MOST).map(([x, y, c]) => part(x) + part(y) + c.toString(36)).join("");
}

export function decodePoints(text) {
  const part = (t) => rounded((Number.parseInt(t, 36) / STEPS) * 2 * REACH - REACH);
  return (text.match(/[0-9a-z]{5}/g) ?? [])
    .slice(0, MOST)
    .map((five) => [part(five.slice(0, 2)), part(five.slice(2, 4)), Number.parseInt(five[4], 36) % 10]);
}

/**
 * Rows "x, y, class" of a CSV file; a first row of names is left out. Coordinates are moved and scaled into the plane.
 * Throws an Error that says which row is wrong.
 */
export function readCsv(text) {
  const rows = text.split(/\r?\n/).filter((line) => line.trim()).map((line) => line.split(/[,;\t]/).map((cell) => cell.trim()));
  if (rows.length && rows[0].slice(0, 2).some((cell) => cell === "" || Number.isNaN(Number(cell)))) rows.shift();
  const names = [];
  const points = rows.map((row, i) => {
    const [x, y] = row.slice(0, 2).map(Number);
    if (row.length < 3 || !Number.isFinite(x) || !Number.isFinite(y)) throw new Error(`Row ${i + 1} is not x, y, class.`);
    if (!names.includes(row[2])) names.push(row[2]);
    return [x, y, row[2]];
  });
  if (points.length < 4 || names.length < 2) throw new Error("Expected at least four rows and two classes.");
  if (names.length > 6) throw new Error(`The third column has ${names.length} different values; expected at most 6 classes.`);
  names.sort();
  const step = Math.max(1, Math.ceil(points.length / MOST));
  const kept = points.filter((_, i) => i % step === 0);
  const scale = [0, 1].map((k) => {
    const values = points.map((p) => p[k]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (v) => rounded(high > low ? ((v - low) / (high - low) - 0.5) * 1.8 * REACH : 0);
  });
  return kept.map(([x, y, name]) => [scale[0](x), scale[1](y), names.indexOf(name)]);
}
