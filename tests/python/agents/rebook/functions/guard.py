def guard(conv: Conversation, value: str):
  if "cheese_type" not in conv.memory:
    conv.state["cheese_type"] = value
