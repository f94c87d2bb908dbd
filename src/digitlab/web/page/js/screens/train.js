// Train: put a network together and watch it learn.
import { screenHead } from "../ui/panel.js";

export const id = "train";
export const title = "Train";
export const key = "4";
export const needsServer = true;

export function mount(root) {
  root.append(screenHead("Train", "Put a network together, and watch it learn."));
}
