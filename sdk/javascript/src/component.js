// From an agent's sources to the component's exports.

import { begin, loadingRemarks } from "./sandbox.js";
import { built } from "./built.js";
import { Conversation } from "./conversation.js";
import { ArgumentsError } from "./errors.js";
import { Registry, SourceError } from "./functions.js";
import { NotJson, parse, stringify, stringifyLoosely, typeName } from "./json.js";
import { place, trace } from "./trace.js";
import { warmUp } from "./warm.js";

/** What a line of the build's output begins with that is for the build and not for people. */
const REPORT = "agent-memory-report:";

/** What SpiderMonkey throws when there is no more memory. */
const OUT_OF_MEMORY = "out of memory";

/**
 * A source file that is yet to be loaded.
 *
 * @typedef {object} Unloaded
 * @property {string} file
 * @property {string} [flow]
 * @property {string} [only]
 * @property {() => Promise<Record<string, unknown>>} load
 */

/**
 * Loads an agent's sources, which happens once, when the component is built.
 *
 * @param {import("./host.js").Host} host
 * @param {Unloaded[]} sources
 * @returns what the component exports
 */
export async function agent(host, sources) {
  /** @type {Registry} */
  let registry;
  try {
    const loaded = [];
    for (const { load, ...source } of sources) {
      loaded.push({ ...source, exports: await load(), declared: built()?.declared[source.file] ?? {} });
    }
    registry = new Registry(loaded);
  } catch (error) {
    const isOurs = error instanceof SourceError;
    const where = isOurs ? { place: error.place, trace: "" } : { place: place(error), trace: trace(error) };
    report({ error: { ...failure(error), ...where, isOurs } });
    throw error;
  }
  report({ functions: registry.names, remarks: loadingRemarks() });
  warmUp(host, registry);
  return {
    describe: () => registry.describe(),
    /**
     * @param {string} name
     * @param {string} args
     */
    call(name, args) {
      begin();
      return call(host, registry, name, args);
    },
  };
}

/**
 * Calls a function. What it throws is the contract's `call-error`.
 *
 * @param {import("./host.js").Host} host
 * @param {Registry} registry
 * @param {string} name
 * @param {string} text
 * @returns {string | Promise<string>} the JSON text of what the function returned
 */
export function call(host, registry, name, text) {
  const entry = registry.find(name);
  if (entry === undefined) throw { tag: "unknown-function" };
  const args = fittedTo(entry, text);
  const conv = new Conversation(host, registry);
  /** @param {unknown} error */
  const failed = (error) => {
    // What the function threw matters more than what it has changed in place in vain.
    for (const refusal of Conversation.settle(conv)) conv.log.error(refusal);
    throw callError(error);
  };
  /** @param {unknown} value */
  const returned = (value) => {
    const [refusal] = Conversation.settle(conv);
    if (refusal !== undefined) throw callError(refusal);
    try {
      return stringify(value);
    } catch (error) {
      const isNoJson = error instanceof NotJson;
      throw callError(isNoJson ? new TypeError(`\`${entry.name}\` (${entry.place}) returned ${error.message}`) : error);
    }
  };
  let result;
  try {
    result = entry.run(conv, args);
  } catch (error) {
    return failed(error);
  }
  return isThenable(result) ? Promise.resolve(result).then(returned, failed) : returned(result);
}

/**
 * @param {ReturnType<Registry["find"]> & {}} entry
 * @param {string} text
 */
function fittedTo(entry, text) {
  try {
    return entry.fitted(parse(text));
  } catch (error) {
    if (error instanceof ArgumentsError) throw { tag: "invalid-arguments", val: error.message };
    if (error instanceof SyntaxError) throw { tag: "invalid-arguments", val: "the arguments are no JSON" };
    throw callError(error);
  }
}

/**
 * @param {unknown} error
 * @returns {unknown} the contract's error
 */
function callError(error) {
  // There is nothing left to go on with: the sandbox ends the turn, and knows why.
  if (error === OUT_OF_MEMORY) return error;
  return { tag: "failed", val: failure(error) };
}

/**
 * An error as the contract knows it.
 *
 * @param {unknown} error
 */
function failure(error) {
  if (!(error instanceof Error)) {
    const message = typeof error === "string" ? error : stringifyLoosely(error);
    return { name: typeName(error), message, trace: "" };
  }
  // A class that does not say its name has one all the same.
  const name = error.name === "Error" ? (error.constructor?.name ?? error.name) : error.name;
  return { name: String(name), message: String(error.message), trace: trace(error) };
}

/**
 * @param {unknown} value
 * @returns {value is PromiseLike<unknown>}
 */
function isThenable(value) {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * Tells the build something.
 *
 * @param {object} message
 */
function report(message) {
  console.log(`${REPORT}${JSON.stringify(message)}`);
}
