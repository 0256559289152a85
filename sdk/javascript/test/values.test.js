import { NotJsonError } from "../src/errors.js";
import { decode, encode, isSame } from "../src/values.js";
import { assert, test } from "#test";

/** @param {unknown} value */
function keptBetweenTurns(value) {
  return /** @type {any} */ (decode("key", encode("key", value)));
}

/** @param {unknown} value */
function typeNameOf(value) {
  const encoded = encode("key", value);
  return encoded.tag === "opaque" ? encoded.val.typeName : undefined;
}

test("s1_what_json_has_a_word_for_is_json", () => {
  for (const value of ["brie", 5, true, null, [1, "two"], { a: { b: [] } }]) {
    assert.deepEqual(encode("key", value), { tag: "json", val: JSON.stringify(value) });
  }
});

test("s1_values_that_json_has_no_word_for_survive", () => {
  const date = new Date(Date.UTC(2026, 2, 2, 10, 20));
  assert.instanceOf(keptBetweenTurns(date), Date);
  assert.equal(keptBetweenTurns(date).getTime(), date.getTime());
  assert.deepEqual(
    keptBetweenTurns(new Map([["brie", { slices: new Set([1, 2n]) }]])),
    new Map([["brie", { slices: new Set([1, 2n]) }]]),
  );
  assert.deepEqual(keptBetweenTurns(/brie/gi), /brie/gi);
  assert.deepEqual(keptBetweenTurns(new Uint8Array([1, 2, 255])), new Uint8Array([1, 2, 255]));
  assert.isNaN(keptBetweenTurns(NaN));
  assert.equal(keptBetweenTurns(-Infinity), -Infinity);
  assert.deepEqual(keptBetweenTurns([1, undefined]), [1, undefined]);
  assert.equal(keptBetweenTurns(new URLSearchParams("a=b")).get("a"), "b");
  assert.equal(keptBetweenTurns(new URL("https://example.com/a?b=c")).searchParams.get("b"), "c");
});

test("s1_an_object_that_refers_to_itself_survives", () => {
  const cart = /** @type {any} */ ({ items: ["brie"] });
  cart.self = cart;
  const kept = keptBetweenTurns(cart);
  assert.equal(kept.self, kept);
  assert.deepEqual(kept.items, ["brie"]);
});

test("s1_an_error_survives_with_its_cause", () => {
  const kept = keptBetweenTurns({ last: new RangeError("too much", { cause: new Error("cheese") }) }).last;
  assert.instanceOf(kept, RangeError);
  assert.equal(kept.message, "too much");
  assert.equal(/** @type {Error} */ (kept.cause).message, "cheese");
  const named = keptBetweenTurns([Object.assign(new Error("none"), { name: "NoCheese" })])[0];
  assert.equal(named.name, "NoCheese");
});

test("v3_a_value_is_called_by_its_type_and_by_what_keeps_it_from_being_json", () => {
  assert.equal(typeNameOf(new Date()), "Date");
  assert.equal(typeNameOf({ when: new Date() }), "Object with a Date");
  assert.equal(typeNameOf(NaN), "NaN");
  const circular = /** @type {any[]} */ ([]);
  circular.push(circular);
  assert.equal(typeNameOf(circular), "circular Array");
});

test("what cannot outlast a turn is refused with the place of it", () => {
  class Cart {}
  const refused = /** @type {[unknown, string][]} */ ([
    [new Cart(), "a `Cart` does not outlast the turn"],
    [{ carts: [new Cart()], when: new Date() }, "a `Cart` at `.carts[0]` does not outlast the turn"],
    [() => 1, "a `function` does not outlast the turn"],
    [new Map([["secret", new Cart()]]), "a `Cart` does not outlast the turn"],
    [Promise.resolve(1), "Promise"],
  ]);
  for (const [value, problem] of refused) {
    assert.throws(() => encode("cart", value), NotJsonError, problem);
  }
});

test("p3_a_refusal_never_holds_a_value", () => {
  class Cart {}
  try {
    encode("cart", new Map([["SECRET", new Cart()]]));
    assert.fail("it was not refused");
  } catch (error) {
    assert.notInclude(String(error), "SECRET");
  }
});

test("bytes of another maker are refused when they are read", () => {
  const foreign = {
    tag: /** @type {const} */ ("opaque"),
    val: { typeName: "datetime", bytes: new Uint8Array([128, 4]) },
  };
  assert.throws(() => decode("when", foreign), NotJsonError, "its `datetime` cannot be read back");
});

test("two values are the same if the contract cannot tell them apart", () => {
  const opaque = encode("key", new Date(0));
  assert.isTrue(isSame(encode("key", [1]), encode("key", [1])));
  assert.isFalse(isSame(encode("key", [1]), encode("key", [2])));
  assert.isTrue(isSame(opaque, encode("key", new Date(0))));
  assert.isFalse(isSame(opaque, encode("key", new Date(1))));
  assert.isFalse(isSame(opaque, encode("key", "1970")));
});
