// A short way to an agent of functions that are written in a test.

import { call as callFunction } from "../../src/component.js";
import { Conversation } from "../../src/conversation.js";
import { Registry } from "../../src/functions.js";
import { forgetSpellings } from "../../src/json.js";
import { begin } from "../../src/sandbox.js";
import { FakeHost } from "./fake-host.js";

/**
 * @param {Record<string, unknown>} exports
 * @param {Record<string, import("../../src/built.js").Declared>} [declared]
 */
export function registry(exports, declared = {}) {
  return new Registry([{ file: "functions.js", exports, declared }]);
}

/** @param {import("./fake-host.js").Given} [given] */
export function conversation(given) {
  begin();
  forgetSpellings();
  const host = new FakeHost(given);
  return { host, conv: new Conversation(host, registry({ f() {} })) };
}

/**
 * Calls a function as the component's export does, and gives what the contract would.
 *
 * @param {Registry} functions
 * @param {string} name
 * @param {string} [args]
 * @param {import("./fake-host.js").Given} [given]
 */
export async function call(functions, name, args = "{}", given = {}) {
  forgetSpellings();
  const host = new FakeHost(given);
  try {
    return { host, value: await callFunction(host, functions, name, args), error: undefined };
  } catch (error) {
    return { host, value: undefined, error: /** @type {{ tag: string, val?: any }} */ (error) };
  }
}
