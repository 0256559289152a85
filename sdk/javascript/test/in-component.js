// The test suite as an agent, so that it runs on the engine that functions run on.

import { runTests } from "./support/component.js";
import "./arguments.test.js";
import "./conversation.test.js";
import "./functions.test.js";
import "./json.test.js";
import "./memory.test.js";
import "./names.test.js";
import "./sandbox.test.js";
import "./state.test.js";
import "./trace.test.js";
import "./values.test.js";

/** Runs all tests, and tells how they went. */
export function runAll() {
  return runTests();
}
