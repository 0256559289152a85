// The handle that every function is given.

import { parse, stringify } from "./json.js";
import { createLog } from "./log.js";
import { createMemory } from "./memory.js";
import { act, agenticDial, request, requests, taken, utils, webchat } from "./requests.js";
import { StateKeeper } from "./state.js";

/** @typedef {import("../index.d.ts").Conversation} Contract */

/** How loud a background track is if nothing is said of it. */
const LOUDNESS = -40;

/**
 * The conversation that a function takes part in.
 *
 * @implements {Contract}
 */
export class Conversation {
  /** @type {import("./host.js").Host} */
  #host;
  /** @type {StateKeeper | undefined} */
  #state;
  /** @type {import("./functions.js").Registry} */
  #registry;
  /** What was asked for before, so that it is there at once and the same again. */
  #known = /** @type {Record<string, any>} */ ({});

  /**
   * @param {import("./host.js").Host} host
   * @param {import("./functions.js").Registry} registry
   */
  constructor(host, registry) {
    this.#host = host;
    this.#registry = registry;
  }

  get memory() {
    return this.#once("memory", () => createMemory(this.#host));
  }

  get state() {
    this.#state ??= new StateKeeper(this.#host);
    return this.#state.view;
  }

  get log() {
    return this.#once("log", () => createLog(this.#host));
  }

  get functions() {
    return this.#once("functions", () => this.#registry.callable(this));
  }

  // Attributes. One crossing brings all of them over.

  get id() {
    return this.#attributes.id;
  }

  get accountId() {
    return this.#attributes.accountId;
  }

  get projectId() {
    return this.#attributes.projectId;
  }

  get env() {
    return this.#attributes.env;
  }

  get channelType() {
    return this.#attributes.channel;
  }

  get callerNumber() {
    return this.#attributes.callerNumber;
  }

  get calleeNumber() {
    return this.#attributes.calleeNumber;
  }

  get language() {
    return this.#attributes.language;
  }

  get variantName() {
    return this.#attributes.variantName;
  }

  get currentFlow() {
    return this.#attributes.currentFlow;
  }

  get currentStep() {
    return this.#attributes.currentStep;
  }

  get sipHeaders() {
    return this.#once("sipHeaders", () => withoutCase(this.#attributes.sipHeaders));
  }

  get integrationAttributes() {
    const text = this.#attributes.integrationAttributes;
    return text === undefined ? undefined : this.#once("integrationAttributes", () => parse(text));
  }

  get transcriptAlternatives() {
    return this.#once("transcriptAlternatives", () => [...this.#attributes.transcriptAlternatives]);
  }

  get variants() {
    return this.#setting("variants");
  }

  get variant() {
    const variant = this.#setting("variant");
    if (Object.keys(variant).length > 0) return variant;
    return Object.hasOwn(this.variants, this.variantName ?? "") ? this.variants[this.variantName ?? ""] : variant;
  }

  get entities() {
    return this.#setting("entities");
  }

  get realTimeConfig() {
    return this.#once("realTimeConfig", () => Object.freeze(this.#setting("real_time_config")));
  }

  get translations() {
    return this.#once("translations", () => translated(this.#setting("translations"), this.language ?? ""));
  }

  get handoffs() {
    return this.#setting("handoffs");
  }

  get history() {
    return this.#once("history", () => this.#host.conversation.history().map(({ role, text }) => ({ role, text })));
  }

  get metricEvents() {
    return this.#host.conversation
      .metricEvents()
      .map(({ name, value }) => ({ name, value: value === undefined ? undefined : parse(value) }));
  }

  // Speech, metrics, handoff

  /** @param {string} utterance */
  say(utterance) {
    this.#host.conversation.say(text("conv.say", utterance));
  }

  /**
   * @param {string} name
   * @param {unknown} [value]
   * @param {{ writeOnce?: boolean }} [options]
   */
  writeMetric(name, value, options) {
    const { writeOnce = false } = optional("conv.writeMetric", options);
    const json = value === undefined || value === null ? undefined : stringify(value);
    taken(() => this.#host.conversation.writeMetric(text("conv.writeMetric", name), json, writeOnce));
  }

  /**
   * @param {string} destination
   * @param {import("../index.d.ts").HandoffOptions} [options]
   */
  callHandoff(destination, options) {
    const { reason, utterance, sipHeaders, route } = optional("conv.callHandoff", options);
    taken(() =>
      this.#host.conversation.handoff({
        destination: text("conv.callHandoff", destination),
        reason: reason ?? undefined,
        utterance: utterance ?? undefined,
        sipHeaders: sipHeaders ? stringify(sipHeaders) : undefined,
        route: route ?? undefined,
      }),
    );
  }

  // Where the conversation goes

  /** @param {string} name */
  gotoFlow(name) {
    act(this.#host, "goto_flow", { name });
  }

  exitFlow() {
    act(this.#host, "exit_flow");
  }

  gotoCsatFlow() {
    act(this.#host, "goto_csat_flow");
  }

  /** @param {string} name */
  setVariant(name) {
    act(this.#host, "set_variant", { name });
  }

  /** @param {string} code */
  setLanguage(code) {
    act(this.#host, "set_language", { code });
  }

  discardRecording() {
    act(this.#host, "discard_recording");
  }

  // Messages

  /**
   * @param {string} toNumber
   * @param {string} fromNumber
   * @param {string} content
   * @param {{ retryCount?: number }} [options]
   */
  sendSms(toNumber, fromNumber, content, options) {
    const { retryCount } = optional("conv.sendSms", options);
    act(this.#host, "send_sms", {
      to_number: toNumber,
      from_number: fromNumber,
      content,
      retry_count: retryCount ?? undefined,
    });
  }

  /**
   * @param {string} toNumber
   * @param {string} template
   * @param {{ retryCount?: number }} [options]
   */
  sendSmsTemplate(toNumber, template, options) {
    const { retryCount } = optional("conv.sendSmsTemplate", options);
    act(this.#host, "send_sms_template", { to_number: toNumber, template, retry_count: retryCount ?? undefined });
  }

  /**
   * @param {string} to
   * @param {string} body
   * @param {{ subject?: string }} [options]
   */
  sendEmail(to, body, options) {
    const { subject } = optional("conv.sendEmail", options);
    act(this.#host, "send_email", { to, body, subject: subject || undefined });
  }

  /**
   * @param {string} toNumber
   * @param {string} fromNumber
   * @param {string} contentId
   * @param {{ content?: string, retryCount?: number }} [options]
   */
  sendWhatsapp(toNumber, fromNumber, contentId, options) {
    const { content, retryCount } = optional("conv.sendWhatsapp", options);
    act(this.#host, "send_whatsapp", {
      to_number: toNumber,
      from_number: fromNumber,
      content_id: contentId,
      content: content || undefined,
      retry_count: retryCount ?? undefined,
    });
  }

  /**
   * @param {string} messagingServiceId
   * @param {string} toNumber
   * @param {string} contentId
   * @param {import("../index.d.ts").ContentTemplateOptions} [options]
   */
  sendContentTemplate(messagingServiceId, toNumber, contentId, options) {
    const { content, whatsapp, contentVariables, retryCount } = optional("conv.sendContentTemplate", options);
    act(this.#host, "send_content_template", {
      messaging_service_id: messagingServiceId,
      to_number: toNumber,
      content_id: contentId,
      content: content || undefined,
      whatsapp: whatsapp || undefined,
      content_variables: contentVariables ?? undefined,
      retry_count: retryCount ?? undefined,
    });
  }

  /** @param {Iterable<unknown>} attachments */
  addAttachments(attachments) {
    act(this.#host, "add_attachments", { attachments: [...attachments] });
  }

  /** @param {Iterable<string>} suggestions */
  setResponseSuggestions(suggestions) {
    act(this.#host, "set_response_suggestions", { suggestions: [...suggestions] });
  }

  // Sound

  /** @param {import("../index.d.ts").Voice} voice */
  setVoice(voice) {
    act(this.#host, "set_voice", { voice });
  }

  /** @param {Iterable<import("../index.d.ts").VoiceWeighting>} weights */
  randomizeVoice(weights) {
    act(this.#host, "randomize_voice", { weights: [...weights] });
  }

  /**
   * @param {string} name
   * @param {{ loudness?: number }} [options]
   */
  setBackgroundTrack(name, options) {
    const { loudness = LOUDNESS } = optional("conv.setBackgroundTrack", options);
    act(this.#host, "set_background_track", { name, loudness: loudness === LOUDNESS ? undefined : loudness });
  }

  /** @param {import("../index.d.ts").AsrBiasing} [biasing] */
  setAsrBiasing(biasing) {
    const { keywords, customBiases } = optional("conv.setAsrBiasing", biasing);
    act(this.#host, "set_asr_biasing", {
      keywords: keywords ?? undefined,
      custom_biases: customBiases ?? undefined,
    });
  }

  clearAsrBiasing() {
    act(this.#host, "clear_asr_biasing");
  }

  // How content the caller is

  /** @param {number} score */
  setCsatScore(score) {
    act(this.#host, "set_csat_score", { score });
  }

  /**
   * @param {boolean} eligible
   * @param {{ reason?: string }} [options]
   */
  setCsatEligibility(eligible, options) {
    const { reason } = optional("conv.setCsatEligibility", options);
    act(this.#host, "set_csat_eligibility", { eligible, reason: reason ?? undefined });
  }

  /** @param {string} n */
  setCsatPhoneNumber(n) {
    act(this.#host, "set_csat_phone_number", { n });
  }

  setCsatSurveyEntered() {
    act(this.#host, "set_csat_survey_entered");
  }

  // The platform

  /** @param {{ sendToLlm?: boolean }} [options] */
  generateExternalEvent(options) {
    const { sendToLlm } = optional("conv.generateExternalEvent", options);
    const eventId = crypto.randomUUID();
    act(this.#host, "generate_external_event", { event_id: eventId, send_to_llm: sendToLlm || undefined });
    return eventId;
  }

  /**
   * @param {unknown} response
   * @param {{ overrideUrl?: string }} [options]
   */
  logApiResponse(response, options) {
    const { overrideUrl } = optional("conv.logApiResponse", options);
    act(this.#host, "log_api_response", { response, override_url: overrideUrl ?? undefined });
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} [args]
   */
  act(name, args) {
    act(this.#host, text("conv.act", name), args);
  }

  /**
   * @param {string} name
   * @param {unknown} [args]
   */
  request(name, args) {
    return request(this.#host, text("conv.request", name), args);
  }

  get utils() {
    return this.#once("utils", () => utils(this.#host));
  }

  get api() {
    return this.#once("api", () => requests(this.#host, "api"));
  }

  get integrations() {
    return this.#once("integrations", () => requests(this.#host, "integrations"));
  }

  get webchat() {
    return this.#once("webchat", () => webchat(this.#host));
  }

  get agenticDial() {
    return this.#once("agenticDial", () => agenticDial(this.#host));
  }

  /**
   * Sets what functions have changed in place.
   *
   * @param {Conversation} conversation
   * @returns {unknown[]} why some of it was refused
   */
  static settle(conversation) {
    return conversation.#state?.settle() ?? [];
  }

  /** @returns {import("./host.js").Attributes} */
  get #attributes() {
    return this.#once("attributes", () => this.#host.conversation.attributes());
  }

  /**
   * One of the project's settings, or an empty one.
   *
   * @param {string} name
   * @returns {Record<string, any>}
   */
  #setting(name) {
    const settings = this.#once("settings", () => parse(this.#attributes.settings));
    return (settings[name] ??= {});
  }

  /**
   * @template T
   * @param {string} name
   * @param {() => T} make
   * @returns {T}
   */
  #once(name, make) {
    return (this.#known[name] ??= make());
  }
}

/**
 * A text, or something that reads as one.
 *
 * @param {string} method
 * @param {unknown} value
 */
function text(method, value) {
  if (typeof value === "string") return value;
  if (["number", "bigint", "boolean"].includes(typeof value)) return String(value);
  throw new TypeError(`\`${method}\` takes a text, and was given ${value === null ? "null" : typeof value}`);
}

/**
 * Options, all of which may be left out.
 *
 * @template {object} T
 * @param {string} method
 * @param {T | undefined} options
 * @returns {Partial<T>}
 */
function optional(method, options) {
  if (options === undefined || options === null) return {};
  if (typeof options === "object") return options;
  throw new TypeError(`\`${method}\` takes its options as an object, and was given ${typeof options}`);
}

/**
 * Headers whose names are the same in upper and lower case.
 *
 * @param {{ name: string, value: string }[]} headers
 * @returns {Record<string, string>}
 */
function withoutCase(headers) {
  const values = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
  const names = new Map(headers.map(({ name }) => [name.toLowerCase(), name]));
  const found = (/** @type {PropertyKey} */ name) =>
    (typeof name === "string" && names.get(name.toLowerCase())) || name;
  return new Proxy(values, {
    get: (target, name) => Reflect.get(target, found(name)),
    has: (target, name) => Reflect.has(target, found(name)),
  });
}

/**
 * The project's texts in a language. One that is the same in all languages is no object.
 *
 * @param {Record<string, any>} translations
 * @param {string} language
 */
function translated(translations, language) {
  const [family] = language.split("-");
  const texts = Object.entries(translations).map(([key, text]) => {
    const isPerLanguage = typeof text === "object" && text !== null;
    return [key, isPerLanguage ? (text[language] ?? text[family]) : text];
  });
  return Object.fromEntries(texts);
}
