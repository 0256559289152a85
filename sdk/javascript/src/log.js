// `conv.log`: the author's log.

import { stringifyLoosely } from "./json.js";

/** @typedef {import("../index.d.ts").Log} Log */

/**
 * The author's log. It never throws: a text stands for what JSON has no word for.
 *
 * @param {import("./host.js").Host} host
 * @returns {Log}
 */
export function createLog(host) {
  /** @param {"info" | "warning" | "error"} level */
  const write =
    (level) =>
    /**
     * @param {unknown} content
     * @param {Record<string, unknown>} [fields]
     */
    (content, fields) => {
      const { isPii = false, ...others } = fields ?? {};
      host.conversation.log({ level, content: text(content), isPii: Boolean(isPii), fields: object(others) });
    };
  return Object.freeze({ info: write("info"), warning: write("warning"), error: write("error") });
}

/** @param {unknown} content */
function text(content) {
  if (typeof content === "string") return content;
  if (content instanceof Error) return `${content.name}: ${content.message}`;
  return stringifyLoosely(content);
}

/**
 * A JSON object of fields, each written by itself, so that one that cannot be written costs no other.
 *
 * @param {Record<string, unknown>} fields
 */
function object(fields) {
  const members = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${stringifyLoosely(value)}`).join(",")}}`;
}
