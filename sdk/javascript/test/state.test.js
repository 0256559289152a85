import {
  KeyTooLongError,
  NestedValueError,
  NotJsonError,
  OpaqueValueError,
  SetError,
  ValueTooLargeError,
} from "../src/errors.js";
import { forgetSpellings } from "../src/json.js";
import { StateKeeper } from "../src/state.js";
import { assert, test } from "#test";
import { FakeHost } from "./support/fake-host.js";

const STATE_KEYS = ["cheese_type", "booking_day"];

/** @param {Record<string, string>} [state] the JSON of what the platform put there */
function turn(state) {
  forgetSpellings();
  const host = new FakeHost({ state, stateKeys: STATE_KEYS });
  const keeper = new StateKeeper(host);
  return { host, keeper, state: keeper.view };
}

/**
 * The next turn with the state that one has left.
 *
 * @param {{ host: FakeHost }} before
 */
function nextTurn({ host }) {
  const after = turn();
  after.host.kept = new Map(host.kept);
  return after;
}

test("s1_what_is_set_is_read_as_a_member_and_by_its_key", () => {
  const { state, host } = turn({ from_: '"x"' });
  state.cheese_type = "brie";
  state.set("booking_day", "Friday");
  assert.equal(state.cheese_type, "brie");
  assert.equal(state.get("booking_day"), "Friday");
  assert.equal(state.from_, "x");
  assert.isUndefined(state.mood);
  assert.isUndefined(state.get("mood"));
  assert.equal(state.get("mood", "good"), "good");
  assert.isTrue(state.has("from_"));
  assert.isFalse(state.has("mood"));
  assert.equal(host.json("cheese_type"), '"brie"');
});

test("s1_the_state_is_listed_copied_and_emptied_like_an_object", () => {
  const { state, host } = turn({ one: "1" });
  Object.assign(state, { two: 2, three: [3] });
  assert.deepEqual(Object.keys(state), ["one", "two", "three"]);
  assert.deepEqual({ ...state }, { one: 1, two: 2, three: [3] });
  assert.deepEqual(
    [...state],
    [
      ["one", 1],
      ["two", 2],
      ["three", [3]],
    ],
  );
  assert.equal(JSON.stringify(state), '{"one":1,"two":2,"three":[3]}');
  assert.isTrue("two" in state);
  assert.isFalse("toString" in state);
  assert.isTrue(delete state.two);
  assert.isFalse("two" in state);
  assert.isTrue(state.delete("one"));
  assert.isFalse(state.delete("one"));
  assert.deepEqual([...host.kept.keys()], ["three"]);
});

test("s2_setting_an_equal_value_counts_as_setting_it", () => {
  const { state, host } = turn({ cheese_type: '"brie"' });
  state.cheese_type = state.cheese_type;
  assert.deepEqual(host.written, [["cheese_type", { tag: "json", val: '"brie"' }]]);
});

test("s2_reading_is_not_setting", () => {
  const { state, keeper, host } = turn({ cart: '{ "items" : [1.0, 1e2] }', name: '"x"' });
  assert.deepEqual(state.cart.items, [1, 100]);
  assert.deepEqual(keeper.settle(), []);
  assert.deepEqual(host.written, []);
});

test("undefined deletes a key, and null does not", () => {
  const { state, host } = turn({ one: "1", two: "2" });
  state.one = undefined;
  state.two = null;
  assert.isFalse(state.has("one"));
  assert.isNull(state.two);
  assert.deepEqual(host.written, [
    ["one", undefined],
    ["two", { tag: "json", val: "null" }],
  ]);
});

test("v2_a_value_that_is_changed_in_place_counts_as_set", () => {
  const first = turn({ cart: '["brie"]' });
  first.state.cart.push("feta");
  const basket = { items: /** @type {string[]} */ ([]) };
  first.state.basket = basket;
  basket.items.push("gouda");
  assert.strictEqual(first.state.basket, basket);
  assert.deepEqual(first.keeper.settle(), []);
  assert.equal(first.host.json("cart"), '["brie","feta"]');
  assert.equal(first.host.json("basket"), '{"items":["gouda"]}');
  assert.deepEqual(first.keeper.settle(), []);
  assert.lengthOf(first.host.written, 3);
});

test("v2_a_change_in_place_that_breaks_a_rule_is_found_at_the_end_and_undone", () => {
  const { state, keeper, host } = turn({ cheese_type: '["brie"]', others: "[1]" });
  state.cheese_type.push(["nested"]);
  state.others.push(2);
  const refusals = keeper.settle();
  assert.lengthOf(refusals, 1);
  assert.instanceOf(refusals[0], NestedValueError);
  assert.equal(host.json("cheese_type"), '["brie"]');
  assert.equal(host.json("others"), "[1,2]");
});

test("v2_a_nested_value_is_refused_when_it_is_set_and_the_old_one_stays", () => {
  const { state } = turn();
  state.cheese_type = "brie";
  const error = caught(() => (state.cheese_type = { lines: ["one"] }), NestedValueError);
  assert.equal(error.name, "NestedValueError");
  assert.equal(error.key, "cheese_type");
  assert.equal(error.path, "/lines");
  assert.equal(state.cheese_type, "brie");
});

test("v3_an_opaque_value_is_refused_under_a_memory_key_by_its_types_name", () => {
  const { state } = turn();
  const error = caught(() => (state.booking_day = new Date()), OpaqueValueError);
  assert.equal(error.typeName, "Date");
  assert.include(error.message, "`booking_day` is remembered, and a `Date` is opaque");
});

test("v5_what_is_too_large_is_refused_with_both_sizes", () => {
  const { state } = turn();
  const large = caught(() => (state.cheese_type = "x".repeat(9000)), ValueTooLargeError);
  assert.deepEqual([large.actual, large.limit], [9002, 8192]);
  const long = caught(() => state.set("k".repeat(200), 1), KeyTooLongError);
  assert.deepEqual([long.actual, long.limit], [200, 128]);
  for (const error of [large, long]) {
    assert.instanceOf(error, SetError);
    assert.notMatch(error.message, /kkkk|xxxx/);
  }
});

test("s1_a_date_a_map_and_a_set_survive_to_the_next_turn", () => {
  const first = turn();
  first.state.when = new Date(0);
  first.state.seen = new Map([["brie", new Set([1])]]);
  first.keeper.settle();
  const second = nextTurn(first);
  assert.equal(second.state.when.getTime(), 0);
  second.state.seen.get("brie").add(2);
  second.state.when.setTime(5);
  second.keeper.settle();
  const third = nextTurn(second);
  assert.deepEqual(third.state.seen, new Map([["brie", new Set([1, 2])]]));
  assert.equal(third.state.when.getTime(), 5);
});

test("a map that is not touched is not set", () => {
  const first = turn();
  first.state.seen = new Map([["brie", 1]]);
  const second = nextTurn(first);
  assert.equal(second.state.seen.size, 1);
  assert.deepEqual(second.keeper.settle(), []);
  assert.deepEqual(second.host.written, []);
});

test("v4_numbers_that_are_passed_on_keep_their_text", () => {
  const { state, host } = turn({ price: "12.50", id: "12345678901234567890", order: '{"price":1.0,"items":[]}' });
  state.copy = state.price;
  state.same_id = state.id;
  state.order.items.push("brie");
  state.set("cheese_type", state.price);
  assert.equal(typeof state.id, "bigint");
  assert.equal(host.json("copy"), "12.50");
  assert.equal(host.json("same_id"), "12345678901234567890");
  assert.equal(host.json("cheese_type"), "12.50");
});

test("a key may be called like a method, but not set as a member", () => {
  const { state } = turn({ get: '"got"' });
  assert.equal(state.get("get"), "got");
  const anything = /** @type {any} */ (state);
  assert.throws(() => (anything.set = 5), TypeError, "`set` is a method of `conv.state`");
  state.set("set", 5);
  assert.equal(state.get("set"), 5);
});

test("names that every object has are keys like others", () => {
  const { state } = turn();
  for (const key of ["constructor", "__proto__", "toString", "size", "length"]) {
    assert.isUndefined(state.get(key));
    state[key] = `a ${key}`;
    assert.equal(state[key], `a ${key}`);
    assert.equal(state.get(key), `a ${key}`);
  }
  assert.sameMembers(Object.keys(state), ["constructor", "__proto__", "toString", "size", "length"]);
});

test("what is no value is refused", () => {
  const { state } = turn();
  assert.throws(() => (state.f = () => 1), NotJsonError, "`f` cannot be set: a `function` does not outlast the turn");
  assert.throws(() => (state[/** @type {any} */ (Symbol("s"))] = 1), TypeError, "a key of `conv.state` is a text");
  assert.throws(() => Object.defineProperty(state, "x", { get: () => 1 }), TypeError, "no accessors");
  assert.throws(() => Object.freeze(state), TypeError);
});

test("a key is asked for once", () => {
  const { state, host } = turn({ one: "1" });
  state.one;
  state.one;
  state.two;
  state.two;
  assert.equal(host.calls["state.get"], 2);
});

/**
 * @template {Error} E
 * @param {() => unknown} body
 * @param {new (...args: any[]) => E} kind
 * @returns {E}
 */
function caught(body, kind) {
  try {
    body();
  } catch (error) {
    assert.instanceOf(error, kind);
    return /** @type {E} */ (error);
  }
  throw new Error("nothing was thrown");
}
