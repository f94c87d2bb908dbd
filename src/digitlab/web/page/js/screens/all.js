// The screens in the order of the navigation.
import * as breakIt from "./break.js";
import * as digits from "./digits.js";
import * as draw from "./draw.js";
import * as imagine from "./imagine.js";
import * as open from "./open.js";
import * as runs from "./runs.js";
import * as step from "./step.js";
import * as train from "./train.js";

export const SCREENS = [draw, open, step, train, breakIt, digits, runs, imagine];
