// Where an error came from, in the author's own files and lines.
//
// All sources are bundled into one file. The build knows where each of its lines came from.

import { built } from "./built.js";

/** The most frames of a stack that a trace has. */
const FRAMES = 32;

/** @typedef {{ name: string, file: string, line: number, column: number }} Frame */

/**
 * The frames of an error's stack that are the author's, innermost first, one on a line, and those of its causes.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function trace(error) {
  const lines = [];
  for (let depth = 0; error instanceof Error && depth < 8; depth++, error = error.cause) {
    if (depth > 0) lines.push(`caused by ${error.name}: ${error.message}`);
    lines.push(...framesOf(error).slice(0, FRAMES).map(shown));
  }
  return lines.join("\n");
}

/**
 * Where the author's code made an error, or called what made it. Empty if there is no telling.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function place(error) {
  const [frame] = error instanceof Error ? framesOf(error) : [];
  return frame === undefined ? "" : `${frame.file}:${frame.line}`;
}

/**
 * The author's frames of an error's stack, but for those in which classes of errors make it.
 *
 * @param {Error} error
 */
function framesOf(error) {
  const all = frames(error.stack ?? "");
  const classes = new Set();
  for (
    let kind = error.constructor;
    typeof kind === "function" && kind.name !== "";
    kind = Object.getPrototypeOf(kind)
  ) {
    classes.add(kind.name);
  }
  const first = all.findIndex(({ name }) => !classes.has(name.replace(/^new /, "")));
  return first < 0 ? [] : all.slice(first);
}

/**
 * The author's frames of a stack.
 *
 * @param {string} stack
 * @returns {Frame[]}
 */
function frames(stack) {
  const positions = built()?.positions;
  return stack.split("\n").flatMap((line) => {
    // `name@file:1:2` is SpiderMonkey's form, `    at name (file:1:2)` that of Node.js.
    const found = /^(.*?)@(.*):(\d+):(\d+)$/.exec(line) ?? /^\s+at (?:(.*?) \()?(.*):(\d+):(\d+)\)?$/.exec(line);
    if (found === null) return [];
    const [, name = "", file, row, column] = found;
    const frame = { name, file, line: Number(row), column: Number(column) };
    return positions === undefined ? [frame] : located(positions, frame);
  });
}

/**
 * A frame of the bundle as one of the author's. None if it is not the author's.
 *
 * @param {import("./built.js").Positions} positions
 * @param {Frame} frame
 * @returns {Frame[]}
 */
function located({ file, sources, lines }, frame) {
  if (frame.file !== file) return [];
  const segments = (lines.split("\n")[frame.line - 1] ?? "")
    .split(";")
    .map((segment) => segment.split(",").map(Number));
  const segment = segments.findLast(([start]) => start < frame.column) ?? segments[0];
  const [, source, line, column] = segment;
  return line === undefined ? [] : [{ ...frame, file: sources[source], line, column }];
}

/** @param {Frame} frame */
function shown({ name, file, line, column }) {
  const position = `${file}:${line}:${column}`;
  const own = named(name);
  // What runs when a file is loaded is named after the file.
  return own === "" || own === file ? `at ${position}` : `at ${own} (${position})`;
}

/**
 * A function's name without what SpiderMonkey says of functions that have none.
 *
 * @param {string} name
 */
function named(name) {
  return name.replace(/^(?:async|promise callback|setTimeout handler)\*/, "").replace(/(?:\/?<)+$/, "");
}
