// Values on their way into the state and back: JSON where it has a word for them, a structured text where not.
//
// JSON comes first because only JSON can be remembered. It is used where reading it back gives the very same value; so a
// `Date`, a `Map` or an object that refers to itself is kept in another form, and is the same in the next turn.

import * as devalue from "devalue";

import { NotJsonError } from "./errors.js";
import { NotJson, parse, stringifyFaithfully, typeName } from "./json.js";

/** @typedef {import("./host.js").Value} Value */

/**
 * A value of the state as the contract knows it.
 *
 * @param {string} key
 * @param {unknown} value
 * @returns {Value}
 * @throws {NotJsonError} if there is no way to keep it
 */
export function encode(key, value) {
  try {
    return { tag: "json", val: stringifyFaithfully(value) };
  } catch (error) {
    return { tag: "opaque", val: { typeName: named(value, error), bytes: structured(key, value) } };
  }
}

/**
 * A value of the state as JavaScript knows it.
 *
 * @param {string} key
 * @param {Value} value
 * @returns {unknown}
 */
export function decode(key, value) {
  if (value.tag === "json") return parse(value.val);
  try {
    return devalue.parse(new TextDecoder("utf-8", { fatal: true }).decode(value.val.bytes), revivers);
  } catch (error) {
    throw new NotJsonError(key, `its \`${value.val.typeName}\` cannot be read back (${text(error)})`);
  }
}

/**
 * Whether two values are the same in the contract.
 *
 * @param {Value} one
 * @param {Value} other
 */
export function isSame(one, other) {
  if (one.tag === "json" || other.tag === "json") return one.tag === other.tag && one.val === other.val;
  const [left, right] = [one.val.bytes, other.val.bytes];
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

// Not every engine tells what an address is by the tag that the library looks at.
const reducers = {
  /** @param {unknown} value */
  URL: (value) => value instanceof URL && value.href,
  /** @param {unknown} value */
  URLSearchParams: (value) => value instanceof URLSearchParams && [String(value)],
  /** @param {unknown} value */
  Error: (value) =>
    value instanceof Error && [value.name, value.message, value.stack, "cause" in value ? [value.cause] : []],
};

const revivers = {
  /** @param {string} href */
  URL: (href) => new URL(href),
  /** @param {[string]} text */
  URLSearchParams: ([text]) => new URLSearchParams(text),
  /** @param {[string, string, string | undefined, [unknown?]]} parts */
  Error: ([name, message, stack, cause]) => {
    const options = cause.length > 0 ? { cause: cause[0] } : undefined;
    const error = new (ERRORS[name] ?? Error)(message, options);
    if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
    Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
    return error;
  },
};

/** @type {Record<string, ErrorConstructor>} */
const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/**
 * @param {string} key
 * @param {unknown} value
 */
function structured(key, value) {
  try {
    return new TextEncoder().encode(devalue.stringify(value, reducers));
  } catch (error) {
    if (!(error instanceof devalue.DevalueError)) throw new NotJsonError(key, text(error));
    // The keys of a `Map` are values, which no message may hold.
    const [path] = error.path.split(".get(");
    const where = path === "" ? "" : ` at \`${path}\``;
    const problem = `a \`${typeName(error.value)}\`${where} does not outlast the turn: set what it consists of`;
    throw new NotJsonError(key, problem);
  }
}

/**
 * The name of the type that keeps a value from being JSON: its own, or that of the first such part of it.
 *
 * @param {unknown} value
 * @param {unknown} problem why it is no JSON
 */
function named(value, problem) {
  const own = typeName(value);
  // Whatever else JSON has no word for is an object that refers to itself.
  if (!(problem instanceof NotJson)) return `circular ${own}`;
  return problem.typeName === own ? own : `${own} with a ${problem.typeName}`;
}

/** @param {unknown} error */
function text(error) {
  return error instanceof Error ? error.message : String(error);
}
