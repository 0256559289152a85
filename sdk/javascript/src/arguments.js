// Whether a call's arguments fit a function's parameters.
//
// Of JSON Schema this understands what says which values there may be: `type`, `enum`, `const`, `properties`,
// `required`, `additionalProperties`, `items`, `prefixItems`, `anyOf` and `oneOf`. Whatever else a schema says is for the
// language model alone.

import { ArgumentsError } from "./errors.js";
import { nearest } from "./names.js";

/** @typedef {import("../index.d.ts").JsonSchema} JsonSchema */

/** A value is not one of those that a schema describes. */
class Mismatch {
  /**
   * @param {string} expected
   * @param {string} found
   * @param {string} [path]
   */
  constructor(expected, found, path = "") {
    this.expected = expected;
    this.found = found;
    this.path = path;
  }
}

/**
 * The arguments as the function is given them: `null` for a parameter that may be left out leaves it out.
 *
 * @param {{ name: string, place: string, parameters: JsonSchema }} called the function
 * @param {Record<string, unknown>} args
 * @returns {Record<string, unknown>}
 * @throws {ArgumentsError} with all that is wrong, and none of the values
 */
export function fitted({ name, place, parameters }, args) {
  const { properties = {}, required = [], additionalProperties = false } = parameters;
  /** @type {string[]} */
  const problems = [];
  /** @type {Record<string, unknown>} */
  const result = {};
  for (const [key, value] of Object.entries(args)) {
    const isKnown = Object.hasOwn(properties, key);
    if (!isKnown && additionalProperties === false) {
      problems.push(`\`${key}\` is no parameter${suggestion(key, Object.keys(properties))}`);
      continue;
    }
    const schema = isKnown ? properties[key] : additionalProperties;
    const mismatch = find(schema, value);
    const isLeftOut = value === null && mismatch !== undefined && !required.includes(key);
    if (mismatch !== undefined && !isLeftOut) {
      problems.push(`\`${key}${mismatch.path}\`: expected ${mismatch.expected}, found ${mismatch.found}`);
    }
    if (!isLeftOut) Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
  }
  for (const key of required) {
    if (!Object.hasOwn(args, key)) problems.push(`\`${key}\` is missing`);
  }
  if (problems.length > 0) {
    throw new ArgumentsError(`\`${name}\` (${place}) cannot be called like that: ${problems.join("; ")}`);
  }
  return result;
}

/**
 * What names there are, or the one that was probably meant.
 *
 * @param {string} name
 * @param {string[]} names
 */
export function suggestion(name, names) {
  const close = nearest(name, names);
  if (close !== undefined) return `: did you mean \`${close}\`?`;
  return names.length > 0 ? `: there are ${names.map((known) => `\`${known}\``).join(", ")}` : ": there are none";
}

/**
 * The first thing that is wrong with a value.
 *
 * @param {JsonSchema | boolean} schema
 * @param {unknown} value
 * @returns {Mismatch | undefined}
 */
function find(schema, value) {
  if (typeof schema === "boolean") return schema ? undefined : new Mismatch("nothing", kind(value));
  if (schema.const !== undefined) return choice([schema.const], value);
  if (schema.enum !== undefined) return choice(schema.enum, value);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return oneOf(alternatives, value);
  if (schema.type !== undefined) {
    const types = [schema.type].flat();
    if (!types.some((type) => is(type, value))) {
      return new Mismatch(types.map((type) => TYPES[type] ?? type).join(" or "), kind(value));
    }
  }
  return members(schema, value);
}

/**
 * @param {JsonSchema} schema
 * @param {unknown} value
 * @returns {Mismatch | undefined}
 */
function members(schema, value) {
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) {
      const mismatch = inside(`[${index}]`, schema.prefixItems?.[index] ?? schema.items ?? true, member);
      if (mismatch !== undefined) return mismatch;
    }
  } else if (typeof value === "object" && value !== null) {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    for (const key of required) {
      if (!Object.hasOwn(value, key)) return new Mismatch("a member", "none", `.${key}`);
    }
    for (const [key, member] of Object.entries(value)) {
      const isKnown = Object.hasOwn(properties, key);
      if (!isKnown && additionalProperties === false) return new Mismatch("no such member", "one", `.${key}`);
      const isLeftOut = member === null && isKnown && !required.includes(key);
      const mismatch = inside(`.${key}`, isKnown ? properties[key] : additionalProperties, member);
      if (mismatch !== undefined && !isLeftOut) return mismatch;
    }
  }
  return undefined;
}

/**
 * @param {string} path
 * @param {JsonSchema | boolean} schema
 * @param {unknown} member
 */
function inside(path, schema, member) {
  const mismatch = find(schema, member);
  return mismatch && new Mismatch(mismatch.expected, mismatch.found, path + mismatch.path);
}

/**
 * @param {readonly (JsonSchema | boolean)[]} schemas
 * @param {unknown} value
 */
function oneOf(schemas, value) {
  /** @type {Mismatch[]} */
  const mismatches = [];
  for (const schema of schemas) {
    const mismatch = find(schema, value);
    if (mismatch === undefined) return undefined;
    mismatches.push(mismatch);
  }
  // The alternative that comes closest is the one that was meant.
  const deepest = mismatches.find(({ path }) => path !== "");
  return deepest ?? new Mismatch([...new Set(mismatches.map(({ expected }) => expected))].join(" or "), kind(value));
}

/**
 * @param {readonly unknown[]} choices
 * @param {unknown} value
 */
function choice(choices, value) {
  if (choices.some((one) => JSON.stringify(one) === JSON.stringify(value, (_, part) => plain(part)))) return undefined;
  const shown = choices.map((one) => (typeof one === "string" ? `\`${one}\`` : JSON.stringify(one)));
  return new Mismatch(shown.length === 1 ? shown[0] : `one of ${shown.join(", ")}`, `another ${noun(value)}`);
}

/** @type {Record<string, string>} */
const TYPES = {
  string: "a text",
  number: "a number",
  integer: "an integer",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  null: "null",
};

/**
 * @param {string} type
 * @param {unknown} value
 */
function is(type, value) {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "number":
      return typeof value === "number" || typeof value === "bigint";
    case "integer":
      return Number.isInteger(value) || typeof value === "bigint";
    default:
      return typeof value === type;
  }
}

/** @param {unknown} value */
function kind(value) {
  const word = noun(value);
  return word === "null" ? word : `${/^[aeio]/.test(word) ? "an" : "a"} ${word}`;
}

/** @param {unknown} value */
function noun(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "string") return "text";
  return typeof value === "bigint" ? "number" : typeof value;
}

/** @param {unknown} part */
function plain(part) {
  return typeof part === "bigint" ? String(part) : part;
}
