import type { Conversation } from "agent-memory";

interface Booking {
  /** The cheese, such as brie. */
  cheese_type: string;
  /** The day on which the caller comes to fetch it, if it is settled. */
  booking_day?: string;
}

/** Books a cheese for the caller, or only notes which one it is to be as long as the day is open. */
export function book(conv: Conversation, { cheese_type, booking_day }: Booking): string {
  conv.state.cheese_type = cheese_type;
  // The configuration does not list `mood` among its `state_keys`, so it is forgotten when the call ends.
  conv.state.mood = "hungry";
  conv.writeMetric("cheese_picked", cheese_type);
  conv.log.info("The caller picked a cheese.", { day_is_settled: booking_day !== undefined });

  if (booking_day === undefined) return `Picked ${cheese_type}. Which day?`;
  conv.state.booking_day = booking_day;
  return `Booked ${cheese_type} for ${booking_day}.`;
}
