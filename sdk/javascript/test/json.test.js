import {
  NotJson,
  forgetSpellings,
  parse,
  stringify,
  stringifyFaithfully,
  stringifyLoosely,
  typeName,
} from "../src/json.js";
import { assert, test } from "#test";

/** @param {string} text */
function passedOn(text) {
  forgetSpellings();
  return stringifyFaithfully(parse(text));
}

test("v4_a_number_that_is_passed_on_keeps_its_text", () => {
  for (const text of [
    "1",
    "1.0",
    "-0",
    "0.10",
    "1e2",
    "1E+2",
    "1e400",
    "0.1234567890123456789",
    "12345678901234567890",
    "-12345678901234567890123",
    "[1.0,1,1.00]",
    '{"price":1.0,"count":1,"deep":{"again":[1.0]}}',
    '{"__proto__":1.0}',
    '"1.0"',
  ]) {
    assert.equal(passedOn(text), text);
  }
});

test("v4_an_integer_that_a_number_cannot_hold_is_a_bigint", () => {
  assert.equal(parse("9007199254740993"), 9007199254740993n);
  assert.equal(parse("9007199254740991"), 9007199254740991);
  assert.deepEqual(parse('{"id":12345678901234567890}'), { id: 12345678901234567890n });
  assert.equal(stringifyFaithfully({ id: 12345678901234567890n, small: 5n }), '{"id":12345678901234567890,"small":5}');
});

test("v4_a_number_keeps_its_text_in_a_changed_object", () => {
  forgetSpellings();
  const order = parse('{"price":1.0,"count":1,"slices":[2.50,3]}');
  order.slices.push(4);
  order.count += 1;
  assert.equal(stringifyFaithfully(order), '{"price":1.0,"count":2,"slices":[2.50,3,4]}');
});

test("v4_a_number_keeps_its_text_when_it_leaves_its_object", () => {
  forgetSpellings();
  const { price } = parse('{"price":12.50}');
  assert.equal(stringifyFaithfully(price), "12.50");
  assert.equal(stringifyFaithfully({ total: price }), '{"total":12.50}');
});

test("v4_a_number_that_was_read_in_two_spellings_is_written_in_its_usual_one", () => {
  forgetSpellings();
  parse("1.0");
  parse('{"count":1}');
  assert.equal(stringifyFaithfully(1), "1");
  parse("2.0");
  parse("2.00");
  assert.equal(stringifyFaithfully(2), "2");
});

test("what JSON has no word for is refused by its type's name", () => {
  const refused = /** @type {[unknown, string][]} */ ([
    [new Date(0), "Date"],
    [new Map(), "Map"],
    [{ list: [new Set()] }, "Set"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [[undefined], "undefined"],
    [() => 1, "function"],
    [Symbol("s"), "symbol"],
    [new (class Cart {})(), "Cart"],
    [new URL("https://example.com"), "URL"],
  ]);
  for (const [value, name] of refused) {
    assert.throws(() => stringifyFaithfully(value), NotJson, `\`${name}\``);
  }
});

test("a class that says what it is as JSON is taken at its word", () => {
  class Money {
    toJSON() {
      return { amount: 5 };
    }
  }
  assert.equal(stringifyFaithfully({ paid: new Money() }), '{"paid":{"amount":5}}');
});

test("what is handed out may lose its type, but not its content", () => {
  assert.equal(stringify(undefined), "null");
  assert.equal(stringify([undefined, new Date(0)]), '[null,"1970-01-01T00:00:00.000Z"]');
  assert.equal(
    stringify({
      a: undefined,
      b: new (class Cart {
        items = 1;
      })(),
    }),
    '{"b":{"items":1}}',
  );
  for (const value of [new Map([[1, 2]]), [new Set()], NaN, { f: () => 1 }, new Error("no"), new Uint8Array(1)]) {
    assert.throws(() => stringify(value), NotJson);
  }
});

test("what is logged is written whatever it is", () => {
  const circular = /** @type {any} */ ({});
  circular.self = circular;
  assert.equal(stringifyLoosely({ a: NaN, b: new Map([["k", new Set([1])]]) }), '{"a":"NaN","b":[["k",[1]]]}');
  assert.equal(stringifyLoosely(new TypeError("no brie")), '"TypeError: no brie"');
  assert.equal(stringifyLoosely(circular), '"[object Object]"');
  assert.equal(stringifyLoosely(12345678901234567890n), "12345678901234567890");
  assert.equal(stringifyLoosely(undefined), '"undefined"');
  assert.equal(
    stringifyLoosely(
      Object.create({
        toJSON() {
          throw new Error("no");
        },
      }),
    ),
    '"[object Object]"',
  );
});

test("types have names", () => {
  assert.equal(typeName([]), "Array");
  assert.equal(typeName(Object.create(null)), "Object");
  assert.equal(typeName(null), "null");
  assert.equal(typeName(5n), "bigint");
});
