/** What an identifier is: a caller's number, or anything else. */
export type Kind = "phone" | "custom";

/** What a function did. */
export interface TurnResult {
  call: string;
  outcome: "returned" | "error" | "stopped";
  returns: unknown;
  say: string[];
  /** What else it asked for, for the platform to carry out. */
  actions: { name: string; arguments: Record<string, unknown> }[];
  logs: { level: "info" | "warning" | "error"; content: string; is_pii: boolean; fields: Record<string, unknown> }[];
  error: { name: string; message: string; trace: string } | null;
  memory_unavailable: boolean;
  micros: number;
}

/** What a conversation's end has written, key by key. */
export interface CommitReport {
  status: "committed" | "no-identifier" | "memory-off" | "preview";
  identifier: string;
  keys: Record<string, { kept: true; expires_at: string } | { kept: false; reason: string }>;
  first_interaction: boolean;
  warnings: { code: string; key: string }[];
}

/** What a conversation's end did. */
export interface EndResult {
  turn: TurnResult | null;
  commit: CommitReport;
  /** For a repeat caller, what is recorded of the first interaction. */
  metrics: Record<string, string>;
}

/** A function in the form in which language models are given tools. */
export interface Tool {
  type: "function";
  function: { name: string; description: string; parameters: Record<string, unknown> };
}

/** An agent, in the version that conversations begin with. */
export interface AgentDescription {
  account: string;
  project: string;
  environment: string;
  version: string;
  component: string;
  state_keys: string[];
  functions: { name: string; description: string; parameters: object; annotations?: object }[];
  warnings: { path: string; message: string }[];
}

/** A conversation that begins. */
export interface NewConversation {
  /** Unique within the agent. Default: a random one. */
  id?: string;
  caller_number?: string;
  callee_number?: string;
  channel?: string;
  sip_headers?: Record<string, string>;
  integration_attributes?: Record<string, unknown>;
  /** What the platform puts into the state. */
  state?: Record<string, unknown>;
  settings?: Record<string, unknown>;
  run_start_function?: boolean;
}

/** How a conversation went, as far as the platform knows. */
export interface Outcome {
  qa?: string;
  handoff?: { reason?: string; to?: string };
}

/** A field as it is stored. */
export interface MemoryField {
  value: unknown;
  expires_at: string;
}

/** All that is held on a caller. */
export interface Export {
  identifier_kind: Kind;
  fields: Record<string, MemoryField>;
  first_interaction: Record<string, string> | null;
  conversations: string[];
}

/** What the service refuses, and why: a problem document (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: { path: string; detail: string }[];
}

/** What was erased, and the erasure as the audit trail has it. */
export interface Erasure {
  deleted: { fields: number; interactions: number; metrics: number };
  receipt: Act;
}

/** What an administrator did. It names no caller. */
export interface Act {
  id: string;
  /** The hour in which it was done. */
  at: string;
  act: string;
  /** The name of the token with which it was done. */
  by?: string;
  account?: string;
  project?: string;
  environment?: string;
  /** How much it concerned, by what that is. */
  counts: Record<string, number>;
  /** From when no copy of what was erased can be read any more, not in backups either. */
  unreadable_from?: string;
  /** Whether it is known to have been completed. */
  completed: boolean;
  /** SHA-256 of this object without this member. */
  digest: string;
}

/** A service. */
export class Client {
  /** `timeout`: how long an answer may take, in milliseconds. */
  constructor(url: string, options?: { token?: string; timeout?: number });
  /** An agent, which need not be there yet. */
  agent(account: string, project: string, environment: string): Agent;
  /** The agents that the token may see. */
  agents(): Promise<{ account: string; project: string; environment: string; version: string; component: string }[]>;
  /** Repeat callers in figures. */
  analytics(query?: Partial<Record<"account" | "project" | "environment" | "channel" | "from" | "to", string>>): Promise<
    Record<string, unknown>
  >;
}

/** An agent of the service. */
export class Agent {
  private constructor();
  /** Publishes a component, from `agent-memory build`. Running conversations go on with theirs. */
  publish(functions: Uint8Array, configuration?: object): Promise<AgentDescription>;
  /** The version that conversations begin with. */
  describe(): Promise<AgentDescription>;
  /** Removes the agent. Running conversations go on for up to a week. */
  remove(): Promise<void>;
  /** The functions, in the form in which language models are given tools. */
  tools(): Promise<Tool[]>;
  /** Starts a conversation. */
  start(conversation?: NewConversation): Promise<Conversation>;
  /** A conversation that is going on, wherever it began. */
  conversation(id: string): Conversation;
  /** What is remembered of a caller. */
  readMemory(identifier: string, options?: { kind?: Kind }): Promise<Record<string, MemoryField>>;
  /** Puts values into a caller's memory: all of them, or none. */
  patchMemory(identifier: string, values: Record<string, unknown>, options?: { kind?: Kind }): Promise<CommitReport>;
  /** Erases a caller, or one of the caller's keys. Tells how much that was, with a receipt. */
  eraseMemory(identifier: string, options?: { kind?: Kind; key?: string }): Promise<Erasure>;
  /** All that is held on a caller. */
  exportMemory(identifier: string, options?: { kind?: Kind }): Promise<Export>;
}

/** A conversation. */
export class Conversation {
  private constructor();
  /** Its id, by which another process can go on with it. */
  readonly id: string;
  /** What `start_function` did, if it ran. */
  readonly startTurn: TurnResult | null;
  /** Calls a function. One that fails is a result too: look at its `outcome`. */
  call(name: string, args?: Record<string, unknown>): Promise<TurnResult>;
  /** What the end would commit if it came now. */
  preview(): Promise<CommitReport>;
  /** Ends the conversation, exactly once, however often it is said: again it gives the same report, and `turn` null. */
  end(outcome?: Outcome): Promise<EndResult>;
  /** Adds an outcome that became known after the end. Tells whether the caller's record has changed. */
  addOutcome(outcome: Outcome): Promise<boolean>;
}
