// How the conversation says no. The messages say what is wrong and what to do, and none holds a value that was to be
// remembered.

/** What all errors of this package have in common. */
export class AgentMemoryError extends Error {
  static {
    named(this, "AgentMemoryError");
  }
}

/** A value was refused. What stood under the key before still stands. */
export class SetError extends AgentMemoryError {
  static {
    named(this, "SetError");
  }

  /**
   * @param {string} message
   * @param {string} key
   */
  constructor(message, key) {
    super(message);
    this.key = key;
  }
}

/** The key is remembered, and the value has an object or an array inside an object or an array. */
export class NestedValueError extends SetError {
  static {
    named(this, "NestedValueError");
  }

  /**
   * @param {string} key
   * @param {string} path
   */
  constructor(key, path) {
    super(
      `\`${key}\` is remembered, and a remembered value is flat, but \`${path}\` in it is an object or an array ` +
        'itself: set its parts under keys of their own, or allow it with `"nested_values": true` in the configuration',
      key,
    );
    this.path = path;
  }
}

/** The key is remembered, and JSON has no word for the value. */
export class OpaqueValueError extends SetError {
  static {
    named(this, "OpaqueValueError");
  }

  /**
   * @param {string} key
   * @param {string} typeName
   */
  constructor(key, typeName) {
    super(
      `\`${key}\` is remembered, and a \`${typeName}\` is opaque, which memory cannot hold: set it as text or another ` +
        "JSON value, or under a key that is not in `state_keys`",
      key,
    );
    this.typeName = typeName;
  }
}

/** The value can be written neither as JSON nor in another way that outlasts the turn. */
export class NotJsonError extends SetError {
  static {
    named(this, "NotJsonError");
  }

  /**
   * @param {string} key
   * @param {string} problem
   */
  constructor(key, problem) {
    super(`\`${key}\` cannot be set: ${problem}`, key);
    this.problem = problem;
  }
}

/** The key is longer than keys may be. */
export class KeyTooLongError extends SetError {
  static {
    named(this, "KeyTooLongError");
  }

  /**
   * @param {string} key
   * @param {number} actual
   * @param {number} limit
   */
  constructor(key, actual, limit) {
    super(`a key has ${actual} bytes, and ${limit} are allowed: use a shorter key`, key);
    this.actual = actual;
    this.limit = limit;
  }
}

/** The key is remembered, and the value is larger than memory's values may be. */
export class ValueTooLargeError extends SetError {
  static {
    named(this, "ValueTooLargeError");
  }

  /**
   * @param {string} key
   * @param {number} actual
   * @param {number} limit
   */
  constructor(key, actual, limit) {
    super(
      `\`${key}\` is remembered, and its value has ${actual} bytes where ${limit} are allowed: remember less, or set ` +
        "it under a key that is not in `state_keys`",
      key,
    );
    this.actual = actual;
    this.limit = limit;
  }
}

/** With this value the whole state would be larger than it may be. */
export class StateTooLargeError extends SetError {
  static {
    named(this, "StateTooLargeError");
  }

  /**
   * @param {string} key
   * @param {number} actual
   * @param {number} limit
   */
  constructor(key, actual, limit) {
    super(
      `with this value of \`${key}\` the conversation's state would have ${actual} bytes, and ${limit} are allowed: ` +
        "remove what is no longer needed, or set less",
      key,
    );
    this.actual = actual;
    this.limit = limit;
  }
}

/** The arguments do not fit a function's parameters. The message says which and why. */
export class ArgumentsError extends AgentMemoryError {
  static {
    named(this, "ArgumentsError");
  }
}

/** The platform did not answer, or failed to. */
export class RequestError extends AgentMemoryError {
  static {
    named(this, "RequestError");
  }
}

/** Nobody answers requests of that name here. */
export class NotAnsweredError extends RequestError {
  static {
    named(this, "NotAnsweredError");
  }

  /** @param {string} request */
  constructor(request) {
    super(
      `\`${request}\` can only be answered by the platform, and nothing here answers it: have the embedding runtime ` +
        "answer requests of that name, or do without",
    );
    this.request = request;
  }
}

/** Something that functions cannot do, for the sandbox has no network and no files. */
export class SandboxError extends AgentMemoryError {
  static {
    named(this, "SandboxError");
  }
}

/**
 * Makes an error of what the contract's function `set` refuses with.
 *
 * @param {string} key
 * @param {unknown} error what was thrown
 * @returns {unknown} the same, if it does not come from the contract
 */
export function setError(key, error) {
  const refusal = payload(error);
  const { actual, limit, path, typeName, problem } = refusal?.val ?? {};
  switch (refusal?.tag) {
    case "invalid-json":
      return new NotJsonError(key, problem);
    case "nested":
      return new NestedValueError(key, path);
    case "opaque":
      return new OpaqueValueError(key, typeName);
    case "key-too-long":
      return new KeyTooLongError(key, Number(actual), Number(limit));
    case "value-too-large":
      return new ValueTooLargeError(key, Number(actual), Number(limit));
    case "state-too-large":
      return new StateTooLargeError(key, Number(actual), Number(limit));
    default:
      return error;
  }
}

/**
 * Makes an error of what the contract's effects refuse with.
 *
 * @param {unknown} error what was thrown
 * @returns {unknown} the same, if it does not come from the contract
 */
export function effectError(error) {
  const refusal = payload(error);
  return refusal?.tag === "invalid-json" ? new ArgumentsError(`the effect was refused: ${refusal.val}`) : error;
}

/**
 * Makes an error of what the contract's function `request` refuses with.
 *
 * @param {string} name
 * @param {unknown} error what was thrown
 * @returns {unknown} the same, if it does not come from the contract
 */
export function requestError(name, error) {
  const refusal = payload(error);
  switch (refusal?.tag) {
    case "unanswered":
      return new NotAnsweredError(name);
    case "failed":
    case "invalid-json":
      return new RequestError(`the request for \`${name}\` failed: ${refusal.val}`);
    default:
      return error;
  }
}

/**
 * What the contract's error holds.
 *
 * @param {any} error
 * @returns {{ tag: string, val?: any } | undefined}
 */
function payload(error) {
  return error?.payload;
}

/**
 * Gives a class of errors its name. A bundler may rename the class itself.
 *
 * @param {{ prototype: Error }} constructor
 * @param {string} name
 */
function named(constructor, name) {
  Object.defineProperty(constructor.prototype, "name", { value: name, configurable: true, writable: true });
}
