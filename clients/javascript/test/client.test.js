// The client against the service that `AGENT_MEMORY_SERVICE` names.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { Client, Problem } from "../src/index.js";

const client = new Client(process.env.AGENT_MEMORY_SERVICE);
const shop = client.agent("local", "local", "sandbox");

/** A caller of its own for each test. */
const caller = () => `+44${String(Math.floor(Math.random() * 1e10)).padStart(10, "0")}`;

test("a conversation goes on in another process", async () => {
  const number = caller();
  const call = await shop.start({ caller_number: number });
  assert.deepEqual(call.startTurn.say, ["Welcome to the cheese shop. What may it be?"]);
  await call.call("book", { cheese_type: "brie" });
  const again = shop.conversation(call.id);
  assert.equal((await again.preview()).keys.cheese_type.kept, true);
  const first = await again.end({ qa: "resolved" });
  assert.deepEqual(await call.end(), { ...first, turn: null });
  assert.equal(await call.addOutcome({ handoff: { reason: "refund", to: "billing" } }), true);
  const repeat = await (await shop.start({ caller_number: number })).end();
  assert.equal(repeat.metrics.REPEAT_CALLER_HANDOFF_TO, "billing");
});

test("memory is administered", async () => {
  const number = caller();
  await shop.patchMemory(number, { cheese_type: "brie", booking_day: [1, 2.5] });
  assert.deepEqual((await shop.readMemory(number)).booking_day.value, [1, 2.5]);
  assert.equal((await shop.exportMemory(number)).identifier_kind, "phone");
  assert.equal((await shop.eraseMemory(number, { key: "cheese_type" })).deleted.fields, 1);
  const erasure = await shop.eraseMemory(number);
  assert.equal(erasure.deleted.fields, 1);
  assert.equal(erasure.receipt.act, "erase");
  assert.deepEqual(await shop.readMemory(number), {});
});

test("a refusal is a problem", async () => {
  const refused = (problem) => problem instanceof Problem && problem.errors[0].path === "fields.mood";
  await assert.rejects(shop.patchMemory(caller(), { mood: "good" }), refused);
  await assert.rejects(client.agent("nobody", "p", "live").describe(), { status: 404 });
});

test("agents and analytics are listed", async () => {
  assert.equal((await client.agents())[0].project, "local");
  assert.deepEqual((await shop.describe()).state_keys, ["booking_day", "cheese_type"]);
  assert.ok("repeat_conversations" in (await client.analytics({ project: "local", from: "2020-01-01" })));
});

/**
 * Runs something against a server that gives these answers, one after another, and tells under which keys it was asked.
 *
 * @param {[number, Record<string, string>, object][]} answers
 * @param {(agent: import("../src/index.js").Agent) => Promise<void>} run
 */
async function scripted(answers, run) {
  const keys = [];
  const server = createServer(async (request, response) => {
    keys.push(request.headers["idempotency-key"]);
    await request.resume().toArray();
    const [status, headers, body] = answers.shift();
    response.writeHead(status, { ...headers, Connection: "close" }).end(JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await run(new Client(`http://127.0.0.1:${server.address().port}`).agent("local", "local", "sandbox"));
  } finally {
    server.close();
  }
  return keys;
}

test("what other calls were faster than is sent again under the same key", async () => {
  const soon = { "Retry-After": "0" };
  const busy = { type: "urn:agent-memory:problem:conversation-busy" };
  const answers = [[409, soon, busy], [503, soon, {}], [200, {}, { turn: { outcome: "returned" } }]];
  const keys = await scripted(answers, async (agent) => {
    assert.deepEqual(await agent.conversation("one").call("book"), { outcome: "returned" });
  });
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
});

test("what will not do better, or might happen twice, is sent once", async () => {
  const ended = { type: "urn:agent-memory:problem:conversation-ended" };
  const calls = await scripted([[409, {}, ended]], async (agent) => {
    await assert.rejects(agent.conversation("one").call("book"), { status: 409 });
  });
  assert.equal(calls.length, 1);
  const erasures = await scripted([[503, { "Retry-After": "0" }, {}]], async (agent) => {
    await assert.rejects(agent.eraseMemory("+441632960001"), { status: 503 });
  });
  assert.deepEqual(erasures, [undefined]);
});
