import type { Conversation } from "agent-memory";

// A language model is told these types and comments, so that it knows when to call the function and with what.
interface Order {
  /** The drink, such as a flat white. */
  drink: string;
  /** Whether the caller takes it away. */
  to_go?: boolean;
}

/** Orders a drink for the caller. */
export function order(conv: Conversation, { drink, to_go = false }: Order): string {
  // `drink` is one of the `state_keys` in config.json: the caller's next conversation finds it in `conv.memory`.
  conv.state.drink = drink;
  // `to_go` is none of them: it lasts until this conversation ends.
  conv.state.to_go = to_go;
  return to_go ? `One ${drink} to go.` : `One ${drink}.`;
}
