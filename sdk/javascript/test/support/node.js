// How tests are run by Node.js.

export { assert } from "chai";
export { test } from "node:test";
