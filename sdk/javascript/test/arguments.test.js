import { fitted } from "../src/arguments.js";
import { ArgumentsError } from "../src/errors.js";
import { assert, test } from "#test";

/** @type {import("../index.d.ts").JsonSchema} */
const PARAMETERS = {
  type: "object",
  properties: {
    cheese_type: { type: "string" },
    slices: { type: "integer" },
    weight: { type: "number" },
    day: { enum: ["Friday", "Saturday", 1] },
    extras: { type: "array", items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
    note: { type: ["string", "null"] },
    either: { anyOf: [{ type: "boolean" }, { type: "object", properties: { a: { type: "string" } } }] },
    kind: { const: "soft" },
    anything: true,
  },
  required: ["cheese_type"],
};

/**
 * @param {Record<string, unknown>} args
 * @param {import("../index.d.ts").JsonSchema} [parameters]
 */
function fit(args, parameters = PARAMETERS) {
  return fitted({ name: "book", place: "src/functions.js:7", parameters }, args);
}

/** @param {Record<string, unknown>} args */
function problem(args) {
  try {
    fit(args);
  } catch (error) {
    assert.instanceOf(error, ArgumentsError);
    return /** @type {Error} */ (error).message.replace("`book` (src/functions.js:7) cannot be called like that: ", "");
  }
  return undefined;
}

test("arguments that fit are passed on", () => {
  const args = {
    cheese_type: "brie",
    slices: 12345678901234567890n,
    weight: 1.5,
    day: "Friday",
    extras: [{ name: "crackers", salted: true }],
    note: null,
    either: false,
    kind: "soft",
    anything: { at: "all" },
  };
  assert.deepEqual(fit(args), args);
});

test("null leaves out a parameter that may be left out, unless it may be null", () => {
  assert.deepEqual(fit({ cheese_type: "brie", slices: null, note: null }), { cheese_type: "brie", note: null });
});

test("each wrong argument is named with what was expected, and never quoted", () => {
  const problems = /** @type {[Record<string, unknown>, string][]} */ ([
    [{}, "`cheese_type` is missing"],
    [{ cheese_type: null }, "`cheese_type`: expected a text, found null"],
    [{ cheese_type: "x", slices: 1.5 }, "`slices`: expected an integer, found a number"],
    [{ cheese_type: "x", weight: "SECRET" }, "`weight`: expected a number, found a text"],
    [{ cheese_type: "x", day: "SECRET" }, "`day`: expected one of `Friday`, `Saturday`, 1, found another text"],
    [{ cheese_type: "x", kind: "SECRET" }, "`kind`: expected `soft`, found another text"],
    [{ cheese_type: "x", extras: {} }, "`extras`: expected an array, found an object"],
    [{ cheese_type: "x", extras: [{}] }, "`extras[0].name`: expected a member, found none"],
    [{ cheese_type: "x", extras: [{ name: 5 }] }, "`extras[0].name`: expected a text, found a number"],
    [{ cheese_type: "x", either: 5 }, "`either`: expected true or false or an object, found a number"],
    [{ cheese_type: "x", either: { a: 5 } }, "`either.a`: expected a text, found a number"],
    [
      { cheese_type: "x", chese: 1 },
      "`chese` is no parameter: there are `cheese_type`, `slices`, `weight`, `day`, `extras`, `note`, `either`, `kind`, `anything`",
    ],
    [{ cheese_type: "x", cheeseType: 1 }, "`cheeseType` is no parameter: did you mean `cheese_type`?"],
    [{ slice: 1 }, "`slice` is no parameter: did you mean `slices`?; `cheese_type` is missing"],
  ]);
  for (const [args, expected] of problems) assert.equal(problem(args), expected);
});

test("a function whose parameters are not known takes what it is given", () => {
  assert.deepEqual(fit({ a: 1 }, { type: "object", additionalProperties: true }), { a: 1 });
});

test("a function without parameters takes none", () => {
  assert.throws(
    () => fit({ a: 1 }, { type: "object", properties: {} }),
    ArgumentsError,
    "`a` is no parameter: there are none",
  );
});

test("an argument may be called like what every object has", () => {
  const args = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const given = fit(args, { type: "object", additionalProperties: { type: "integer" } });
  assert.deepEqual(Object.entries(given), [
    ["__proto__", 1],
    ["constructor", 2],
  ]);
  assert.throws(() => fit({ toString: 1 }), ArgumentsError, "`toString` is no parameter");
});
