import { SandboxError } from "../src/errors.js";
import { begin, loadingRemarks } from "../src/sandbox.js";
import { assert, test } from "#test";

// This file is loaded while the component is built, as functions are.
const drawnWhileLoading = Math.random();

/** @type {unknown[]} */
const refusedWhileLoading = [];
for (const draw of [() => crypto.randomUUID(), () => crypto.getRandomValues(new Uint8Array(1))]) {
  try {
    draw();
  } catch (error) {
    refusedWhileLoading.push(error);
  }
}

test("a number that is drawn while files are loaded is the same in every build, and remarked upon", () => {
  assert.equal(drawnWhileLoading, 0.8794664279557765);
  assert.match(loadingRemarks()[0].place, /\.js:\d+$/);
  assert.include(loadingRemarks()[0].message, "call it inside a function");
});

test("keys and ids cannot be drawn while files are loaded", () => {
  assert.lengthOf(refusedWhileLoading, 2);
  for (const error of refusedWhileLoading) assert.instanceOf(error, SandboxError);
});

test("numbers, keys and ids that are drawn in a turn differ", () => {
  begin();
  assert.notEqual(Math.random(), Math.random());
  assert.notEqual(crypto.randomUUID(), crypto.randomUUID());
  assert.notDeepEqual(crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(16)));
});

test("there is no network", async () => {
  try {
    await fetch("https://example.com");
    assert.fail("there was an answer");
  } catch (error) {
    assert.instanceOf(error, SandboxError);
  }
});

test("a time in another time zone or language is refused, and not shown wrong", () => {
  const date = new Date(0);
  assert.throws(
    () => date.toLocaleString("en-GB", { timeZone: "Europe/London" }),
    SandboxError,
    "no time zones but UTC",
  );
  assert.throws(
    () => date.toLocaleDateString("de"),
    SandboxError,
    "`toLocaleDateString` can do nothing with its arguments",
  );
  assert.throws(() => (5).toLocaleString("en-US", { style: "currency", currency: "USD" }), SandboxError);
  assert.throws(() => "a".localeCompare("A", undefined, { sensitivity: "base" }), SandboxError);
  assert.isBelow("a".localeCompare("b"), 0);
  assert.isString(date.toLocaleTimeString());
  assert.equal((5).toLocaleString(), "5");
});
