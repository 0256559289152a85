// A client of the Agent Memory service.

/** How often a request is sent that gets no answer, or is told to come again. */
const ATTEMPTS = 4;

/** What says that the same request may do better in a moment. */
const AGAIN = new Set([429, 502, 503, 504]);

/** How long an answer may take, in milliseconds. */
const TIMEOUT = 30_000;

/** What the service refuses, and why: a problem document (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} document
   */
  constructor(status, document) {
    const { type = "about:blank", title = "The service has failed", detail = "", errors = [] } = document;
    const lines = errors.map((/** @type {{ path: string, detail: string }} */ error) => `${error.path}: ${error.detail}`);
    super([`${title}: ${detail}`, ...lines].join("\n  "));
    this.name = "Problem";
    Object.assign(this, { status, type, title, detail, errors });
  }
}

/** A service. */
export class Client {
  #url;
  #headers;
  #timeout;

  /**
   * @param {string} url
   * @param {{ token?: string, timeout?: number }} [options]
   */
  constructor(url, { token, timeout = TIMEOUT } = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    this.#timeout = timeout;
  }

  /**
   * @param {string} account
   * @param {string} project
   * @param {string} environment
   */
  agent(account, project, environment) {
    return new Agent(this, [account, project, environment]);
  }

  async agents() {
    return (await this.request("GET", "/v1/agents")).agents;
  }

  /** @param {Record<string, string>} [query] */
  analytics(query = {}) {
    return this.request("GET", `/v1/analytics?${new URLSearchParams(query)}`);
  }

  /**
   * Sends a request until it is answered, if sending it twice does no harm.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ json?: unknown, form?: FormData, once?: string, timeout?: number }} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, { json, form, once, timeout = this.#timeout } = {}) {
    const headers = { ...this.#headers, ...(once && { "Idempotency-Key": once }) };
    const isSafe = method !== "POST" || once !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      const mayRepeat = isSafe && attempt < ATTEMPTS;
      const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
      const type = json === undefined ? {} : { "Content-Type": "application/json" };
      let response;
      try {
        const signal = AbortSignal.timeout(timeout);
        response = await fetch(this.#url + path, { method, headers: { ...headers, ...type }, body, signal });
      } catch (error) {
        if (!mayRepeat) throw error;
        await pause(100 * 2 ** attempt);
        continue;
      }
      if (mayRepeat && mayDoBetter(response)) {
        await pause(Math.min(1000 * Number(response.headers.get("Retry-After") ?? 1), 5000));
        continue;
      }
      const text = await response.text();
      if (response.ok) return text === "" ? undefined : JSON.parse(text);
      throw new Problem(response.status, document(text));
    }
  }
}

/** An agent of the service. */
export class Agent {
  #client;
  #path;

  /**
   * @param {Client} client
   * @param {string[]} scope
   */
  constructor(client, scope) {
    this.#client = client;
    this.#path = `/v1/agents/${scope.map(encodeURIComponent).join("/")}`;
  }

  /**
   * @param {Uint8Array} functions
   * @param {object} [configuration]
   */
  publish(functions, configuration = {}) {
    const form = new FormData();
    form.set("functions", new Blob([/** @type {BlobPart} */ (functions)], { type: "application/wasm" }), "agent.wasm");
    form.set("configuration", JSON.stringify(configuration));
    return this.#client.request("PUT", this.#path, { form, timeout: 300_000 });
  }

  describe() {
    return this.#client.request("GET", this.#path);
  }

  remove() {
    return this.#client.request("DELETE", this.#path);
  }

  tools() {
    return this.#client.request("GET", `${this.#path}/tools`);
  }

  /** @param {object} [conversation] */
  async start(conversation = {}) {
    const once = crypto.randomUUID();
    const started = await this.#client.request("POST", `${this.#path}/conversations`, { json: conversation, once });
    return new Conversation(this.#client, this.#path, started.conversation, started.turn);
  }

  /** @param {string} id */
  conversation(id) {
    return new Conversation(this.#client, this.#path, id, null);
  }

  /**
   * @param {string} identifier
   * @param {{ kind?: string }} [options]
   */
  async readMemory(identifier, { kind = "phone" } = {}) {
    return (await this.#memory("read", { identifier, kind })).fields;
  }

  /**
   * @param {string} identifier
   * @param {Record<string, unknown>} values
   * @param {{ kind?: string }} [options]
   */
  async patchMemory(identifier, values, { kind = "phone" } = {}) {
    const fields = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]));
    return (await this.#memory("patch", { identifier, kind, fields })).commit;
  }

  /**
   * @param {string} identifier
   * @param {{ kind?: string, key?: string }} [options]
   */
  eraseMemory(identifier, { kind = "phone", key } = {}) {
    return this.#memory("erase", { identifier, kind, key });
  }

  /**
   * @param {string} identifier
   * @param {{ kind?: string }} [options]
   */
  exportMemory(identifier, { kind = "phone" } = {}) {
    return this.#memory("export", { identifier, kind });
  }

  /**
   * @param {string} what
   * @param {object} json
   */
  #memory(what, json) {
    return this.#client.request("POST", `${this.#path}/memory/${what}`, { json });
  }
}

/** A conversation. */
export class Conversation {
  #client;
  #path;

  /**
   * @param {Client} client
   * @param {string} agent
   * @param {string} id
   * @param {object | null} turn
   */
  constructor(client, agent, id, turn) {
    this.#client = client;
    this.#path = `${agent}/conversations/${encodeURIComponent(id)}`;
    this.id = id;
    this.startTurn = turn;
  }

  /**
   * @param {string} name
   * @param {object} [args]
   */
  async call(name, args = {}) {
    const json = { function: name, arguments: args };
    return (await this.#client.request("POST", `${this.#path}/calls`, { json, once: crypto.randomUUID() })).turn;
  }

  async preview() {
    return (await this.#client.request("POST", `${this.#path}/preview`, { json: {}, once: "preview" })).commit;
  }

  /** @param {object} [outcome] */
  end(outcome = {}) {
    return this.#client.request("POST", `${this.#path}/end`, { json: { outcome }, once: "end" });
  }

  /** @param {object} outcome */
  async addOutcome(outcome) {
    return (await this.#client.request("PUT", `${this.#path}/outcome`, { json: outcome })).changed;
  }
}

/**
 * Whether the same request may do better in a moment, as one does that other calls were faster than.
 *
 * @param {Response} response
 */
function mayDoBetter(response) {
  return AGAIN.has(response.status) || (response.status === 409 && response.headers.has("Retry-After"));
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** @param {string} text */
function document(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
