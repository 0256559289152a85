// What TypeScript has to accept of functions, and what it has to refuse. Nothing of this is run.

import {
  ElevenLabsVoice,
  type Conversation,
  type Flow,
  type NestedValueError,
  SetError,
  VoiceWeighting,
  tool,
} from "../index.js";

export function book(conv: Conversation, { cheese_type }: { cheese_type: string }): string {
  const cheese: string | undefined = conv.memory.get<string>("cheese_type");
  const day: string = conv.memory.get("booking_day", "Friday");
  const size: number = conv.memory.size;
  for (const [key, value] of conv.memory) conv.say(`${key}: ${value}`);
  const all: Record<string, unknown> = conv.memory.fields();

  conv.state.cheese_type = cheese_type;
  conv.state["cart"] = { items: [cheese, day, size, all] };
  conv.state.cart.items.push("brie");
  conv.state.set("get", 5);
  const isThere: boolean = conv.state.has("cart") && "cart" in conv.state;
  delete conv.state.cart;

  conv.writeMetric("booked");
  conv.writeMetric("booked", isThere, { writeOnce: true });
  conv.callHandoff("cheesemonger", { reason: "refund", sipHeaders: { "X-A": "1" } });
  conv.log.info("booked", { isPii: true, tries: 2 });
  conv.randomizeVoice([new VoiceWeighting(new ElevenLabsVoice("v", { stability: 0.5 }), 2)]);
  conv.functions.bookTable({ seats: 4 });
  const header: string | undefined = conv.sipHeaders["X-Customer-Id"];
  return header ?? conv.callerNumber ?? "nobody";
}

export async function pay(conv: Conversation, flow: Flow, { amount }: { amount: number }) {
  flow.gotoStep("done", { reason: `paid ${amount}` });
  const quote: { price: number } = await conv.request<{ price: number }>("quote", { amount });
  await conv.utils.promptLlm("Hello?", { returnJson: true });
  await conv.api.crm.find({ id: 1 });
  return quote.price;
}

export const described: (conv: Conversation, args: { seats: number }) => number = tool(
  { description: "Books.", parameters: { type: "object", properties: { seats: { type: "integer" } } } },
  (_: Conversation, { seats }: { seats: number }) => seats,
);

export function refused(conv: Conversation, error: unknown) {
  if (error instanceof SetError) conv.say((error as NestedValueError).path + error.key);
  // @ts-expect-error Memory is read-only.
  conv.memory.size = 5;
  // @ts-expect-error It has no such member: fields are read by `get`.
  conv.memory.cheese_type;
  // @ts-expect-error A text is said.
  conv.say(5);
  // @ts-expect-error The conversation's attributes are given.
  conv.id = "x";
  // @ts-expect-error Options are an object.
  conv.callHandoff("cheesemonger", "refund");
  // @ts-expect-error There is no such option.
  conv.writeMetric("booked", 1, { once: true });
  // @ts-expect-error A tool is a function.
  tool({ description: "Books." }, "book");
}
