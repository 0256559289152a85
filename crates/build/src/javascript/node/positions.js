// Where each line of the bundle came from.

import { resolve } from "node:path";

import { decode } from "@jridgewell/sourcemap-codec";

/** @typedef {import("../../../../../sdk/javascript/src/built.js").Positions} Positions */

/**
 * The positions of a bundle that stands below one more line.
 *
 * @param {string} file the bundle's name in stacks
 * @param {string} sourceMap
 * @param {string} folder that the source map's paths are relative to
 * @param {(path: string) => string | undefined} authors the name of a file of the author's, none for others
 * @returns {Positions}
 */
export function positionsOf(file, sourceMap, folder, authors) {
  const map = JSON.parse(sourceMap);
  const names = map.sources.map((/** @type {string} */ source) => authors(resolve(folder, source)));
  /** @type {string[]} */
  const sources = [];
  const numbers = names.map((/** @type {string | undefined} */ name) =>
    name === undefined ? -1 : sources.push(name) - 1,
  );
  const lines = decode(map.mappings).map((segments) =>
    segments
      .map(([start, source, line, column]) =>
        source === undefined || line === undefined || numbers[source] < 0
          ? `${start}`
          : `${start},${numbers[source]},${line + 1},${(column ?? 0) + 1}`,
      )
      .join(";"),
  );
  return { file, sources, lines: ["", ...lines].join("\n") };
}

/**
 * Where a place in the bundle came from. None if it is not the author's.
 *
 * @param {Positions} positions
 * @param {number} line
 * @param {number} column
 */
export function find({ sources, lines }, line, column) {
  const segments = (lines.split("\n")[line - 1] ?? "").split(";").map((segment) => segment.split(",").map(Number));
  const segment = segments.findLast(([start]) => start < column) ?? segments[0];
  const [, source, row, start] = segment;
  return row === undefined ? undefined : { file: sources[source], line: row, column: start };
}
