def has_booking_day(conv: Conversation):
  if "booking_day" in conv.memory:
    return True
  return False
