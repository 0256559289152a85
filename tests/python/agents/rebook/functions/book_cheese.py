def book_cheese(conv: Conversation, cheese_type: str):
  conv.state["cheese_type"] = cheese_type
