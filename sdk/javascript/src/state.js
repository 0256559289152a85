// `conv.state`: what this conversation knows.

import { setError } from "./errors.js";
import { decode, encode, isSame } from "./values.js";

/**
 * @typedef {import("../index.d.ts").State} State
 * @typedef {import("./host.js").Value} Value
 */

/** What a key holds, as JavaScript and the contract know it: what was read or set last. */
class Slot {
  /**
   * @param {unknown} value
   * @param {Value} kept
   */
  constructor(value, kept) {
    this.value = value;
    this.kept = kept;
  }

  /**
   * The value as it is to be kept if it was changed in place since.
   *
   * @param {string} key
   * @returns {Value | undefined}
   */
  changed(key) {
    if (typeof this.value !== "object" || this.value === null) return undefined;
    const now = encode(key, this.value);
    if (isSame(now, this.kept)) return undefined;
    // What others have written need not be written as we would have.
    return isSame(now, encode(key, decode(key, this.kept))) ? undefined : now;
  }
}

/** The conversation's state, and what was read of it in this turn. */
export class StateKeeper {
  /** @type {import("./host.js").State} */
  #host;

  /**
   * The keys that were read or set, `undefined` for one that is not there.
   *
   * @type {Map<string, Slot | undefined>}
   */
  #slots = new Map();

  /** @param {import("./host.js").Host} host */
  constructor(host) {
    this.#host = host.state;
    /** What functions are given: its members are the state's. */
    this.view = /** @type {State} */ (/** @type {unknown} */ (new Proxy(this, VIEW)));
  }

  /** @param {string} key */
  get(key) {
    return this.#slot(key)?.value;
  }

  /** @param {string} key */
  has(key) {
    return this.#slot(key) !== undefined;
  }

  /**
   * @param {string} key
   * @param {unknown} value
   */
  set(key, value) {
    if (value === undefined) {
      this.delete(key);
      return;
    }
    const kept = encode(key, value);
    this.#put(key, kept);
    this.#slots.set(key, new Slot(value, kept));
  }

  /** @param {string} key */
  delete(key) {
    this.#slots.set(key, undefined);
    return this.#host.remove(key);
  }

  /** All keys, in the order in which they were first set. */
  keys() {
    return this.#host.entries().map(({ key, value }) => {
      if (!this.#slots.has(key)) this.#slots.set(key, new Slot(decode(key, value), value));
      return key;
    });
  }

  /**
   * Sets what was changed in place (rule V2). What is refused stays as it was.
   *
   * @returns {unknown[]} the refusals
   */
  settle() {
    const refusals = [];
    for (const [key, slot] of this.#slots) {
      try {
        const kept = slot?.changed(key);
        if (slot === undefined || kept === undefined) continue;
        this.#put(key, kept);
        slot.kept = kept;
      } catch (error) {
        refusals.push(error);
      }
    }
    return refusals;
  }

  /**
   * @param {string} key
   * @returns {Slot | undefined}
   */
  #slot(key) {
    if (!this.#slots.has(key)) {
      const kept = this.#host.get(key);
      this.#slots.set(key, kept === undefined ? undefined : new Slot(decode(key, kept), kept));
    }
    return this.#slots.get(key);
  }

  /**
   * @param {string} key
   * @param {Value} value
   */
  #put(key, value) {
    try {
      this.#host.set(key, value);
    } catch (error) {
      throw setError(key, error);
    }
  }
}

/** The names that are no members of the state. */
const METHODS = /** @type {Set<PropertyKey>} */ (new Set(["get", "set", "has", "delete", Symbol.iterator]));

/**
 * Makes of a keeper an object whose members are the state's, beside a few methods. One handler serves all, as making one
 * would cost every turn.
 *
 * @type {ProxyHandler<StateKeeper>}
 */
const VIEW = {
  get(state, key) {
    if (METHODS.has(key)) return method(state, key);
    if (typeof key === "string" && state.has(key)) return state.get(key);
    // Such as `toString`, which every object has.
    return key === "__proto__" || key === "constructor" ? undefined : Reflect.get(Object.prototype, key);
  },
  has: (state, key) => typeof key === "string" && state.has(key),
  set(state, key, value) {
    state.set(member(key), value);
    return true;
  },
  defineProperty(state, key, { get, set, value }) {
    if (get !== undefined || set !== undefined) throw new TypeError("`conv.state` holds values, and no accessors");
    state.set(member(key), value);
    return true;
  },
  deleteProperty(state, key) {
    state.delete(member(key));
    return true;
  },
  getPrototypeOf: () => Object.prototype,
  preventExtensions: () => false,
  ownKeys: (state) => state.keys(),
  getOwnPropertyDescriptor: (state, key) =>
    typeof key === "string" && state.has(key)
      ? { value: state.get(key), writable: true, enumerable: true, configurable: true }
      : undefined,
};

/**
 * @param {StateKeeper} state
 * @param {PropertyKey} name
 */
function method(state, name) {
  switch (name) {
    case "get":
      return (/** @type {string} */ key, /** @type {unknown} */ fallback) =>
        state.has(key) ? state.get(key) : fallback;
    case "set":
      return (/** @type {string} */ key, /** @type {unknown} */ value) => state.set(key, value);
    case "has":
      return (/** @type {string} */ key) => state.has(key);
    case "delete":
      return (/** @type {string} */ key) => state.delete(key);
    default:
      return function* () {
        for (const key of state.keys()) yield [key, state.get(key)];
      };
  }
}

/**
 * The key of a member.
 *
 * @param {PropertyKey} key
 */
function member(key) {
  if (typeof key === "symbol") throw new TypeError("a key of `conv.state` is a text, and no symbol");
  if (METHODS.has(key)) {
    throw new TypeError(`\`${String(key)}\` is a method of \`conv.state\`: use another key, or \`conv.state.set\``);
  }
  return String(key);
}
