from _gen import *  # <AUTO GENERATED>
import uuid
from collections import defaultdict


@func_description("Call this when the caller says what was lost.")
@func_parameter("item", "What it is")
@func_parameter("where", "Where it was seen last")
def item_described(conv: Conversation, flow: Flow, item: str, where: str):
    reports = conv.state.setdefault("reports", defaultdict(list))
    reports[where].append({"id": uuid.uuid4(), "item": item})
    flow.goto_step("Anything else")
    return f"{sum(len(items) for items in reports.values())} reported."
