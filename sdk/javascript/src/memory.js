// `conv.memory`: what earlier conversations left on this caller.

import { parse } from "./json.js";

/** @typedef {import("../index.d.ts").Memory} Memory */

/**
 * The caller's memory, as it stood when the turn began. All of it is brought over when something is first asked of it.
 *
 * @param {import("./host.js").Host} host
 * @returns {Memory}
 */
export function createMemory(host) {
  /** @type {Map<string, string> | undefined} */
  let stored;
  const fields = () => (stored ??= new Map(host.memory.fields().map(({ key, value }) => [key, value])));

  // A value is read anew each time, so that nothing that is done to it shows elsewhere.
  function* entries() {
    for (const [key, text] of fields()) yield /** @type {[string, unknown]} */ ([key, parse(text)]);
  }

  const memory = {
    /**
     * @param {string} key
     * @param {unknown} [fallback]
     */
    get(key, fallback) {
      const text = fields().get(key);
      return text === undefined ? fallback : parse(text);
    },
    /** @param {string} key */
    has: (key) => fields().has(key),
    get size() {
      return fields().size;
    },
    fields: () => Object.fromEntries(entries()),
    keys: () => fields().keys(),
    *values() {
      for (const text of fields().values()) yield parse(text);
    },
    entries,
    [Symbol.iterator]: entries,
  };
  return /** @type {Memory} */ (new Proxy(memory, { set: refuse, defineProperty: refuse, deleteProperty: refuse }));
}

/** @returns {never} */
function refuse() {
  throw new TypeError(
    "`conv.memory` is read-only: what is set in `conv.state` under one of the `state_keys` is remembered",
  );
}
