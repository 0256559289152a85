// A host without a store: it holds to the contract, and to those rules that the package has to deal with.

/** @typedef {import("../../src/host.js").Value} Value */

const KEY_BYTES = 128;
const VALUE_BYTES = 8192;

/**
 * @typedef {object} Given
 * @property {Record<string, string>} [memory] the JSON of what is remembered
 * @property {Record<string, string>} [state] the JSON of what the platform put into the state
 * @property {string[]} [stateKeys]
 * @property {Partial<import("../../src/host.js").Attributes>} [attributes]
 * @property {{ role: "user" | "agent", text: string }[]} [history]
 * @property {Record<string, (args: any) => string>} [answers] what requests are answered, as JSON
 */

export class FakeHost {
  /** How often each function of the contract was called. */
  calls = /** @type {Record<string, number>} */ ({});
  /** Every value that was set, and `undefined` for what was removed. */
  written = /** @type {[string, Value | undefined][]} */ ([]);
  said = /** @type {string[]} */ ([]);
  logged = /** @type {import("../../src/host.js").LogEntry[]} */ ([]);
  acted = /** @type {[string, unknown][]} */ ([]);
  kept = /** @type {Map<string, Value>} */ (new Map());

  /** @param {Given} [given] */
  constructor({ memory = {}, state = {}, stateKeys = [], attributes = {}, history = [], answers = {} } = {}) {
    for (const [key, val] of Object.entries(state)) this.kept.set(key, { tag: "json", val });
    /** @type {{ name: string, value?: string }[]} */
    const metrics = [];

    this.memory = {
      fields: () => {
        this.#count("memory.fields");
        return Object.entries(memory).map(([key, value]) => ({ key, value }));
      },
    };

    this.state = {
      get: (/** @type {string} */ key) => {
        this.#count("state.get");
        return this.kept.get(key);
      },
      set: (/** @type {string} */ key, /** @type {Value} */ value) => {
        const bytes = new TextEncoder().encode(key).length;
        if (bytes > KEY_BYTES) refuse("key-too-long", { actual: BigInt(bytes), limit: BigInt(KEY_BYTES) });
        if (value.tag === "json" && !value.val.isWellFormed())
          refuse("invalid-json", { key, problem: "half a character" });
        if (stateKeys.includes(key)) storable(key, value);
        this.written.push([key, value]);
        this.kept.set(key, value);
      },
      remove: (/** @type {string} */ key) => {
        this.written.push([key, undefined]);
        return this.kept.delete(key);
      },
      entries: () => {
        this.#count("state.entries");
        return [...this.kept].map(([key, value]) => ({ key, value }));
      },
    };

    this.conversation = {
      attributes: () => {
        this.#count("attributes");
        return {
          id: "call-1",
          accountId: "local",
          projectId: "local",
          env: "sandbox",
          channel: "sip.polyai",
          sipHeaders: [],
          transcriptAlternatives: [],
          settings: "{}",
          ...attributes,
        };
      },
      history: () => history,
      metricEvents: () => metrics,
      say: (/** @type {string} */ text) => void this.said.push(text),
      log: (/** @type {import("../../src/host.js").LogEntry} */ entry) => void this.logged.push(entry),
      writeMetric: (
        /** @type {string} */ name,
        /** @type {string | undefined} */ value,
        /** @type {boolean} */ once,
      ) => {
        if (once && metrics.some((metric) => metric.name === name)) return;
        metrics.push({ name, value });
        this.acted.push(["write_metric", { name, value, once }]);
      },
      handoff: (/** @type {import("../../src/host.js").HandoffRequest} */ request) =>
        void this.acted.push(["call_handoff", request]),
      act: (/** @type {string} */ name, /** @type {string} */ args) => void this.acted.push([name, JSON.parse(args)]),
      request: (/** @type {string} */ name, /** @type {string} */ args) =>
        name in answers ? answers[name](JSON.parse(args)) : refuse("unanswered"),
    };
  }

  /**
   * The JSON that a key of the state holds.
   *
   * @param {string} key
   */
  json(key) {
    const value = this.kept.get(key);
    return value?.tag === "json" ? value.val : undefined;
  }

  /** @param {string} name */
  #count(name) {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }
}

/**
 * Refuses as the contract's functions do.
 *
 * @param {string} tag
 * @param {unknown} [val]
 * @returns {never}
 */
export function refuse(tag, val) {
  throw Object.assign(new Error("refused"), { payload: { tag, val } });
}

/**
 * @param {string} key
 * @param {Value} value
 */
function storable(key, value) {
  if (value.tag === "opaque") refuse("opaque", { key, typeName: value.val.typeName });
  const parsed = JSON.parse(value.val);
  for (const [name, member] of Object.entries(parsed ?? {})) {
    if (typeof member === "object" && member !== null) refuse("nested", { key, path: `/${name}` });
  }
  const bytes = new TextEncoder().encode(value.val).length;
  if (bytes > VALUE_BYTES) refuse("value-too-large", { key, actual: BigInt(bytes), limit: BigInt(VALUE_BYTES) });
}
