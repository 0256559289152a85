import type { Conversation } from "agent-memory";

/** Counts the callers who left without a cheese. */
export function endFunction(conv: Conversation): void {
  if (!conv.state.has("cheese_type")) conv.writeMetric("left_without_cheese");
}
