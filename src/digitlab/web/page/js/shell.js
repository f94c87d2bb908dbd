// The frame: navigation, theme, projector mode, keyboard, and the state that all screens share.
import { State } from "./state.js";
import { el, fill, icon, prose } from "./ui/dom.js";
import { button, checkbox } from "./ui/controls.js";
import { ICONS } from "./ui/icons.js";
import { recall, remember } from "./ui/store.js";
import { forgetColours } from "./ui/theme.js";

/** What every screen gets: the network and image at hand, the server or null, and events "image", "network", "theme". */
class App {
  constructor(api) {
    this.api = api;
    this.state = new State();
    this.network = null;
    this.networkName = "";
    this.image = null;
    this.said = new Map(); // lines on the screen, by their text
    this.handlers = { image: [], network: [], theme: [] };
  }

  /** Call f on an event; returns a function that ends it. Screens call that when they unmount. */
  on(event, f) {
    this.handlers[event].push(f);
    return () => (this.handlers[event] = this.handlers[event].filter((other) => other !== f));
  }

  emit(event) {
    for (const f of [...this.handlers[event]]) f();
  }

  setNetwork(network, name) {
    this.network = network;
    this.networkName = name;
    const summary = network?.summary ?? "";
    const line = fill(document.getElementById("network-name"), el("b", {}, name), el("span", {}, `  ${summary}`));
    line.title = `${name}  ${summary}`.trim(); // the line is cut where it is too long
    this.emit("network");
  }

  /** `pixels` is Float32Array(784), 0 to 1; `source` says how it was made: { kind: "drawing" | "mnist" | …, …, label }. */
  setImage(pixels, source = {}) {
    this.image = { pixels, ...source };
    this.emit("image");
  }

  /** One sentence for a few seconds, read by screen readers, too. What is said again stays longer, as one line. */
  say(text, { bad = false } = {}) {
    const line = this.said.get(text)?.line ?? el("p", { class: bad ? "bad" : null }, prose(text));
    clearTimeout(this.said.get(text)?.timer);
    if (!line.isConnected) document.getElementById("status").append(line);
    const remove = () => {
      line.remove();
      this.said.delete(text);
    };
    this.said.set(text, { line, timer: setTimeout(remove, bad ? 9000 : 4500) });
  }
}

/** Build the frame around these screens and show the one that the address names. Returns the app. */
export function start({ screens, api = null }) {
  const app = new App(api);
  const shown = screens.filter((screen) => api || !screen.needsServer);
  const links = new Map();
  const main = document.getElementById("main");
  let mounted = null;

  fill(
    document.getElementById("nav"),
    el("ul", {}, shown.map((screen) => {
      const link = el("a", { href: `#/${screen.id}` }, icon(ICONS[screen.id] ?? ICONS.draw), el("span", {}, screen.title), el("span", { class: "key", "aria-hidden": "true" }, screen.key));
      links.set(screen.id, link);
      return el("li", {}, link);
    })),
  );

  function show({ focus = true } = {}) {
    const screen = shown.find((each) => each.id === app.state.screen) ?? shown[0];
    mounted?.();
    for (const [id, link] of links) {
      link.href = app.state.visited[id] ?? `#/${id}`;
      if (id === screen.id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    app.state.screen = screen.id;
    document.title = `${screen.title} · digitlab`;
    document.documentElement.dataset.screen = screen.id;
    main.replaceChildren();
    window.scrollTo(0, 0);
    mounted = screen.mount(main, app) ?? null;
    if (focus) main.focus({ preventScroll: true });
  }

  function applyTheme(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    forgetColours();
    app.emit("theme");
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : dark.matches);
  dark.addEventListener("change", () => applyTheme(recall("theme")));

  function toggleTheme() {
    const next = isDark() ? "light" : "dark";
    remember("theme", next);
    applyTheme(next);
  }

  /** Keys of one character get in the way of speech input, so they can be switched off (WCAG 2.1.4). */
  function useShortcuts(on) {
    shortcuts.set(on);
    remember("shortcuts", on ? null : "off");
    document.documentElement.toggleAttribute("data-no-shortcuts", !on);
    for (const screen of shown) {
      if (on) links.get(screen.id).setAttribute("aria-keyshortcuts", screen.key);
      else links.get(screen.id).removeAttribute("aria-keyshortcuts");
    }
  }

  function toggleProjector(on = !("projector" in document.documentElement.dataset)) {
    if (on) document.documentElement.dataset.projector = "";
    else delete document.documentElement.dataset.projector;
    remember("projector", on ? "1" : null);
    projector.setAttribute("aria-pressed", String(on));
    app.emit("theme");
  }

  const shortcuts = checkbox({ label: "Use these keys", value: true, on: useShortcuts });
  const close = button("Close", { on: () => help.close(), kind: "primary" });
  const help = el("dialog", { "aria-label": "Keyboard" });
  const keys = [...shown.map((s) => [s.key, s.title]), ["t", "light or dark"], ["p", "projector mode: everything larger"], ["?", "this list"]];
  help.append(
    el("h2", {}, "Keyboard"),
    el("dl", {}, keys.map(([key, text]) => [el("dt", {}, el("span", { class: "key" }, key)), el("dd", {}, text)])),
    shortcuts.element,
    el("div", { class: "row" }, close, api ? button("Stop the server", { on: stopServer }) : null),
  );
  document.body.append(help);

  function showHelp() {
    help.showModal();
    close.focus(); // not the first control: it changes something
  }

  async function stopServer() {
    help.close();
    try {
      await api.post("stop");
      app.say("The server has stopped. Start it again with `digitlab play`.");
    } catch (error) {
      app.say(error.message, { bad: true });
    }
  }

  const projector = button("", { path: ICONS.projector, label: "Projector mode (p)", kind: "quiet", on: () => toggleProjector(), "aria-pressed": "false" });
  fill(
    document.getElementById("tools"),
    projector,
    button("", { path: ICONS.theme, label: "Light or dark (t)", kind: "quiet", on: toggleTheme }),
    button("", { path: ICONS.keyboard, label: "Keyboard (?)", kind: "quiet", on: showHelp }),
  );
  document.getElementById("skip").addEventListener("click", () => main.focus());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || !shortcuts.value) return;
    if (event.target.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea")) return;
    const screen = shown.find((each) => each.key === event.key);
    if (screen) location.hash = links.get(screen.id).getAttribute("href");
    else if (event.key === "t") toggleTheme();
    else if (event.key === "p") toggleProjector();
    else if (event.key === "?") showHelp();
    else return;
    event.preventDefault();
  });

  useShortcuts(recall("shortcuts") !== "off");
  applyTheme(recall("theme"));
  if (recall("projector")) toggleProjector(true);
  app.state.onChange(show);
  app.show = show;
  return app;
}
