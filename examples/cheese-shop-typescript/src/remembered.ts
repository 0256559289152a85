import type { Conversation } from "agent-memory";

/** What earlier calls left: the configuration's `state_keys`, each if it was ever set. */
export interface Remembered {
  cheese_type?: string;
  booking_day?: string;
}

/** What the shop remembers of the caller. */
export function remembered(conv: Conversation): Remembered {
  return conv.memory.fields();
}
