import type { Conversation } from "agent-memory";

import { remembered } from "../remembered.ts";

/** Greets the caller with what earlier calls left, if any. */
export function startFunction(conv: Conversation): void {
  const { cheese_type: cheese, booking_day: day } = remembered(conv);
  if (cheese && day) {
    conv.say(`You booked ${cheese} for ${day}. Rebook?`);
  } else if (cheese) {
    conv.say(`You previously picked ${cheese}.`);
  } else {
    conv.say("Welcome to the cheese shop. What may it be?");
  }
}
