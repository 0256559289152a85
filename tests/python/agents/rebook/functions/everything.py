def everything(conv: Conversation):
  all_memory = conv.memory.fields()  # Returns a dict copy of all fields
  field_count = len(conv.memory)
  return {"all_memory": all_memory, "field_count": field_count}
