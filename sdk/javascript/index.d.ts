/**
 * Functions with memory, in JavaScript and TypeScript.
 *
 * ```ts
 * import type { Conversation } from "agent-memory";
 *
 * export function startFunction(conv: Conversation) {
 *   const cheese = conv.memory.get("cheese_type");
 *   conv.say(cheese ? `You picked ${cheese} last time.` : "Welcome to the cheese shop.");
 * }
 *
 * /** Books a cheese for a day. *\/
 * export function book(conv: Conversation, { cheese_type, booking_day }: { cheese_type: string; booking_day: string }) {
 *   conv.state.cheese_type = cheese_type;
 *   return `Booked ${cheese_type} for ${booking_day}.`;
 * }
 * ```
 *
 * @module
 */

/**
 * The conversation that a function takes part in: what it may know of it, and what it may ask for.
 *
 * What a function says and asks for is handed on in order when it returns, and also when it throws. Nothing of it happens
 * if the sandbox has to stop the function for using too much time or memory.
 */
export interface Conversation {
  /** What earlier conversations left on this caller. Read-only. */
  readonly memory: Memory;
  /** What this conversation knows. What is set here under one of the `state_keys` is remembered. */
  readonly state: State;
  /** The author's log. */
  readonly log: Log;
  /** The project's other functions: `conv.functions.NAME(args)`. They run within this turn. */
  readonly functions: Functions;

  /** The conversation's id. */
  readonly id: string;
  /** The account that the agent belongs to. */
  readonly accountId: string;
  /** The project that the agent belongs to. */
  readonly projectId: string;
  /** The environment: `sandbox`, `pre-release`, `live` or `draft`. */
  readonly env: string;
  /** The channel, such as `sip.polyai` or `webchat.polyai`. */
  readonly channelType: string;
  /** The caller's number, where the channel has one. */
  readonly callerNumber: string | undefined;
  /** The number that was called. */
  readonly calleeNumber: string | undefined;
  /** The language's code. */
  readonly language: string | undefined;
  /** The name of the variant in use. */
  readonly variantName: string | undefined;
  /** The flow that the conversation is in. */
  readonly currentFlow: string | undefined;
  /** The step of that flow. */
  readonly currentStep: string | undefined;
  /** The call's SIP headers. Names compare without case. */
  readonly sipHeaders: Readonly<Record<string, string | undefined>>;
  /** What integrations attached to the conversation. */
  readonly integrationAttributes: Readonly<Record<string, any>> | undefined;
  /** What was heard, in the recogniser's order, where it was not sure. */
  readonly transcriptAlternatives: readonly string[];
  /** The settings of the variant in use. Empty where there is none. */
  readonly variant: Readonly<Record<string, any>>;
  /** The settings of all variants, by name. */
  readonly variants: Readonly<Record<string, any>>;
  /** What was understood so far, by name. */
  readonly entities: Readonly<Record<string, any>>;
  /** Settings that can be changed while the agent runs. */
  readonly realTimeConfig: Readonly<Record<string, any>>;
  /** The project's texts in the conversation's language, by key. */
  readonly translations: Readonly<Record<string, any>>;
  /** The project's handoff destinations, by name. */
  readonly handoffs: Readonly<Record<string, any>>;
  /** What was said before this turn, oldest first. */
  readonly history: readonly Utterance[];
  /** The metrics that functions have written in this conversation, oldest first, this turn's included. */
  readonly metricEvents: readonly MetricEvent[];

  /** Says something to the caller. */
  say(utterance: string): void;
  /** Writes a metric. With `writeOnce`, only if the conversation has written none of that name. */
  writeMetric(name: string, value?: unknown, options?: { writeOnce?: boolean }): void;
  /** Asks for the caller to be handed over to somebody else: one of the project's handoff destinations. */
  callHandoff(destination: string, options?: HandoffOptions): void;

  /** Asks for the conversation to go on in a flow. */
  gotoFlow(name: string): void;
  /** Asks for the conversation to leave its flow. */
  exitFlow(): void;
  /** Asks for the conversation to go on with the survey of how content the caller is. */
  gotoCsatFlow(): void;
  /** Asks for another variant. */
  setVariant(name: string): void;
  /** Asks for another language. */
  setLanguage(code: string): void;
  /** Asks for the recording to be thrown away. */
  discardRecording(): void;

  /** Asks for a text message. */
  sendSms(toNumber: string, fromNumber: string, content: string, options?: { retryCount?: number }): void;
  /** Asks for a text message made from one of the project's templates. */
  sendSmsTemplate(toNumber: string, template: string, options?: { retryCount?: number }): void;
  /** Asks for an email. */
  sendEmail(to: string, body: string, options?: { subject?: string }): void;
  /** Asks for a WhatsApp message. */
  sendWhatsapp(
    toNumber: string,
    fromNumber: string,
    contentId: string,
    options?: { content?: string; retryCount?: number },
  ): void;
  /** Asks for a message made from a template of the messaging service. */
  sendContentTemplate(
    messagingServiceId: string,
    toNumber: string,
    contentId: string,
    options?: ContentTemplateOptions,
  ): void;
  /** Asks for files to be shown with the answer. */
  addAttachments(attachments: Iterable<unknown>): void;
  /** Asks for answers to be suggested to the person. */
  setResponseSuggestions(suggestions: Iterable<string>): void;

  /** Asks for another voice. */
  setVoice(voice: Voice): void;
  /** Asks for one of several voices, each as likely as its weight says. */
  randomizeVoice(weights: Iterable<VoiceWeighting>): void;
  /** Asks for a sound in the background. Its loudness is -40 if nothing is said of it. */
  setBackgroundTrack(name: string, options?: { loudness?: number }): void;
  /** Asks for words to be expected when the caller speaks. */
  setAsrBiasing(biasing?: AsrBiasing): void;
  /** Asks for no words to be expected any more. */
  clearAsrBiasing(): void;

  /** Gives the score of the survey of how content the caller is. */
  setCsatScore(score: number): void;
  /** Says whether the caller may be asked for that survey. */
  setCsatEligibility(eligible: boolean, options?: { reason?: string }): void;
  /** Says which number the survey goes to. */
  setCsatPhoneNumber(n: string): void;
  /** Says that the caller has begun the survey. */
  setCsatSurveyEntered(): void;

  /** Asks for an event that another system can raise later, and returns its id. */
  generateExternalEvent(options?: { sendToLlm?: boolean }): string;
  /** Hands on what an API answered, for the platform's log of API calls. */
  logApiResponse(response: unknown, options?: { overrideUrl?: string }): void;

  /** Asks the embedding runtime for any other effect, by its name and its arguments. */
  act(name: string, args?: Record<string, unknown>): void;
  /**
   * Asks the embedding runtime for what only it can answer, and waits for it. The wait does not count against the
   * function's time.
   *
   * @throws {NotAnsweredError} if nobody answers requests of that name
   * @throws {RequestError} if the answer failed
   */
  request<T = any>(name: string, args?: unknown): Promise<T>;

  /** What the platform can work out, such as the answer of a language model. */
  readonly utils: Utils;
  /** The project's APIs: `await conv.api.NAME.OPERATION({ ... })`. */
  readonly api: Requests;
  /** The project's integrations: `await conv.integrations.NAME.OPERATION({ ... })`. */
  readonly integrations: Requests;
  /** The web chat that the person writes in. */
  readonly webchat: Webchat;
  /** Calls that the agent makes. */
  readonly agenticDial: AgenticDial;
}

/** The flow that a function in `flows/FLOW/functions` belongs to. Such a function is called with `(conv, flow, args)`. */
export interface Flow {
  /** The flow's name. */
  readonly name: string | undefined;
  /** The step that the conversation is in. */
  readonly currentStep: string | undefined;
  /** The flow's other functions: `flow.functions.NAME(args)`. They run within this turn. */
  readonly functions: Functions;
  /** Asks for the conversation to go on in another step of the flow. */
  gotoStep(name: string, options?: { reason?: string }): void;
}

/**
 * What earlier conversations left on this caller, as it stood when the turn began. Read-only.
 *
 * Nothing that is set in this conversation shows here before the next one. It is empty for a caller without an
 * identifier, and where memory is off. Integers that a number cannot hold are `bigint`s.
 */
export interface Memory extends Iterable<[key: string, value: any]> {
  /** The value of a field, or `fallback` where nothing is remembered under that key. */
  get<T = any>(key: string): T | undefined;
  get<T = any>(key: string, fallback: T): T;
  /** Whether something is remembered under that key. */
  has(key: string): boolean;
  /** How many fields there are. */
  readonly size: number;
  /** A copy of all fields. */
  fields(): Record<string, any>;
  /** The keys of all fields, in their order. */
  keys(): IterableIterator<string>;
  /** The values of all fields. */
  values(): IterableIterator<any>;
  /** The keys and values of all fields. */
  entries(): IterableIterator<[key: string, value: any]>;
}

/**
 * What this conversation knows: any value under any key, for as long as the conversation lasts.
 *
 * Its values are its members: `conv.state.cheese_type = "brie"`. What functions set here under the configuration's
 * `state_keys` is remembered when the conversation ends. A value that cannot be remembered is refused where it is set, by
 * a {@link SetError}.
 *
 * A value that is changed in place counts as set. That is noticed when the function returns, and if the change breaks a
 * rule, the function fails and the key goes back to what it was.
 */
export type State = StateMethods & Record<string, any>;

/** The names that are no members of the state. A key that is called like one of them is read and set with these. */
export interface StateMethods extends Iterable<[key: string, value: any]> {
  /** The value under a key, or `fallback` where there is none. */
  get<T = any>(key: string): T | undefined;
  get<T = any>(key: string, fallback: T): T;
  /** Sets the value under a key. Setting an equal value counts as setting it, and `undefined` deletes the key. */
  set(key: string, value: unknown): void;
  /** Whether there is a value under a key. */
  has(key: string): boolean;
  /** Removes a key, and tells whether it was there. A key that was set and then removed is not remembered. */
  delete(key: string): boolean;
}

/** Writes to the author's log, which goes to the embedding runtime and nowhere else. Never throws. */
export interface Log {
  /** Writes for information. */
  info(content: unknown, fields?: LogFields): void;
  /** Writes that something may be wrong. */
  warning(content: unknown, fields?: LogFields): void;
  /** Writes that something is wrong. */
  error(content: unknown, fields?: LogFields): void;
}

/** What a log entry holds beside its text. `isPii` marks the entry as one with personal data. */
export type LogFields = { isPii?: boolean } & Record<string, unknown>;

/** Functions by name, in either spelling: `book_table` is `bookTable` too. What they return is what the function does. */
export type Functions = { readonly [name: string]: (args?: Record<string, any>) => any };

/** Something that was said before this turn. */
export interface Utterance {
  /** Who said it. */
  readonly role: "user" | "agent";
  /** What was said. */
  readonly text: string;
}

/** A metric that a function of this conversation has written. */
export interface MetricEvent {
  /** The metric's name. */
  readonly name: string;
  /** Its value, if it has one. */
  readonly value: any;
}

/** What a handoff may say beside its destination. */
export interface HandoffOptions {
  /** Why. */
  reason?: string;
  /** What to say first. */
  utterance?: string;
  /** SIP headers for the transfer. */
  sipHeaders?: Record<string, string>;
  /** The route to take. */
  route?: string;
}

/** What a message from a template may say beside its addressee. */
export interface ContentTemplateOptions {
  /** The text. */
  content?: string;
  /** Whether it goes by WhatsApp. */
  whatsapp?: boolean;
  /** What the template's variables are. */
  contentVariables?: Record<string, unknown>;
  /** How often to try again. */
  retryCount?: number;
}

/** Words to be expected. */
export interface AsrBiasing {
  /** Words. */
  keywords?: string[];
  /** Words, and how much they are to be expected. */
  customBiases?: Record<string, number>;
}

/** What the platform can work out. Each throws a {@link NotAnsweredError} if nobody answers. */
export type Utils = {
  /** Asks a language model. */
  promptLlm(prompt: string, options?: { showHistory?: boolean; returnJson?: boolean; model?: string }): Promise<any>;
  /** One of the project's secrets. */
  getSecret(secretName: string): Promise<any>;
} & Requests;

/** Questions that only the platform can answer: `conv.api.crm.find({ id: 1 })` asks for `api.crm.find`. */
export interface Requests {
  (...args: any[]): Promise<any>;
  readonly [name: string]: Requests;
}

/** The web chat that the person writes in. */
export interface Webchat {
  /** What was set in this turn. */
  readonly chatCallActions: unknown[];
  /** Asks for buttons that start a call. */
  setChatCallActions(actions: Iterable<unknown>): void;
}

/** Calls that the agent makes. */
export interface AgenticDial {
  /** Tells something to the conversation that this one was started from. */
  sendToParent(content: string): void;
  /** Tells something to a conversation that was started from this one. */
  sendToChild(destination: string, content: string): void;
}

/**
 * Describes a function for a language model, where its types and comments do not say enough.
 *
 * ```ts
 * export const book = tool(
 *   {
 *     description: "Books a cheese for a day.",
 *     parameters: {
 *       type: "object",
 *       properties: { slices: { type: "integer", description: "How many slices." } },
 *       required: ["slices"],
 *     },
 *   },
 *   (conv: Conversation, { slices }: { slices: number }) => `${slices} slices.`,
 * );
 * ```
 *
 * @returns the function itself
 */
export function tool<F extends (...args: any[]) => unknown>(options: ToolOptions, callable: F): F;

/** What a language model and the platform are told of a function. */
export interface ToolOptions {
  /** What it is for. Left out: the comment above it. */
  description?: string;
  /** Its parameters: a JSON Schema of type `object`. Left out: what the types say. */
  parameters?: JsonSchema;
  /** What the platform is to say while the function takes its time. */
  latencyControl?: LatencyControl;
}

/** What the platform is to say while a function takes its time. */
export interface LatencyControl {
  /** Seconds before the first of the texts. */
  delayBeforeResponsesStart?: number;
  /** Seconds after each of them. */
  silenceAfterEachResponse?: number;
  /** Texts, with seconds each. */
  delayResponses?: [text: string, seconds: number][];
}

/** A JSON Schema. Of its keywords only those that say which values there may be are checked when a function is called. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, JsonSchema | boolean>;
  required?: readonly string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema | boolean;
  prefixItems?: readonly (JsonSchema | boolean)[];
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly (JsonSchema | boolean)[];
  oneOf?: readonly (JsonSchema | boolean)[];
  default?: unknown;
  [keyword: string]: unknown;
}

/** What all errors of this package have in common. */
export class AgentMemoryError extends Error {}

/** A value was refused. What stood under the key before still stands. */
export class SetError extends AgentMemoryError {
  /** The key that was to be set. */
  readonly key: string;
}

/** The key is remembered, and the value has an object or an array inside an object or an array. */
export class NestedValueError extends SetError {
  /** The JSON Pointer of the member that is itself an object or an array. */
  readonly path: string;
}

/** The key is remembered, and JSON has no word for the value. */
export class OpaqueValueError extends SetError {
  /** The name of the value's type. */
  readonly typeName: string;
}

/** The value can be written neither as JSON nor in another way that outlasts the turn. */
export class NotJsonError extends SetError {
  /** What is wrong, without the value. */
  readonly problem: string;
}

/** The key is longer than keys may be. */
export class KeyTooLongError extends SetError {
  /** The size that was found, in bytes. */
  readonly actual: number;
  /** The largest size allowed, in bytes. */
  readonly limit: number;
}

/** The key is remembered, and the value is larger than memory's values may be. */
export class ValueTooLargeError extends SetError {
  /** The size that was found, in bytes. */
  readonly actual: number;
  /** The largest size allowed, in bytes. */
  readonly limit: number;
}

/** With this value the whole state would be larger than it may be. */
export class StateTooLargeError extends SetError {
  /** The size that the state would have, in bytes. */
  readonly actual: number;
  /** The largest size allowed, in bytes. */
  readonly limit: number;
}

/** The arguments do not fit a function's parameters. The message says which and why. */
export class ArgumentsError extends AgentMemoryError {}

/** The platform did not answer, or failed to. */
export class RequestError extends AgentMemoryError {}

/** Nobody answers requests of that name here. */
export class NotAnsweredError extends RequestError {
  /** The request's name. */
  readonly request: string;
}

/** Something that functions cannot do, for the sandbox has no network and no files. */
export class SandboxError extends AgentMemoryError {}

/** A voice of any provider. */
export class Voice {
  constructor(provider: string, providerVoiceId: string, settings?: object);
  /** Who makes the voice. */
  readonly provider: string;
  /** The provider's name for it. */
  readonly providerVoiceId: string;
  /** What else the provider wants to know, in camelCase. */
  readonly settings: object;
  /** The voice as the platform knows it. What was not chosen is left out. */
  toJSON(): Record<string, unknown>;
}

/** A voice of a provider that has no class here. */
export class CustomVoice extends Voice {}

/** A voice of ElevenLabs. */
export class ElevenLabsVoice extends Voice {
  constructor(
    providerVoiceId: string,
    settings?: { similarityBoost?: number; stability?: number; modelId?: string; speed?: number },
  );
}

/** A voice of Rime. */
export class RimeVoice extends Voice {
  constructor(providerVoiceId: string, settings?: { speechAlpha?: number; modelId?: string });
}

/** An emotion of a voice, such as `{ kind: "curiosity", intensity: "high" }`. */
export interface Emotion {
  kind?: "anger" | "positivity" | "surprise" | "sadness" | "curiosity";
  intensity?: "lowest" | "low" | "high" | "highest";
}

/** A voice of Cartesia. */
export class CartesiaVoice extends Voice {
  constructor(
    providerVoiceId: string,
    settings?: {
      speed?: number;
      emotions?: Emotion[];
      modelId?: string;
      volume?: number;
      emotion?: string;
      language?: string;
    },
  );
}

/** A voice of PlayHT. */
export class PlayHTVoice extends Voice {
  constructor(
    providerVoiceId: string,
    settings?: {
      speed?: number;
      temperature?: number;
      emotion?: string;
      voiceGuidance?: number;
      styleGuidance?: number;
      voiceEngine?: string;
    },
  );
}

/** A voice of MiniMax. */
export class MinimaxVoice extends Voice {
  constructor(
    modelId: string,
    voiceId: string,
    settings?: { speed?: number; vol?: number; pitch?: number; emotion?: string },
  );
}

/** A voice of Hume. */
export class HumeVoice extends Voice {
  constructor(
    providerVoiceId: string,
    settings?: { voiceDescription?: string; version?: string; instantMode?: boolean; provider?: string },
  );
}

/** A voice of Google. */
export class GoogleVoice extends Voice {
  constructor(providerVoiceId: string, settings?: { gender?: string });
}

/** A voice, and how likely it is to be chosen. */
export class VoiceWeighting {
  constructor(voice: Voice, weight?: number);
  readonly voice: Voice;
  readonly weight: number | undefined;
}
