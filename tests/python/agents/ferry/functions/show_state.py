from _gen import *  # <AUTO GENERATED>
import functions.mock_api


def show_state(conv: Conversation):
    """What tests look at."""
    conv.log.info("state", state=conv.state)
    return {
        "kinds": {key: type(value).__name__ for key, value in conv.state.items()},
        "cart": conv.state.cart,
        "failures": conv.state.failures,
        "steps": sorted(conv.state.steps_seen or []),
        "called": functions.mock_api.as_json({"at": conv.state.called_at}),
    }
