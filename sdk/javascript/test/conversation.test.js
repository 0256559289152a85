import * as api from "../src/index.js";
import { assert, test } from "#test";
import { conversation } from "./support/agent.js";

const ATTRIBUTES = {
  callerNumber: "+441632960001",
  calleeNumber: "+441632960100",
  language: "de-DE",
  variantName: "short",
  currentFlow: "payment",
  currentStep: "amount",
  sipHeaders: [{ name: "X-Customer-Id", value: "42" }],
  integrationAttributes: '{"customer_id":12345678901234567890}',
  transcriptAlternatives: ["four", "for"],
  settings: JSON.stringify({
    variants: { short: { greeting: "Hi" } },
    entities: { day: { value: "Friday" } },
    real_time_config: { open: true },
    translations: { bye: { en: "Goodbye.", de: "Tschüss." }, shop: "Käse" },
    handoffs: { cheesemonger: {} },
  }),
};

test("attributes are there in camelCase, and one crossing brings them over", () => {
  const { conv, host } = conversation({ attributes: ATTRIBUTES });
  assert.deepEqual(
    [conv.id, conv.accountId, conv.projectId, conv.env, conv.channelType, conv.callerNumber, conv.calleeNumber],
    ["call-1", "local", "local", "sandbox", "sip.polyai", "+441632960001", "+441632960100"],
  );
  assert.deepEqual(
    [conv.language, conv.variantName, conv.currentFlow, conv.currentStep],
    ["de-DE", "short", "payment", "amount"],
  );
  assert.deepEqual(conv.integrationAttributes, { customer_id: 12345678901234567890n });
  assert.deepEqual(conv.transcriptAlternatives, ["four", "for"]);
  assert.equal(host.calls.attributes, 1);
});

test("what a conversation does not have is undefined or empty", () => {
  const { conv } = conversation();
  assert.deepEqual(
    [conv.callerNumber, conv.language, conv.currentFlow, conv.integrationAttributes],
    [undefined, undefined, undefined, undefined],
  );
  for (const empty of [
    conv.variant,
    conv.variants,
    conv.entities,
    conv.realTimeConfig,
    conv.translations,
    conv.handoffs,
  ]) {
    assert.deepEqual(empty, {});
  }
  assert.deepEqual([conv.history, conv.metricEvents, conv.transcriptAlternatives], [[], [], []]);
});

test("settings are objects", () => {
  const { conv } = conversation({ attributes: ATTRIBUTES });
  assert.equal(conv.variant.greeting, "Hi");
  assert.isUndefined(conv.variant.farewell);
  assert.equal(conv.entities.day.value, "Friday");
  assert.deepEqual(conv.translations, { bye: "Tschüss.", shop: "Käse" });
  assert.property(conv.handoffs, "cheesemonger");
  const config = /** @type {any} */ (conv.realTimeConfig);
  assert.throws(() => (config.open = false), TypeError);
});

test("i2_sip_headers_are_found_without_case", () => {
  const { conv } = conversation({ attributes: ATTRIBUTES });
  assert.equal(conv.sipHeaders["x-customer-ID"], "42");
  assert.isUndefined(conv.sipHeaders["X-Other"]);
  assert.isTrue("x-customer-id" in conv.sipHeaders);
  assert.deepEqual(Object.entries(conv.sipHeaders), [["X-Customer-Id", "42"]]);
});

test("history and metrics are listed, this turn's included", () => {
  const history = [{ role: /** @type {const} */ ("user"), text: "Brie, please." }];
  const { conv } = conversation({ history });
  assert.deepEqual(conv.history, history);
  conv.writeMetric("cheese", "brie");
  conv.writeMetric("asked");
  assert.deepEqual(conv.metricEvents, [
    { name: "cheese", value: "brie" },
    { name: "asked", value: undefined },
  ]);
});

test("a metric is written once if that is wanted", () => {
  const { conv, host } = conversation();
  conv.writeMetric("till", 1.5, { writeOnce: true });
  conv.writeMetric("till", 2, { writeOnce: true });
  assert.deepEqual(host.acted, [["write_metric", { name: "till", value: "1.5", once: true }]]);
});

test("a text is said, and nothing that is none", () => {
  const { conv, host } = conversation();
  conv.say("Hello.");
  conv.say(/** @type {any} */ (5));
  assert.deepEqual(host.said, ["Hello.", "5"]);
  for (const value of [undefined, null, {}, ["a"]]) {
    assert.throws(() => conv.say(/** @type {any} */ (value)), TypeError, "`conv.say` takes a text");
  }
});

test("a handoff leaves out what is not said", () => {
  const { conv, host } = conversation();
  conv.callHandoff("cheesemonger", { reason: "refund", sipHeaders: { "X-A": "1" } });
  assert.deepEqual(JSON.parse(JSON.stringify(host.acted)), [
    ["call_handoff", { destination: "cheesemonger", reason: "refund", sipHeaders: '{"X-A":"1"}' }],
  ]);
  assert.throws(
    () => conv.callHandoff("x", /** @type {any} */ ("refund")),
    TypeError,
    "takes its options as an object",
  );
});

test("actions have Python's names and parameters, with defaults left out", () => {
  const { conv, host } = conversation();
  conv.gotoFlow("payment");
  conv.exitFlow();
  conv.gotoCsatFlow();
  conv.setVariant("short");
  conv.setLanguage("de");
  conv.discardRecording();
  conv.sendSms("+1", "+2", "hi");
  conv.sendSms("+1", "+2", "hi", { retryCount: 3 });
  conv.sendSmsTemplate("+1", "welcome", { retryCount: 0 });
  conv.sendEmail("a@example.com", "body", { subject: "" });
  conv.sendEmail("a@example.com", "body", { subject: "s" });
  conv.sendWhatsapp("+1", "+2", "c", { content: "x" });
  conv.sendContentTemplate("m", "+1", "c", { whatsapp: false, contentVariables: { a: 1 } });
  conv.addAttachments(new Set([{ url: "u" }]));
  conv.setResponseSuggestions(["yes"]);
  conv.setBackgroundTrack("rain", { loudness: -40 });
  conv.setBackgroundTrack("rain", { loudness: -20 });
  conv.setAsrBiasing({ keywords: ["brie"], customBiases: { gouda: 1.5 } });
  conv.clearAsrBiasing();
  conv.setCsatScore(5);
  conv.setCsatEligibility(false, { reason: "short" });
  conv.setCsatPhoneNumber("+1");
  conv.setCsatSurveyEntered();
  conv.logApiResponse({ ok: true }, { overrideUrl: "u" });
  conv.webchat.setChatCallActions([1]);
  conv.agenticDial.sendToParent("p");
  conv.agenticDial.sendToChild("d", "c");
  conv.act("custom", { a: 1 });
  assert.deepEqual(host.acted, [
    ["goto_flow", { name: "payment" }],
    ["exit_flow", {}],
    ["goto_csat_flow", {}],
    ["set_variant", { name: "short" }],
    ["set_language", { code: "de" }],
    ["discard_recording", {}],
    ["send_sms", { to_number: "+1", from_number: "+2", content: "hi" }],
    ["send_sms", { to_number: "+1", from_number: "+2", content: "hi", retry_count: 3 }],
    ["send_sms_template", { to_number: "+1", template: "welcome", retry_count: 0 }],
    ["send_email", { to: "a@example.com", body: "body" }],
    ["send_email", { to: "a@example.com", body: "body", subject: "s" }],
    ["send_whatsapp", { to_number: "+1", from_number: "+2", content_id: "c", content: "x" }],
    [
      "send_content_template",
      { messaging_service_id: "m", to_number: "+1", content_id: "c", content_variables: { a: 1 } },
    ],
    ["add_attachments", { attachments: [{ url: "u" }] }],
    ["set_response_suggestions", { suggestions: ["yes"] }],
    ["set_background_track", { name: "rain" }],
    ["set_background_track", { name: "rain", loudness: -20 }],
    ["set_asr_biasing", { keywords: ["brie"], custom_biases: { gouda: 1.5 } }],
    ["clear_asr_biasing", {}],
    ["set_csat_score", { score: 5 }],
    ["set_csat_eligibility", { eligible: false, reason: "short" }],
    ["set_csat_phone_number", { n: "+1" }],
    ["set_csat_survey_entered", {}],
    ["log_api_response", { response: { ok: true }, override_url: "u" }],
    ["set_chat_call_actions", { actions: [1] }],
    ["send_to_parent", { content: "p" }],
    ["send_to_child", { destination: "d", content: "c" }],
    ["custom", { a: 1 }],
  ]);
});

test("voices are what the platform knows them as", () => {
  const { conv, host } = conversation();
  conv.setVoice(new api.ElevenLabsVoice("v", { similarityBoost: 0.5 }));
  conv.setVoice(new api.CustomVoice("acme", "v", { someSetting: 1 }));
  conv.setVoice(new api.MinimaxVoice("m", "v", { pitch: 1 }));
  conv.setVoice(new api.HumeVoice("v", { provider: "HUME_AI" }));
  conv.setVoice(new api.CartesiaVoice("v", { emotions: [{ kind: "anger" }] }));
  conv.randomizeVoice([
    new api.VoiceWeighting(new api.GoogleVoice("g"), 2),
    new api.VoiceWeighting(new api.RimeVoice("r")),
  ]);
  assert.deepEqual(
    host.acted.map(([, args]) => args),
    [
      { voice: { provider: "elevenlabs", provider_voice_id: "v", similarity_boost: 0.5 } },
      { voice: { provider: "acme", provider_voice_id: "v", some_setting: 1 } },
      { voice: { provider: "minimax", provider_voice_id: "v", model_id: "m", pitch: 1 } },
      { voice: { provider: "hume", provider_voice_id: "v", hume_provider: "HUME_AI" } },
      { voice: { provider: "cartesia", provider_voice_id: "v", emotions: [{ kind: "anger" }] } },
      {
        weights: [
          { voice: { provider: "google", provider_voice_id: "g" }, weight: 2 },
          { voice: { provider: "rime", provider_voice_id: "r" } },
        ],
      },
    ],
  );
});

test("an external event has an id of its own", () => {
  const { conv, host } = conversation();
  const [one, two] = [conv.generateExternalEvent(), conv.generateExternalEvent({ sendToLlm: true })];
  assert.notEqual(one, two);
  assert.deepEqual(host.acted, [
    ["generate_external_event", { event_id: one }],
    ["generate_external_event", { event_id: two, send_to_llm: true }],
  ]);
});

test("an effect that is no JSON is refused", () => {
  const { conv, host } = conversation();
  assert.throws(() => conv.act("custom", { m: new Map() }), "a `Map`, for which JSON has no word");
  assert.throws(() => conv.writeMetric("m", NaN), "a `NaN`, for which JSON has no word");
  assert.deepEqual(host.acted, []);
});

test("logging never fails", () => {
  const { conv, host } = conversation();
  const circular = /** @type {any} */ ({});
  circular.self = circular;
  conv.log.info("no brie", { tries: 2, seen: new Set([1]), circular, nothing: undefined });
  conv.log.warning("spelt a name", { isPii: true });
  conv.log.error(new TypeError("no cheese"));
  conv.log.info({ a: 1n });
  assert.deepEqual(host.logged, [
    { level: "info", content: "no brie", isPii: false, fields: '{"tries":2,"seen":[1],"circular":"[object Object]"}' },
    { level: "warning", content: "spelt a name", isPii: true, fields: "{}" },
    { level: "error", content: "TypeError: no cheese", isPii: false, fields: "{}" },
    { level: "info", content: '{"a":1}', isPii: false, fields: "{}" },
  ]);
});

test("what only the platform can answer is asked for by its name", async () => {
  const asked = /** @type {unknown[]} */ ([]);
  const answer = (/** @type {string} */ name) => (/** @type {unknown} */ args) => {
    asked.push([name, args]);
    return "12345678901234567890";
  };
  const names = ["quote", "prompt_llm", "get_secret", "translate_text", "api.crm.find", "integrations.opentable.book"];
  const { conv } = conversation({ answers: Object.fromEntries(names.map((name) => [name, answer(name)])) });
  assert.equal(await conv.request("quote", { cheese: "brie" }), 12345678901234567890n);
  await conv.utils.promptLlm("Hello?", { returnJson: true, showHistory: false });
  await conv.utils.getSecret("key");
  await conv.utils.translateText({ to: "de" });
  await conv.api.crm.find({ id: 1 });
  await conv.integrations.opentable.book("table", 4);
  assert.deepEqual(asked, [
    ["quote", { cheese: "brie" }],
    ["prompt_llm", { prompt: "Hello?", return_json: true }],
    ["get_secret", { secret_name: "key" }],
    ["translate_text", { to: "de" }],
    ["api.crm.find", { id: 1 }],
    ["integrations.opentable.book", { args: ["table", 4] }],
  ]);
});

test("what nobody answers is said to be so", async () => {
  const { conv } = conversation();
  const unanswered = [() => conv.request("quote"), () => conv.utils.promptLlm("?"), () => conv.api.crm.find()];
  for (const ask of unanswered) {
    try {
      await ask();
      assert.fail("it was answered");
    } catch (error) {
      assert.instanceOf(error, api.NotAnsweredError);
      assert.include(/** @type {Error} */ (error).message, "can only be answered by the platform");
    }
  }
});
