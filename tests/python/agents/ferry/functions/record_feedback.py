from _gen import *  # <AUTO GENERATED>


@func_description("Saves how content the caller is.")
@func_parameter("score", "From 1 to 5")
def record_feedback(conv: Conversation, score: int):
    if not 1 <= score <= 5:
        raise ValueError("a score is from 1 to 5")
    conv.set_csat_score(score)
    conv.state.scores = [*(conv.state.scores or []), score]
