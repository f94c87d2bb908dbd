// The state that a link carries, in the fragment: #/train?layers=30&eta=3. The server never sees a fragment.

export class State {
  constructor() {
    this.visited = {}; // the fragment with which each screen was left
    this.read();
    this.listeners = [];
    window.addEventListener("hashchange", () => {
      this.read();
      for (const listener of this.listeners) listener();
    });
  }

  read() {
    const [, screen = "", query = ""] = location.hash.match(/^#\/([\w-]*)\??(.*)$/) ?? [];
    this.screen = screen;
    this.values = new URLSearchParams(query);
    this.visited[this.screen] = this.address();
  }

  /** Called when someone follows a link or goes back. */
  onChange(listener) {
    this.listeners.push(listener);
  }

  get(name, fallback = null) {
    return this.values.get(name) ?? fallback;
  }

  /** Put settings into the address without a new entry in the history; null removes one. */
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === "") this.values.delete(name);
      else this.values.set(name, value);
    }
    this.visited[this.screen] = this.address();
    try {
      history.replaceState(null, "", this.address());
    } catch {
      // a frame without an address of its own: the settings are kept for this page only
    }
  }

  /** The fragment of a screen, without the settings of another one. */
  address(screen = this.screen, values = this.values) {
    const query = values.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    return `#/${screen}${query ? `?${query}` : ""}`;
  }
}
