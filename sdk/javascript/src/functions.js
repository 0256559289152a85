// The functions of an agent: what they are called, what they are told to be, and how they call one another.

import { fitted, suggestion } from "./arguments.js";
import { ArgumentsError } from "./errors.js";
import { stringify } from "./json.js";
import { snakeCase } from "./names.js";

/**
 * @typedef {import("../index.d.ts").JsonSchema} JsonSchema
 * @typedef {import("../index.d.ts").ToolOptions} ToolOptions
 * @typedef {import("./built.js").Declared} Declared
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {(...args: any[]) => unknown} AnyFunction
 */

/**
 * A file of functions.
 *
 * @typedef {object} SourceFile
 * @property {string} file
 * @property {string} [flow] the flow that its functions belong to
 * @property {string} [only] the name of its only function, as the file is called. Not there: all that it exports
 * @property {Record<string, unknown>} exports
 * @property {Record<string, Declared>} declared by the name by which it is exported, in the order of the source
 */

/** What `tool` was told of functions. */
const tools = /** @type {WeakMap<AnyFunction, ToolOptions>} */ (new WeakMap());

/**
 * Describes a function for a language model.
 *
 * @template {AnyFunction} F
 * @param {ToolOptions} options
 * @param {F} callable
 * @returns {F}
 */
export function tool(options, callable) {
  if (typeof callable !== "function") throw new TypeError("`tool` takes options and a function");
  const { parameters } = options;
  if (parameters !== undefined && parameters.type !== "object") {
    throw new TypeError('the `parameters` of a tool are a JSON Schema of the type "object"');
  }
  tools.set(callable, options);
  return callable;
}

/** The sources name no functions, or name them badly. The message says where and what to do. */
export class SourceError extends Error {
  /**
   * @param {string} message
   * @param {string} place
   */
  constructor(message, place) {
    super(message);
    this.name = "SourceError";
    this.place = place;
  }
}

/** A function that can be called. */
class Entry {
  #registry;

  /**
   * @param {Registry} registry
   * @param {string} localName the name by which functions call it, as the contract spells it
   * @param {SourceFile} source
   * @param {Declared} declared
   * @param {AnyFunction} callable
   */
  constructor(registry, localName, { flow }, declared, callable) {
    this.#registry = registry;
    const options = tools.get(callable);
    const parameters = options?.parameters ?? declared.parameters;
    this.localName = localName;
    this.flow = flow;
    this.place = declared.place;
    this.callable = callable;
    this.takesFlow = flow !== undefined && (declared.takesFlow ?? callable.length > 2);
    this.description = options?.description ?? declared.description ?? "";
    /** What is not known allows everything. */
    this.parameters = parameters ?? /** @type {JsonSchema} */ ({ type: "object", additionalProperties: true });
    this.annotations = annotations(flow, options);
    /** The name by which it is called from outside: `FLOW.NAME` where `NAME` alone is not unique. */
    this.name = localName;
  }

  /**
   * The arguments as the function is to be given them.
   *
   * @param {unknown} args
   * @throws {ArgumentsError} if they do not fit
   */
  fitted(args) {
    return fitted(this, object(this, args));
  }

  /**
   * Runs the function with arguments that fit.
   *
   * @param {Conversation} conv
   * @param {Record<string, unknown>} args
   * @param {Flow} [flow] the flow that the caller is in
   */
  run(conv, args, flow) {
    const { callable } = this;
    if (!this.takesFlow) return callable(conv, args);
    return callable(conv, flow ?? new Flow(this.#registry, conv, this.flow), args);
  }
}

/** All functions of an agent. */
export class Registry {
  /** By the name by which they are called from outside, in the order in which they are listed. */
  #entries = /** @type {Map<string, Entry>} */ (new Map());
  /** Those of each flow, and under no name those that belong to none. */
  #flows = /** @type {Map<string | undefined, Map<string, Entry>>} */ (new Map([[undefined, new Map()]]));

  /**
   * @param {SourceFile[]} sources
   * @throws {SourceError}
   */
  constructor(sources) {
    for (const source of sources) this.#read(source);
    const all = [...this.#flows.values()].flatMap((entries) => [...entries.values()]);
    const shared = this.#flows.get(undefined);
    for (const entry of all) {
      const isUnique = all.every((other) => other === entry || other.localName !== entry.localName);
      if (entry.flow !== undefined && (!isUnique || shared?.has(entry.localName))) {
        entry.name = `${entry.flow}.${entry.localName}`;
      }
      this.#entries.set(entry.name, entry);
    }
    if (all.length === 0) {
      const place = sources[0]?.file ?? "";
      throw new SourceError(
        "no function is exported: write one, such as `export function startFunction(conv) {}`",
        place,
      );
    }
  }

  /** The names by which functions are called from outside. */
  get names() {
    return [...this.#entries.keys()];
  }

  /** The functions themselves. */
  get callables() {
    return [...this.#entries.values()].map(({ callable }) => callable);
  }

  /** The functions as the contract describes them. */
  describe() {
    return [...this.#entries.values()].map(({ name, description, parameters, annotations }) => ({
      name,
      description,
      parameters: stringify(parameters),
      annotations: annotations && stringify(annotations),
    }));
  }

  /**
   * The function of a name, in either spelling.
   *
   * @param {string} name
   */
  find(name) {
    return this.#entries.get(name) ?? this.#entries.get(name.split(".").map(snakeCase).join("."));
  }

  /**
   * The functions that belong to no flow, as other functions call them.
   *
   * @param {Conversation} conv
   * @returns {import("../index.d.ts").Functions}
   */
  callable(conv) {
    const shared = this.#flows.get(undefined) ?? new Map();
    return callable(shared, conv, undefined, (name) => {
      const inFlow = [...this.#flows].find(([flow, entries]) => flow !== undefined && entries.has(name));
      return inFlow === undefined
        ? `there is no function \`${name}\`${suggestion(name, [...shared.keys()])}`
        : `there is no function \`${name}\` but in the flow \`${inFlow[0]}\`: call it as \`flow.functions.${name}\``;
    });
  }

  /**
   * The functions of a flow, as other functions of it call them.
   *
   * @param {Conversation} conv
   * @param {Flow} flow
   * @returns {import("../index.d.ts").Functions}
   */
  callableInFlow(conv, flow) {
    const own = this.#flows.get(flow.name) ?? new Map();
    return callable(own, conv, flow, (name) =>
      this.#flows.get(undefined)?.has(name)
        ? `\`${name}\` belongs to no flow: call it as \`conv.functions.${name}\``
        : `the flow \`${flow.name}\` has no function \`${name}\`${suggestion(name, [...own.keys()])}`,
    );
  }

  /** @param {SourceFile} source */
  #read(source) {
    const scope = this.#flows.get(source.flow) ?? new Map();
    this.#flows.set(source.flow, scope);
    const exported = functionsOf(source);
    if (source.only !== undefined && exported.length === 0) {
      throw new SourceError(
        `no function \`${source.only}\` is exported, though the file is called like one`,
        source.file,
      );
    }
    for (const [name, callable] of exported) {
      const declared = source.declared[name] ?? { place: source.file };
      const localName = snakeCase(name === "default" ? (source.only ?? name) : name);
      const entry = new Entry(this, localName, source, declared, callable);
      const other = scope.get(entry.localName);
      if (other !== undefined && other.callable !== callable) {
        throw new SourceError(
          `\`${entry.localName}\` is a function at ${other.place} already: rename one`,
          entry.place,
        );
      }
      scope.set(entry.localName, entry);
    }
  }
}

/** The flow that a function belongs to. */
export class Flow {
  #registry;
  #conv;

  /**
   * @param {Registry} registry
   * @param {Conversation} conv
   * @param {string | undefined} name
   */
  constructor(registry, conv, name) {
    this.#registry = registry;
    this.#conv = conv;
    this.name = name;
  }

  get currentStep() {
    return this.#conv.currentStep;
  }

  get functions() {
    return this.#registry.callableInFlow(this.#conv, this);
  }

  /**
   * @param {string} name
   * @param {{ reason?: string }} [options]
   */
  gotoStep(name, { reason } = {}) {
    this.#conv.act("goto_step", { name, reason });
  }
}

/**
 * The functions that a file has for an agent, by the names by which they are exported.
 *
 * @param {SourceFile} source
 * @returns {[string, AnyFunction][]}
 */
function functionsOf({ exports, declared, only }) {
  const inOrder = [...new Set([...Object.keys(declared), ...Object.keys(exports)])];
  const functions = inOrder.flatMap((name) => {
    const value = exports[name];
    return isCallable(value) ? [/** @type {[string, AnyFunction]} */ ([name, value])] : [];
  });
  if (only !== undefined) {
    const named = functions.filter(([name]) => snakeCase(name) === snakeCase(only));
    return named.length > 0 ? named : functions.filter(([name]) => name === "default");
  }
  return functions.filter(([name, callable]) => tools.has(callable) || !declared[name]?.isHelper);
}

/**
 * Whether a value is a function that can be called without `new`.
 *
 * @param {unknown} value
 * @returns {value is AnyFunction}
 */
function isCallable(value) {
  return typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * Functions by name, in either spelling, that are given the conversation by themselves.
 *
 * @param {Map<string, Entry>} entries
 * @param {Conversation} conv
 * @param {Flow | undefined} flow
 * @param {(name: string) => string} missing
 * @returns {import("../index.d.ts").Functions}
 */
function callable(entries, conv, flow, missing) {
  const find = (/** @type {PropertyKey} */ name) =>
    typeof name === "string" ? entries.get(snakeCase(name)) : undefined;
  return new Proxy(
    {},
    {
      get(target, name) {
        const entry = find(name);
        if (entry !== undefined) return (/** @type {unknown} */ args) => entry.run(conv, entry.fitted(args), flow);
        if (typeof name === "symbol" || name === "then" || name in target) return Reflect.get(target, name);
        throw new TypeError(missing(name));
      },
      has: (_, name) => find(name) !== undefined,
      ownKeys: () => [...entries.keys()],
      getOwnPropertyDescriptor: (_, name) => find(name) && { enumerable: true, configurable: true },
    },
  );
}

/**
 * What a function is called with, which has to be an object.
 *
 * @param {Entry} entry
 * @param {unknown} args
 * @returns {Record<string, unknown>}
 */
function object({ name, place }, args = {}) {
  if (typeof args === "object" && args !== null && !Array.isArray(args)) {
    return /** @type {Record<string, unknown>} */ (args);
  }
  const problem = 'it takes one object with its arguments by name, such as `{ cheese_type: "brie" }`';
  throw new ArgumentsError(`\`${name}\` (${place}) cannot be called like that: ${problem}`);
}

/**
 * What else is declared of a function.
 *
 * @param {string | undefined} flow
 * @param {ToolOptions | undefined} options
 */
function annotations(flow, options) {
  const control = options?.latencyControl;
  if (flow === undefined && control === undefined) return undefined;
  return {
    flow,
    latency_control: control && {
      delay_before_responses_start: control.delayBeforeResponsesStart ?? 0,
      silence_after_each_response: control.silenceAfterEachResponse ?? 0,
      delay_responses: control.delayResponses ?? [],
    },
  };
}
