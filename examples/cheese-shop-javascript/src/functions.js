// A cheese shop on the telephone that remembers what you ordered.

/** @typedef {import("agent-memory").Conversation} Conversation */

/**
 * Greets the caller with what earlier calls left, if any.
 *
 * @param {Conversation} conv
 */
export function startFunction(conv) {
  const cheese = conv.memory.get("cheese_type");
  const day = conv.memory.get("booking_day");
  if (cheese && day) {
    conv.say(`You booked ${cheese} for ${day}. Rebook?`);
  } else if (cheese) {
    conv.say(`You previously picked ${cheese}.`);
  } else {
    conv.say("Welcome to the cheese shop. What may it be?");
  }
}

/**
 * Books a cheese for the caller, or only notes which one it is to be as long as the day is open.
 *
 * @param {Conversation} conv
 * @param {object} booking
 * @param {string} booking.cheese_type - The cheese, such as brie.
 * @param {string} [booking.booking_day] - The day on which the caller comes to fetch it, if it is settled.
 */
export function book(conv, { cheese_type, booking_day }) {
  conv.state.cheese_type = cheese_type;
  // The configuration does not list `mood` among its `state_keys`, so it is forgotten when the call ends.
  conv.state.mood = "hungry";
  conv.writeMetric("cheese_picked", cheese_type);
  conv.log.info("The caller picked a cheese.", { day_is_settled: booking_day !== undefined });

  if (booking_day === undefined) return `Picked ${cheese_type}. Which day?`;
  conv.state.booking_day = booking_day;
  return `Booked ${cheese_type} for ${booking_day}.`;
}

/**
 * Hands the caller over to the cheesemonger.
 *
 * @param {Conversation} conv
 * @param {object} wish
 * @param {string} wish.reason - What the caller wants from the cheesemonger.
 */
export function handOver(conv, { reason }) {
  conv.callHandoff("cheesemonger", { reason });
  return "One moment, I'll put you through.";
}

/**
 * Counts the callers who left without a cheese.
 *
 * @param {Conversation} conv
 */
export function endFunction(conv) {
  if (!conv.state.has("cheese_type")) conv.writeMetric("left_without_cheese");
}
