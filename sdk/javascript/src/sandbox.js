// What the language promises and the sandbox cannot keep, or keeps in a way that would surprise.
//
// All that runs while the sources are loaded runs once, when the component is built, and what it leaves in memory is what
// every turn begins with. Imported first, this module makes sure that no chance is frozen that way without a word.

import { SandboxError } from "./errors.js";
import { place } from "./trace.js";

/** What the author should know of how the sources were loaded. */
const remarks = /** @type {Map<string, { message: string, place: string }>} */ (new Map());

let isLoading = true;

/** Ends the time in which sources are loaded. Until then, nothing can be asked of the world. */
export function begin() {
  isLoading = false;
}

/** What the author should know of how the sources were loaded. */
export function loadingRemarks() {
  return [...remarks.values()];
}

const { random } = Math;
const { getRandomValues, randomUUID } = crypto;
let next = 0x2545f491;

Math.random = function () {
  if (!isLoading) return random();
  // The engine's own numbers cannot be had yet. These are the same in every build.
  const message = "`Math.random()` while this file is loaded gives one number for all turns: call it inside a function";
  const where = place(new Error());
  remarks.set(where, { message, place: where });
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return (next >>> 0) / 2 ** 32;
};

Object.defineProperties(crypto, {
  getRandomValues: member(function (/** @type {any} */ array) {
    if (isLoading) refuseFrozen("crypto.getRandomValues");
    return getRandomValues.call(crypto, array);
  }),
  randomUUID: member(function () {
    if (isLoading) refuseFrozen("crypto.randomUUID");
    return randomUUID.call(crypto);
  }),
});

const { now } = performance;

// There is no time yet to be measured from.
Object.defineProperty(
  performance,
  "now",
  member(() => (isLoading ? 0 : now.call(performance))),
);

for (const name of /** @type {const} */ (["setTimeout", "setInterval"])) {
  const original = globalThis[name];
  Object.defineProperty(
    globalThis,
    name,
    member((/** @type {Parameters<typeof setTimeout>} */ ...args) => {
      if (isLoading)
        throw new SandboxError(`\`${name}\` while files are loaded would never be heard of: call it inside a function`);
      return original(...args);
    }),
  );
}

globalThis.fetch = async function fetch() {
  throw new SandboxError(
    "functions have no network: ask the platform with `conv.request`, `conv.api` or `conv.integrations`",
  );
};

for (const { prototype } of [Number, BigInt, Date]) {
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) withoutLocale(prototype, name, 0);
}
withoutLocale(String.prototype, "localeCompare", 1);

/**
 * Has a method refuse what comes after so many arguments: a language and options, which the engine would ignore.
 *
 * @param {any} prototype
 * @param {string} name
 * @param {number} known
 */
function withoutLocale(prototype, name, known) {
  const original = prototype[name];
  if (original === undefined) return;
  /** @this {unknown} */
  const method = function (/** @type {unknown[]} */ ...args) {
    if (args.every((value, index) => index < known || value === undefined)) return original.apply(this, args);
    const problem = `\`${name}\` can do nothing with its arguments`;
    const why = "the sandbox knows no languages, and no time zones but UTC";
    throw new SandboxError(`${problem}: ${why}. Use a package that has what you need, or ask the platform`);
  };
  Object.defineProperty(prototype, name, member(method));
}

/**
 * @param {string} name
 * @returns {never}
 */
function refuseFrozen(name) {
  throw new SandboxError(
    `\`${name}\` while files are loaded would give the same in all turns: call it inside a function`,
  );
}

/** @param {Function} value */
function member(value) {
  return { value, writable: true, configurable: true };
}
