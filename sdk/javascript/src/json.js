// JSON whose numbers keep their exact text (rule V4).
//
// `1.0` is read as the number 1, and written as `1.0` where it was only passed on; an integer that a number cannot hold
// is a `BigInt`. A number has no identity by which it could be recognised when it is written. So two things are kept for
// the turn: for each object and array the texts of the numbers that were read into it, and for each number its text. The
// latter stands in where a number has left its object, and only if it was read in one spelling alone.

/** @typedef {{ value: number, text: string }} Spelt */

/** @type {WeakMap<object, Map<string, Spelt>>} */
const spellingsInside = new WeakMap();

/**
 * The unusual spelling of a number, or `null` if it has several. Zero is not the same as minus zero.
 *
 * @type {Map<number | string, string | null>}
 */
const spellings = new Map();

/**
 * All texts that were read, in which a number may stand in its usual spelling.
 *
 * @type {string[]}
 */
const read = [];

/** What JSON has no word for. */
export class NotJson extends Error {
  /** @param {string} typeName what messages call the type of the value that is at fault */
  constructor(typeName) {
    super(`a \`${typeName}\`, for which JSON has no word`);
    this.typeName = typeName;
  }
}

/**
 * The value of a JSON text.
 *
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  read.push(text);
  const value = JSON.parse(text);
  // Most texts are written as they were read. To find that out is quicker than to look at every number in them.
  return JSON.stringify(value) === text ? value : JSON.parse(text, revive);
}

/**
 * A value as JSON from which the same value is read back.
 *
 * @param {unknown} value
 * @returns {string}
 * @throws {NotJson} if there is none
 */
export function stringifyFaithfully(value) {
  return write(value, faithful);
}

/**
 * A value as JSON, also where another value would be read back, such as a text for a `Date`. Nothing is `null`.
 *
 * @param {unknown} value
 * @returns {string}
 * @throws {NotJson} if JSON has no word for the value
 */
export function stringify(value) {
  return write(value === undefined ? null : value, lenient);
}

/**
 * A value as JSON, whatever it is: a text stands for what JSON has no word for. Never throws.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function stringifyLoosely(value) {
  try {
    return JSON.stringify(value, loose) ?? JSON.stringify(asText(value));
  } catch {
    return JSON.stringify(asText(value));
  }
}

/**
 * What messages call the type of a value.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function typeName(value) {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object") return typeof value;
  if (value === null) return "null";
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "Object";
}

/** Forgets all spellings. A turn begins without any. */
export function forgetSpellings() {
  spellings.clear();
  read.length = 0;
}

/**
 * @this {any}
 * @param {string} key
 * @param {unknown} value
 * @param {{ source?: string }} [context]
 */
function revive(key, value, context) {
  if (typeof value !== "number") return value;
  const text = context?.source ?? String(value);
  if (text === String(value)) return value;
  if (!Number.isSafeInteger(value) && /^-?\d+$/.test(text)) return BigInt(text);
  let inside = spellingsInside.get(this);
  if (inside === undefined) spellingsInside.set(this, (inside = new Map()));
  inside.set(key, { value, text });
  const other = spellings.get(identity(value));
  spellings.set(identity(value), other === undefined || other === text ? text : null);
  return value;
}

/**
 * @param {unknown} value
 * @param {(this: any, key: string, value: unknown) => unknown} replace
 */
function write(value, replace) {
  if (typeof value === "string") return JSON.stringify(value);
  const text = JSON.stringify(value, replace);
  if (text === undefined) throw new NotJson(typeName(value));
  return text;
}

/**
 * @this {any}
 * @param {string} key
 * @param {unknown} converted what `toJSON` has made of the value
 */
function faithful(key, converted) {
  const value = this[key];
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return number(this, key, value);
    case "bigint":
      return raw(String(value));
    case "undefined":
      // A member without a value is no member, but an array would have `null` in its place.
      if (Array.isArray(this)) throw new NotJson("undefined");
      return undefined;
    case "object":
      if (value === null || Array.isArray(value) || isPlain(value)) return value;
      // A class of the author's may say itself what it is as JSON. The language's own are kept as what they are.
      if (typeof value.toJSON === "function" && !isOfTheLanguage(value)) return converted;
      throw new NotJson(typeName(value));
    default:
      throw new NotJson(typeof value);
  }
}

/**
 * @this {any}
 * @param {string} key
 * @param {unknown} converted
 */
function lenient(key, converted) {
  const value = this[key];
  if (value === undefined && Array.isArray(this)) return null;
  if (typeof value === "object" && value !== null) {
    if (typeof value.toJSON === "function") return converted;
    // Of a class of the author's the members are written.
    if (Object.prototype.toString.call(value) === "[object Object]") return value;
  }
  return faithful.call(this, key, converted);
}

/**
 * @this {any}
 * @param {string} key
 * @param {unknown} converted
 */
function loose(key, converted) {
  const value = this[key];
  if (value instanceof Map || value instanceof Set) return [...value];
  if (value instanceof Error) return asText(value);
  try {
    return lenient.call(this, key, converted);
  } catch {
    return asText(value);
  }
}

/**
 * A number in its own spelling.
 *
 * @param {any} holder the object or array that it is in
 * @param {string} key
 * @param {number} value
 */
function number(holder, key, value) {
  const text = spelling(holder, key, value);
  if (text !== undefined) return raw(text);
  if (!Number.isFinite(value)) throw new NotJson(String(value));
  return Object.is(value, -0) ? raw("-0") : value;
}

/**
 * The unusual spelling in which a number was read, if it was.
 *
 * @param {any} holder
 * @param {string} key
 * @param {number} value
 */
function spelling(holder, key, value) {
  const text = spellings.get(identity(value));
  if (text === undefined) return undefined;
  const inside = spellingsInside.get(holder)?.get(key);
  if (inside !== undefined && Object.is(inside.value, value)) return inside.text;
  return text === null || wasReadAs(String(value)) ? undefined : text;
}

/**
 * Whether a number may have been read in this spelling. One that stands in a text between quotation marks counts too:
 * that only means that the number is written in its usual spelling.
 *
 * @param {string} spelling
 */
function wasReadAs(spelling) {
  const pattern = new RegExp(`(?<![\\w.+-])${spelling.replace(/[.+]/g, "\\$&")}(?![\\w.])`);
  return read.some((text) => pattern.test(text));
}

/**
 * What tells numbers apart: a `Map` takes zero and minus zero for one.
 *
 * @param {number} value
 */
function identity(value) {
  return Object.is(value, -0) ? "-0" : value;
}

/**
 * A text that stands in JSON as it is.
 *
 * @param {string} text
 * @returns {unknown}
 */
function raw(text) {
  return /** @type {any} */ (JSON).rawJSON(text);
}

/**
 * Whether a value is an object as `{}` makes it.
 *
 * @param {object} value
 */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Whether a value with a `toJSON` is of a class that the language has.
 *
 * @param {object} value
 */
function isOfTheLanguage(value) {
  return value instanceof Date || value instanceof URL || value instanceof URLSearchParams;
}

/** @param {unknown} value */
function asText(value) {
  try {
    return String(value);
  } catch {
    return `a ${typeName(value)} that has no text`;
  }
}
