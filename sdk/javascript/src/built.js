// What the build has found out about the sources, and leaves in front of them for the component.

/**
 * Where the lines of the bundle came from.
 *
 * @typedef {object} Positions
 * @property {string} file the bundle's name in stacks
 * @property {string[]} sources the author's files
 * @property {string} lines for each line of the bundle, between line breaks, its segments, between semicolons: the
 *     column, the number of the source, the line and the column there, between commas, or the column alone where it is
 *     not the author's
 */

/**
 * What was learnt of a function from its source.
 *
 * @typedef {object} Declared
 * @property {string} [description]
 * @property {import("../index.d.ts").JsonSchema} [parameters] not there if its source does not tell
 * @property {boolean} [takesFlow] whether it is given the flow after the conversation
 * @property {boolean} [isHelper] whether its parameters show that it is not for the agent to call
 * @property {string} place where it stands, such as `src/functions.js:7`
 */

/**
 * @typedef {object} Built
 * @property {Positions} positions
 * @property {Record<string, Record<string, Declared>>} declared by file, and by the name by which a function is
 *     exported, in the order of the source
 */

/** The key under which it is left. */
const KEY = Symbol.for("agent-memory.built");

/**
 * What the build has left. Nothing outside of a component.
 *
 * @returns {Built | undefined}
 */
export function built() {
  return /** @type {any} */ (globalThis)[KEY];
}
