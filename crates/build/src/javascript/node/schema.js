// From a type to the JSON Schema that a language model is told.

import ts from "typescript";

/** @typedef {import("../../../../../sdk/javascript/index.d.ts").JsonSchema} JsonSchema */

/** How deeply types are followed, for one may have itself as a member. */
const LEVELS = 8;

/** What no argument can be, for arguments come as JSON. */
const NOT_JSON = new Set([
  "Date",
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "RegExp",
  "Promise",
  "ArrayBuffer",
  "Uint8Array",
]);

/** A type has no JSON. */
export class NoJson extends Error {
  /** @param {string} typeName */
  constructor(typeName) {
    super(`arguments come as JSON, which has no word for a \`${typeName}\``);
  }
}

/**
 * The JSON Schema of a type. Empty, which allows everything, where there is no telling.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {number} [levels] how many more of them to follow
 * @returns {JsonSchema}
 * @throws {NoJson}
 */
export function schemaOf(checker, type, levels = LEVELS) {
  if (levels === 0) return {};
  const { flags } = type;
  if (flags & ts.TypeFlags.BooleanLiteral) return { type: "boolean", enum: [checker.typeToString(type) === "true"] };
  if (type.isStringLiteral()) return { type: "string", enum: [type.value] };
  if (type.isNumberLiteral()) return { type: "number", enum: [type.value] };
  if (flags & ts.TypeFlags.StringLike) return { type: "string" };
  if (flags & ts.TypeFlags.NumberLike) return { type: "number" };
  if (flags & ts.TypeFlags.BigIntLike) return { type: "integer" };
  if (flags & ts.TypeFlags.BooleanLike) return { type: "boolean" };
  if (flags & ts.TypeFlags.Null) return { type: "null" };
  if (type.isUnion()) return unionOf(checker, type, levels);
  if (flags & ts.TypeFlags.TypeParameter) {
    const constraint = checker.getBaseConstraintOfType(type);
    return constraint === undefined ? {} : schemaOf(checker, constraint, levels - 1);
  }
  if (flags & ts.TypeFlags.Object || type.isIntersection()) return objectOf(checker, type, levels - 1);
  return {};
}

/**
 * The members of an object type, with what comments say of them.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {number} levels
 * @returns {JsonSchema}
 */
export function objectOf(checker, type, levels = LEVELS) {
  if (checker.isTupleType(type)) {
    const items = checker.getTypeArguments(/** @type {ts.TypeReference} */ (type));
    return { type: "array", prefixItems: items.map((item) => schemaOf(checker, item, levels)) };
  }
  if (checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(/** @type {ts.TypeReference} */ (type));
    return { type: "array", items: schemaOf(checker, item, levels) };
  }
  const name = type.getSymbol()?.getName() ?? "";
  if (type.getCallSignatures().length > 0) throw new NoJson("function");
  if (NOT_JSON.has(name)) throw new NoJson(name);

  /** @type {Record<string, JsonSchema>} */
  const properties = {};
  const required = [];
  for (const property of checker.getPropertiesOfType(type)) {
    const member = property.getName();
    const description = ts.displayPartsToString(property.getDocumentationComment(checker)).trim();
    properties[member] = {
      ...schemaOf(checker, checker.getTypeOfSymbol(property), levels),
      ...(description !== "" && { description }),
    };
    if (!(property.flags & ts.SymbolFlags.Optional)) required.push(member);
  }
  const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  return {
    type: "object",
    properties,
    ...(required.length > 0 && { required }),
    ...(index !== undefined && { additionalProperties: anything(schemaOf(checker, index, levels)) }),
  };
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.UnionType} union
 * @param {number} levels
 * @returns {JsonSchema}
 */
function unionOf(checker, union, levels) {
  const isNothing = (/** @type {ts.Type} */ type) => type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void);
  const schemas = union.types.filter((type) => !isNothing(type)).map((type) => schemaOf(checker, type, levels));
  /** @type {JsonSchema[]} */
  const alternatives = [];
  for (const schema of schemas) {
    const same = alternatives.find((other) => other.type === schema.type && other.enum && schema.enum);
    if (same?.enum !== undefined && schema.enum !== undefined) {
      same.enum = [...same.enum, ...schema.enum];
    } else {
      alternatives.push({ ...schema });
    }
  }
  for (const schema of alternatives) {
    // `boolean` is the union of its two values.
    if (schema.type === "boolean" && schema.enum?.length === 2) delete schema.enum;
  }
  if (alternatives.some((schema) => Object.keys(schema).length === 0)) return {};
  const isNull = (/** @type {JsonSchema} */ schema) => schema.type === "null";
  const others = alternatives.filter((schema) => !isNull(schema));
  const hasNull = others.length < alternatives.length;
  if (others.length === 1 && typeof others[0].type === "string") {
    if (!hasNull) return others[0];
    const [{ type, enum: values, ...rest }] = others;
    return { type: [type, "null"], ...rest, ...(values !== undefined && { enum: [...values, null] }) };
  }
  if (alternatives.every((schema) => Object.keys(schema).length === 1 && typeof schema.type === "string")) {
    return { type: alternatives.map(({ type }) => /** @type {string} */ (type)) };
  }
  return { anyOf: alternatives };
}

/** @param {JsonSchema} schema */
function anything(schema) {
  return Object.keys(schema).length === 0 ? true : schema;
}
