// What this browser remembers for this page: theme, projector mode, the token. In a sandboxed frame: nothing.

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`digitlab.${name}`);
    else localStorage.setItem(`digitlab.${name}`, value);
  } catch {
    // storage is refused: the page works without it
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(`digitlab.${name}`);
  } catch {
    return null;
  }
}
