// What is wrong with sources, and where.

import { relative, sep } from "node:path";

/**
 * @typedef {object} Problem
 * @property {string} message what is wrong and what to do
 * @property {string} [file] relative to the project's folder
 * @property {number} [line] counted from one
 * @property {number} [column] counted from one
 * @property {string} [text] the line itself
 */

/** Sources cannot be built. */
export class Problems extends Error {
  /** @param {Problem[]} problems */
  constructor(problems) {
    super("the sources cannot be built");
    this.problems = problems;
  }
}

/**
 * What messages call a file.
 *
 * @param {string} root the project's folder
 * @param {string} path
 */
export function shown(root, path) {
  return relative(root, path).split(sep).join("/");
}
