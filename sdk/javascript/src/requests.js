// What a function asks of the platform: effects, and what only the platform can answer.

import { effectError, requestError } from "./errors.js";
import { parse, stringify } from "./json.js";
import { snakeCase } from "./names.js";

/** @typedef {import("./host.js").Host} Host */

/**
 * Asks for an effect. What is undefined is left out.
 *
 * @param {Host} host
 * @param {string} name
 * @param {Record<string, unknown>} [args]
 */
export function act(host, name, args = {}) {
  const text = stringify(args);
  taken(() => host.conversation.act(name, text));
}

/**
 * Asks for an effect in a way of its own.
 *
 * @param {() => void} ask
 */
export function taken(ask) {
  try {
    ask();
  } catch (error) {
    throw effectError(error);
  }
}

/**
 * Asks for an answer, and waits for it.
 *
 * @param {Host} host
 * @param {string} name
 * @param {unknown} args
 * @returns {Promise<any>}
 */
export async function request(host, name, args = {}) {
  const text = stringify(args);
  try {
    return parse(host.conversation.request(name, text));
  } catch (error) {
    throw requestError(name, error);
  }
}

/**
 * Questions that only the platform can answer, by a dotted name: `conv.api.crm.find({ id: 1 })` asks for `api.crm.find`.
 *
 * @param {Host} host
 * @param {string} name
 * @returns {import("../index.d.ts").Requests}
 */
export function requests(host, name) {
  const ask = (/** @type {unknown[]} */ ...args) => request(host, name, named(args));
  return /** @type {any} */ (
    new Proxy(ask, {
      get: (_, member) =>
        typeof member === "string" && member !== "then" ? requests(host, `${name}.${member}`) : undefined,
    })
  );
}

/**
 * What the platform can work out.
 *
 * @param {Host} host
 * @returns {import("../index.d.ts").Utils}
 */
export function utils(host) {
  /** @type {Record<string, unknown>} */
  const known = {
    /**
     * @param {string} prompt
     * @param {{ showHistory?: boolean, returnJson?: boolean, model?: string }} [options]
     */
    promptLlm: (prompt, { showHistory, returnJson, model } = {}) =>
      request(host, "prompt_llm", {
        prompt,
        show_history: showHistory || undefined,
        return_json: returnJson || undefined,
        model,
      }),
    /** @param {string} secretName */
    getSecret: (secretName) => request(host, "get_secret", { secret_name: secretName }),
  };
  return /** @type {any} */ (
    new Proxy(known, {
      get: (_, name) =>
        typeof name === "string" && name !== "then" ? (known[name] ?? requests(host, snakeCase(name))) : undefined,
    })
  );
}

/**
 * The web chat that the person writes in.
 *
 * @param {Host} host
 * @returns {import("../index.d.ts").Webchat}
 */
export function webchat(host) {
  /** @type {unknown[]} */
  let actions = [];
  return {
    get chatCallActions() {
      return [...actions];
    },
    setChatCallActions(chosen) {
      actions = [...chosen];
      act(host, "set_chat_call_actions", { actions });
    },
  };
}

/**
 * Calls that the agent makes.
 *
 * @param {Host} host
 * @returns {import("../index.d.ts").AgenticDial}
 */
export function agenticDial(host) {
  return {
    sendToParent: (content) => act(host, "send_to_parent", { content }),
    sendToChild: (destination, content) => act(host, "send_to_child", { destination, content }),
  };
}

/** @param {unknown[]} args */
function named(args) {
  if (args.length === 0) return {};
  const [first] = args;
  const isObject = typeof first === "object" && first !== null && !Array.isArray(first);
  return args.length === 1 && isObject ? first : { args };
}
