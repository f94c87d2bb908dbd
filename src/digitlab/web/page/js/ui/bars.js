// A bar for each class with its share in percent.
import { el } from "./dom.js";

/** Returns { element, set(values, { truth }) }: values are shares from 0 to 1, truth the right class or −1. */
export function bars(labels, { title = "Output of the network" } = {}) {
  const rows = labels.map((label) => {
    const [bar, value] = [el("span", { class: "fill" }), el("span", { class: "value" })];
    bar.style.display = "block";
    const row = el("li", {}, el("span", { class: "label" }, label), el("span", { class: "track" }, bar), value);
    return { row, bar, value };
  });
  return {
    element: el("ul", { class: "bars", "aria-label": title }, rows.map(({ row }) => row)),
    set(values, { truth = -1, format = (x) => `${(100 * x).toFixed(1)} %` } = {}) {
      let best = 0;
      for (let i = 1; i < rows.length; i++) if (values[i] > values[best]) best = i;
      rows.forEach(({ row, bar, value }, i) => {
        bar.style.transform = `scaleX(${Math.min(1, Math.max(0, values[i]))})`;
        value.textContent = format(values[i]);
        row.className = `${i === best ? "best" : ""} ${i === truth ? "true" : ""}`.trim();
      });
    },
  };
}
