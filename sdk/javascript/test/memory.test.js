import { createMemory } from "../src/memory.js";
import { assert, test } from "#test";
import { FakeHost } from "./support/fake-host.js";

const REMEMBERED = { booking_day: '"Friday"', cheese_type: '"brie"', sizes: "[1.0,12345678901234567890]" };

function memory() {
  return createMemory(new FakeHost({ memory: REMEMBERED }));
}

test("m2_a_field_is_read_by_its_key_and_what_is_missing_is_undefined", () => {
  assert.equal(memory().get("cheese_type"), "brie");
  assert.isUndefined(memory().get("mood"));
  assert.equal(memory().get("mood", "good"), "good");
  assert.equal(memory().get("cheese_type", "feta"), "brie");
  assert.isUndefined(memory().get("toString"));
});

test("m2_has_and_size_tell_what_there_is", () => {
  assert.isTrue(memory().has("booking_day"));
  assert.isFalse(memory().has("mood"));
  assert.isFalse(memory().has("constructor"));
  assert.equal(memory().size, 3);
  assert.equal(createMemory(new FakeHost()).size, 0);
});

test("m2_memory_is_iterable_and_fields_are_a_copy", () => {
  const all = memory();
  assert.deepEqual([...all].slice(0, 2), [
    ["booking_day", "Friday"],
    ["cheese_type", "brie"],
  ]);
  assert.deepEqual([...all.keys()], ["booking_day", "cheese_type", "sizes"]);
  assert.deepEqual([...all.values()][1], "brie");
  assert.equal(new Map(all).get("cheese_type"), "brie");
  const fields = all.fields();
  assert.deepEqual(fields, { booking_day: "Friday", cheese_type: "brie", sizes: [1, 12345678901234567890n] });
  fields.cheese_type = "feta";
  fields.sizes.push(3);
  assert.equal(all.get("cheese_type"), "brie");
  assert.lengthOf(all.get("sizes"), 2);
});

test("m2_memory_cannot_be_assigned_to", () => {
  const all = /** @type {any} */ (memory());
  for (const change of [
    () => (all.cheese_type = "feta"),
    () => (all.get = () => "feta"),
    () => delete all.get,
    () => Object.defineProperty(all, "size", { value: 0 }),
  ]) {
    assert.throws(change, TypeError, "`conv.memory` is read-only");
  }
});

test("m1_one_crossing_brings_all_fields_over_and_none_if_nothing_is_read", () => {
  const host = new FakeHost({ memory: REMEMBERED });
  const all = createMemory(host);
  assert.isUndefined(host.calls["memory.fields"]);
  all.get("cheese_type");
  all.has("booking_day");
  all.fields();
  assert.equal(host.calls["memory.fields"], 1);
});
