def book(conv: Conversation):
  conv.state["cheese_type"] = "brie"
