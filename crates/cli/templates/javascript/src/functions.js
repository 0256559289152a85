/** @typedef {import("agent-memory").Conversation} Conversation */

/**
 * Greets the caller. Runs by itself when a conversation starts.
 *
 * @param {Conversation} conv
 */
export function startFunction(conv) {
  // What earlier conversations of this caller left. It is read here, and set in `conv.state`.
  const drink = conv.memory.get("drink");
  conv.say(drink ? `Welcome back. A ${drink} again?` : "Welcome to the coffee bar. What can I get you?");
}

// A language model is told these comments, so that it knows when to call the function and with what.
/**
 * Orders a drink for the caller.
 *
 * @param {Conversation} conv
 * @param {object} order
 * @param {string} order.drink - The drink, such as a flat white.
 * @param {boolean} [order.to_go] - Whether the caller takes it away.
 */
export function order(conv, { drink, to_go = false }) {
  // `drink` is one of the `state_keys` in config.json: the caller's next conversation finds it in `conv.memory`.
  conv.state.drink = drink;
  // `to_go` is none of them: it lasts until this conversation ends.
  conv.state.to_go = to_go;
  return to_go ? `One ${drink} to go.` : `One ${drink}.`;
}
