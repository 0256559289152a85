import type { Conversation } from "agent-memory";

interface Wish {
  /** What the caller wants from the cheesemonger. */
  reason: string;
}

/** Hands the caller over to the cheesemonger. */
export function handOver(conv: Conversation, { reason }: Wish): string {
  conv.callHandoff("cheesemonger", { reason });
  return "One moment, I'll put you through.";
}
