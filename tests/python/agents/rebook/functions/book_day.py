def book_day(conv: Conversation, booking_day: str):
  conv.state["booking_day"] = booking_day
