// An agent for tests: one function for each behaviour that JavaScript has on the real host.

import { NestedValueError, NotAnsweredError, type Conversation, type SetError } from "agent-memory";

import { open } from "./shelf.ts";

const drawn = Math.random();
const loaded = Date.now();
let calls = 0;

export function startFunction(conv: Conversation) {
  conv.state.started = true;
}

export function endFunction(conv: Conversation) {
  conv.state.mood = "ended";
}

// Memory and state

/** Everything that memory says of itself. */
export function readMemory(conv: Conversation) {
  const { memory } = conv;
  return {
    cheese: memory.get("cheese_type"),
    missing: memory.get("nothing") === undefined,
    fallback: memory.get("nothing", "x"),
    has: [memory.has("cheese_type"), memory.has("nothing")],
    size: memory.size,
    keys: [...memory].map(([key]) => key),
    fields: memory.fields(),
  };
}

export function get(conv: Conversation, { key }: { key: string }) {
  return conv.state.get(key, null);
}

export function set(conv: Conversation, { key, value }: { key: string; value: unknown }) {
  conv.state[key] = value;
}

/** What is refused is told, and what stood there before is returned. */
export function setNested(conv: Conversation) {
  conv.state.cheese_type = "brie";
  try {
    conv.state.cheese_type = { lines: ["one"] };
  } catch (error) {
    const { name, key, path } = error as NestedValueError;
    return { name, key, path, isOurs: error instanceof NestedValueError, still: conv.state.cheese_type };
  }
}

export function setRich(conv: Conversation) {
  conv.state.when = new Date(Date.UTC(2026, 2, 2));
  conv.state.seen = new Map([["brie", new Set([1, 2])]]);
  conv.state.big = { id: 12345678901234567890n };
}

export function readRich({ state }: Conversation) {
  state.seen.get("brie").add(3);
  return [state.when.toISOString(), [...state.seen.get("brie")], typeof state.big.id, state.big];
}

export function setRichUnderMemoryKey(conv: Conversation) {
  try {
    conv.state.cheese_type = new Date();
  } catch (error) {
    return (error as SetError).message;
  }
}

export function push(conv: Conversation, { value }: { value: unknown }) {
  conv.state.cheese_type.push(value);
  conv.state.others.push(value);
  return "pushed";
}

export function passOn(conv: Conversation) {
  conv.state.mood = conv.memory.get("cheese_type") ?? conv.state.price;
  conv.state.order.items.push("brie");
  return conv.state.price;
}

// Calls

export async function bookTable(conv: Conversation, { seats }: { seats: number }) {
  await new Promise((resolve) => setTimeout(resolve, 2));
  conv.say(`Booked ${seats}.`);
  return seats;
}

export async function bookTwice(conv: Conversation) {
  return [await conv.functions.bookTable({ seats: 1 }), await conv.functions.book_table({ seats: 2 })];
}

export function everythingElse(conv: Conversation) {
  conv.say("Hello.");
  conv.writeMetric("cheese", "brie", { writeOnce: true });
  conv.writeMetric("cheese", "feta", { writeOnce: true });
  conv.callHandoff("cheesemonger", { reason: "forty kilos", sipHeaders: { "X-A": "1" } });
  conv.gotoFlow("payment");
  conv.sendSms("+1", "+2", "hi");
  conv.log.warning("careful", { isPii: true, seen: new Set([1]) });
  return [conv.metricEvents, conv.callerNumber, conv.channelType, conv.sipHeaders["x-customer-id"] ?? null];
}

export async function ask(conv: Conversation, { name }: { name: string }) {
  try {
    return await conv.request(name, { cheese: "brie" });
  } catch (error) {
    return { isUnanswered: error instanceof NotAnsweredError, message: String(error) };
  }
}

// Failing

export function fail() {
  open("brie");
}

export async function failLater() {
  await null;
  open("feta");
}

export function recurse(): number {
  return recurse() + 1;
}

export function allocate() {
  const kept = [];
  for (;;) kept.push(new Array(100_000).fill(kept));
}

/** Uses much memory, and little of it at once. */
export function churn() {
  let bytes = 0;
  for (let i = 0; i < 2000; i++) bytes += new Float64Array(12_500).byteLength;
  return bytes;
}

export function loop() {
  for (;;);
}

export function waitForEver() {
  return new Promise(() => {});
}

export function waitLong() {
  return new Promise((resolve) => setTimeout(resolve, 60_000));
}

// The sandbox

export function world() {
  const [before, began] = [Date.now(), performance.now()];
  while (performance.now() - began < 3);
  return {
    now: before,
    stands: Date.now() === before,
    at: new Date().toISOString(),
    zone: new Date().getTimezoneOffset(),
  };
}

export function chance() {
  return [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(2)).join()];
}

export function frozen() {
  calls += 1;
  return { drawn, calls, loadedBefore: loaded !== Date.now() };
}

export function print() {
  console.log("printed", { cheese: "brie" });
  console.error("printed too");
}

export async function fetchSomething() {
  await fetch("https://example.com");
}

export function large(_conv: Conversation, { bytes }: { bytes: number }) {
  return "x".repeat(bytes);
}

export * from "./surroundings.ts";

// Calls that go wrong

export async function bookBadly(conv: Conversation) {
  return conv.functions.bookTable({ seat: 4 });
}

export function bookNothing(conv: Conversation) {
  return conv.functions.bokTable({ seats: 4 });
}
