// The screens in the order of the navigation.
import * as train from "./train.js";

export const SCREENS = [train];
