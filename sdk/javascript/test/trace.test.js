import { place, trace } from "../src/trace.js";
import { assert, test } from "#test";

const KEY = Symbol.for("agent-memory.built");

/** What the build knows of a bundle of three lines: the second is not the author's. */
const POSITIONS = {
  file: "agent.js",
  sources: ["src/book.ts", "src/lib/shelf.ts"],
  lines: "0,0,10,2;8,0,11,4\n0\n2,1,5,0;6",
};

/**
 * @param {string} stack
 * @param {unknown} [cause]
 */
function failed(stack, cause) {
  return Object.assign(new Error("no brie", { cause }), { stack });
}

/** @param {() => void} body */
function withPositions(body) {
  const globals = /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis));
  const before = globals[KEY];
  globals[KEY] = { positions: POSITIONS, declared: {} };
  try {
    body();
  } finally {
    globals[KEY] = before;
  }
}

test("a trace has the author's files and lines, and no others", () => {
  withPositions(() => {
    const stack = [
      "shelf@agent.js:3:4",
      "inside/<@agent.js:1:9",
      "async*book@agent.js:1:3",
      "src/book.ts@agent.js:1:2",
      "call@agent.js:2:5",
      "elsewhere@agent.js:3:8",
      "forEach@[native code]",
      "bindings@initializer.js:1359:28",
      "",
    ].join("\n");
    assert.equal(
      trace(failed(stack)),
      [
        "at shelf (src/lib/shelf.ts:5:0)",
        "at inside (src/book.ts:11:4)",
        "at book (src/book.ts:10:2)",
        "at src/book.ts:10:2",
      ].join("\n"),
    );
    assert.equal(place(failed(stack)), "src/lib/shelf.ts:5");
    assert.equal(place("no brie"), "");
  });
});

test("an error's causes are traced too", () => {
  withPositions(() => {
    const cause = failed("shelf@agent.js:3:4");
    assert.equal(
      trace(failed("book@agent.js:1:3", cause)),
      "at book (src/book.ts:10:2)\ncaused by Error: no brie\nat shelf (src/lib/shelf.ts:5:0)",
    );
  });
});

test("a class of errors is not where its errors come from", () => {
  withPositions(() => {
    class NoCheese extends Error {}
    class NoBrie extends NoCheese {}
    const error = new NoBrie("none");
    error.stack = "NoCheese@agent.js:1:3\nNoBrie@agent.js:1:3\nshelf@agent.js:3:4";
    assert.equal(trace(error), "at shelf (src/lib/shelf.ts:5:0)");
  });
});

test("an endless recursion has a short trace", () => {
  withPositions(() => {
    const stack = Array.from({ length: 1000 }, () => "book@agent.js:1:3").join("\n");
    assert.lengthOf(trace(failed(stack)).split("\n"), 32);
  });
});

test("what is no error has no trace", () => {
  assert.equal(trace("no brie"), "");
  assert.equal(trace(undefined), "");
});
