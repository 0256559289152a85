// Code that has run once is compiled, and stays so in the memory that every turn begins with. So while the component is
// built, a turn is played that does what most turns do, and no turn has to compile that again.

import { call } from "./component.js";
import { Registry } from "./functions.js";
import { forgetSpellings } from "./json.js";

/** A function that does what most functions do. */
function usual(
  /** @type {import("./conversation.js").Conversation} */ conv,
  /** @type {Record<string, unknown>} */ args,
) {
  const { memory, state } = conv;
  const known = [memory.get("text"), memory.get("list"), memory.has("none"), memory.size, memory.fields(), [...memory]];
  state.text = args.text;
  state.list = [conv.id, conv.callerNumber, conv.language];
  state.list.push(state.object?.text, state.none);
  delete state.none;
  conv.say(`${known.length} ${"text" in state}`);
  conv.writeMetric("metric", args.text, { writeOnce: true });
  conv.writeMetric("metric");
  conv.callHandoff("destination", { reason: "reason" });
  conv.gotoFlow("flow");
  conv.log.info("text", { number: 1, text: "text" });
  conv.functions.other({});
  return { utterance: "text", values: [1, true, null, { text: "text" }] };
}

/**
 * Plays a turn that nobody sees.
 *
 * @param {import("./host.js").Host} real the host, which cannot be called yet
 * @param {Registry} registry the agent's functions, which must not be
 */
export function warmUp(real, registry) {
  play();
  // To be asked for its length, a function has to be compiled.
  const imports = Object.values(real).flatMap((part) => Object.values(part));
  for (const callable of [...imports, ...registry.callables]) void callable.length;
}

function play() {
  const text = { type: "string" };
  const properties = {
    text,
    number: { type: "number" },
    list: { type: "array", items: text },
    choice: { enum: ["text"] },
  };
  const parameters = { type: "object", properties, required: ["text"] };
  const other = { place: "", parameters: { type: "object", properties: {} } };
  const declared = { usual: { place: "", parameters }, other };
  const usualRegistry = new Registry([{ file: "", exports: { usual, other() {} }, declared }]);
  usualRegistry.describe();
  // What has run a second time has met all that it will meet.
  for (let turn = 0; turn < 2; turn++) {
    call(host(), usualRegistry, "usual", '{"text":"text","number":1,"list":["text"],"choice":"text"}');
    forgetSpellings();
  }
}

/** @returns {import("./host.js").Host} */
function host() {
  const nothing = () => {};
  const attributes = {
    id: "",
    accountId: "",
    projectId: "",
    env: "",
    channel: "",
    sipHeaders: [],
    transcriptAlternatives: [],
    settings: "{}",
  };
  return {
    memory: {
      fields: () => [
        { key: "text", value: '"text"' },
        { key: "list", value: '["text"]' },
      ],
    },
    state: {
      get: (key) => (key === "object" ? { tag: "json", val: '{"text":"text"}' } : undefined),
      set: nothing,
      remove: () => false,
      entries: () => [],
    },
    conversation: {
      attributes: () => attributes,
      history: () => [],
      metricEvents: () => [],
      say: nothing,
      log: nothing,
      writeMetric: nothing,
      handoff: nothing,
      act: nothing,
      request: () => "null",
    },
  };
}
