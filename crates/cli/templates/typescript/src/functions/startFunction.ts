import type { Conversation } from "agent-memory";

/** Greets the caller. Runs by itself when a conversation starts. */
export function startFunction(conv: Conversation): void {
  // What earlier conversations of this caller left. It is read here, and set in `conv.state`.
  const drink = conv.memory.get("drink");
  conv.say(drink ? `Welcome back. A ${drink} again?` : "Welcome to the coffee bar. What can I get you?");
}
