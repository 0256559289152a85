// How tests are run inside a component: by a function of an agent.

export { assert } from "chai";

/** @type {{ name: string, body: () => unknown }[]} */
const tests = [];

/**
 * Adds a test.
 *
 * @param {string} name
 * @param {() => unknown} body
 */
export function test(name, body) {
  tests.push({ name, body });
}

/**
 * Runs all tests.
 *
 * @returns {Promise<{ passed: string[], failed: { name: string, error: string }[] }>}
 */
export async function runTests() {
  const passed = [];
  const failed = [];
  for (const { name, body } of tests) {
    try {
      await body();
      passed.push(name);
    } catch (error) {
      failed.push({ name, error: error instanceof Error ? `${error}\n${error.stack}` : String(error) });
    }
  }
  return { passed, failed };
}
