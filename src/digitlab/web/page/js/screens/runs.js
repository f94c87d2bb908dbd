// Runs: all trainings in the folder of runs, what they differ in, their training curves, and a page for each.
import { button, choice, slider } from "../ui/controls.js";
import { curves } from "../ui/curves.js";
import { el, fill, prose } from "../ui/dom.js";
import { panel, screenHead } from "../ui/panel.js";
import { runPage } from "./run/page.js";
import { COLUMNS, columnText, isLive, smoothed, sorted, sparkline } from "./run/table.js";

export const id = "runs";
export const title = "Runs";
export const key = "7";
export const needsServer = true;

const EVERY = 3000; // milliseconds between looks while a training may be going on
const MOST = 6; // curves in the plot
const BETWEEN = "//"; // names of chosen runs in the address: no name of a run has it

export function mount(root, app) {
  let stopPage = null;
  let stopped = false;
  let timer = 0;
  if (app.about) show();

  function show() {
    stopPage?.();
    root.replaceChildren();
    const name = app.state.get("run");
    stopPage = name ? runPage(root, app, name, () => (location.hash = app.runList ?? "#/runs")) : list();
  }

  function list() {
    let runs = [];
    let state = "Reading the runs …"; // in words, until the list is there
    let broken = [];
    let older = 0;
    let drawn = ""; // what the table shows, as JSON
    const rows = new Map(); // of histories, by name
    const chosen = new Set((app.state.get("chosen", "") || "").split(BETWEEN).filter(Boolean));
    let first = !chosen.size; // whether no curves have been chosen yet
    let order = { column: app.state.get("sort", "changed"), down: app.state.get("up") !== "1" };
    let column = COLUMNS.find(([key]) => key === app.state.get("column"))?.[0] ?? "valid_accuracy";
    let smooth = Math.min(0.95, Math.max(0, Number(app.state.get("smooth", "0")) || 0));

    /** Write a choice into the address, to which a run's page leads back. */
    function keep(values) {
      app.state.set(values);
      app.runList = app.state.address();
    }
    keep({});

    const filter = el("input", { type: "search", placeholder: "conv, adam, 0.5 …", value: app.state.get("filter", ""), oninput: () => (keep({ filter: filter.value }), drawTable()) });
    const table = el("div", { class: "scroll runs-scroll" });
    const plot = curves({ label: "Curves of the chosen runs", y: column, format: (v) => columnText(column, v) });
    const columns = choice({ label: "Column", options: COLUMNS, value: column, on: (v) => {
      column = v;
      keep({ column: v });
      drawPlot();
    } });
    const smoothing = slider({ label: "Smoothing", min: 0, max: 0.95, step: 0.05, value: smooth, format: (v) => (v ? v.toFixed(2) : "none"), on: (v) => {
      smooth = v;
      keep({ smooth: v ? String(v) : null });
      drawPlot();
    } });

    root.append(
      screenHead("Runs", "Every training that was saved, by this page or by `digitlab train`."),
      el("div", { class: "stack results" },
        panel({ title: "All runs", sentence: "The columns show the settings in which runs differ. Tick runs to compare their curves; click a name for details.", docs: "see-training.md" },
          el("label", { class: "field" }, el("span", {}, "Filter by name, note or setting"), filter), table),
        panel({ title: "Training curves", sentence: `Up to ${MOST} selected runs. Smoothing is an exponential moving average; pale lines are the unsmoothed values.`, docs: "see-training.md" },
          el("div", { class: "row spread" }, columns.element, el("div", { class: "speed" }, smoothing.element)), plot.element)),
    );

    async function load() {
      try {
        ({ runs, broken, older } = await app.api.get("runs"));
        if (stopped) return;
        state = "There is no run yet: the screen Train makes one, and so does `digitlab train`.";
        if (first) for (const run of runs.slice(0, 2)) chosen.add(run.name);
        first = first && !runs.length;
        const found = JSON.stringify([runs, broken, older]);
        if (found !== drawn) drawTable(); // replaced buttons lose the focus
        drawn = found;
        await loadCurves(true);
      } catch (error) {
        app.say(error.message, { bad: true });
        state = "The list of runs is unavailable.";
        if (!runs.length) drawTable();
      }
      clearTimeout(timer);
      again();
    }

    function again() {
      if (!stopped) timer = setTimeout(() => (document.hidden ? again() : load()), EVERY);
    }

    async function loadCurves(again = false) {
      for (const run of runs.filter(({ name }) => chosen.has(name)).slice(0, MOST))
        if (!rows.has(run.name) || (again && isLive(run))) rows.set(run.name, (await app.api.get(`run?name=${encodeURIComponent(run.name)}`)).rows);
      if (!stopped) drawPlot();
    }

    function toggle(name, on) {
      if (on) chosen.add(name);
      else chosen.delete(name);
      keep({ chosen: [...chosen].join(BETWEEN) });
      loadCurves();
    }

    function drawTable() {
      const settings = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))].filter((name) => name !== "epochs");
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const text = (run) => [run.name, run.note, run.best_text, ...Object.entries(run.settings).map(([k, v]) => `${k}=${v}`)].join(" ").toLowerCase();
      const shown = sorted(runs.filter((run) => words.every((word) => text(run).includes(word))), order);
      const head = (name, label, number = false) => el("th", { scope: "col", class: number ? "number" : null, "aria-sort": order.column === name ? (order.down ? "descending" : "ascending") : null },
        el("button", { type: "button", class: "sort", onclick: () => {
          order = { column: name, down: order.column === name ? !order.down : true };
          keep({ sort: name, up: order.down ? null : "1" });
          drawTable();
        } }, label, order.column === name ? (order.down ? " ↓" : " ↑") : ""));
      fill(table,
        runs.length ? el("table", { class: "runs" },
          el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hidden-text" }, "Selected")), head("name", "run"), head("best", "best", true), el("th", { scope: "col" }, "curve"), head("done", "epochs", true), head("seconds", "seconds", true), settings.map((name) => head(name, name)), head("note", "note"))),
          el("tbody", {}, shown.map((run) => el("tr", {},
            el("td", {}, el("input", { type: "checkbox", checked: chosen.has(run.name), "aria-label": `Show the curve of ${run.name}`, onchange: (event) => toggle(run.name, event.target.checked) })),
            el("th", { scope: "row" }, el("a", { href: `#/runs?run=${encodeURIComponent(run.name)}`, title: run.name }, run.name), isLive(run) ? el("span", { class: "live" }, "live") : null),
            el("td", { class: "number" }, run.best_text ?? "–"),
            el("td", {}, sparkline(run)),
            el("td", { class: "number" }, run.done < run.epochs ? `${run.done} of ${run.epochs}` : String(run.done)),
            el("td", { class: "number" }, run.seconds === undefined ? "–" : run.seconds.toFixed(1)),
            settings.map((name) => el("td", {}, run.settings[name] ?? "–")),
            el("td", { title: run.note || null }, run.note))))) : el("p", {}, prose(state)),
        shown.length || !runs.length ? null : el("p", { class: "muted" }, "No run matches this filter."),
        older ? el("p", { class: "muted" }, `These are the newest runs; ${older} older ones are left out.`) : null,
        broken.map(({ name, error }) => el("p", { class: "note bad" }, `${name} cannot be read: ${error}`)));
    }

    function drawPlot() {
      const names = runs.map(({ name }) => name).filter((name) => chosen.has(name) && rows.has(name)).slice(0, MOST);
      plot.draw(names.flatMap((name, i) => {
        const points = rows.get(name).filter((row) => Number.isFinite(row[column])).map((row) => [row.epoch, row[column]]);
        if (!points.length) return [];
        const line = { name, colour: i + 1, points: smooth ? smoothed(points, smooth) : points };
        return smooth ? [{ ...line, faint: true, points }, line] : [line];
      }), { y: COLUMNS.find(([key]) => key === column)?.[1] });
    }

    drawTable();
    load();
    const off = app.on("theme", () => (drawTable(), drawPlot()));
    return () => {
      off();
      plot.stop();
      clearTimeout(timer);
    };
  }

  return () => {
    stopped = true;
    stopPage?.();
  };
}
