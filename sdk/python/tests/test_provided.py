"""The modules that stand in for those of the platform, and for those that the sandbox has nothing for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import agent_memory
from agent_memory import current
from agent_memory.errors import SandboxError
from agent_memory.testing import FakeHost, LoggedEntry

PROVIDED = Path(agent_memory.__file__).parent / "provided/always"


@pytest.fixture(autouse=True)
def provided() -> Iterator[None]:
    """The search path as it is in a component. Real packages of these names are put aside."""
    names = ("_gen", "plog", "requests")
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}
    finders = list(sys.meta_path)
    sys.path.insert(0, str(PROVIDED))
    yield
    sys.path.remove(str(PROVIDED))
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]
    sys.modules.update(aside)


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_gen_has_every_name_of_the_platform() -> None:
    names: dict[str, Any] = {}
    exec("from _gen import *", names)
    for name in (
        "Conversation",
        "Flow",
        "Memory",
        "State",
        "UserInput",
        "AgentResponse",
        "MetricEvent",
        "Variant",
        "Attachment",
        "func_description",
        "func_parameter",
        "func_latency_control",
        "ElevenLabsVoice",
        "CustomVoice",
        "RimeVoice",
        "CartesiaVoice",
        "PlayHTVoice",
        "MinimaxVoice",
        "HumeVoice",
        "GoogleVoice",
        "VoiceWeighting",
        "SMSTemplate",
        "MissingTemplate",
    ):
        assert name in names, name
    assert names["Conversation"] is agent_memory.Conversation
    assert load("_gen.conversation").Conversation is agent_memory.Conversation
    assert load("_gen.types.flow").Flow is agent_memory.Flow


def test_voices_are_made_as_projects_make_them() -> None:
    gen = load("_gen")
    voices = [
        gen.ElevenLabsVoice("id", similarity_boost=0.1, stability=0.2, model_id="of_any_name", speed=1.1),
        gen.CustomVoice("someone", "id", pitch=1),
        gen.RimeVoice("id", speech_alpha=1.2),
        gen.CartesiaVoice("id", speed=0.5, emotions=[gen.Emotion(gen.EmotionKind.ANGER, gen.EmotionIntensity.LOW)]),
        gen.PlayHTVoice("id", temperature=0.3),
        gen.MinimaxVoice("model", "id", vol=2.0),
        gen.HumeVoice("id", version="2"),
        gen.GoogleVoice("id", gender="female"),
    ]
    weighted = gen.VoiceWeighting(voices[0], weight=0.5)
    assert weighted.voice.stability == 0.2
    assert all(voice.to_dict()["provider_voice_id"] == "id" for voice in voices)
    with pytest.raises(AttributeError):
        voices[0].pitch  # noqa: B018


def logged(host: FakeHost) -> list[LoggedEntry]:
    return host.logged


def test_plog_writes_to_the_log_of_the_running_call() -> None:
    plog, host = load("plog"), FakeHost()
    plog.info("nobody listens")
    with current.host(host):
        plog.info("booked", day="Friday")
        plog.warn("tries: %d", 3)
        plog.warning("not %d", "a number")
        plog.error("went wrong", is_pii=True, status={1})
        plog.get_logger(__name__, api="opentable").debug("found")
        try:
            raise ValueError("broken")
        except ValueError:
            plog.exception("failed")
    assert host.logged[:5] == [
        LoggedEntry("info", "booked", False, {"day": "Friday"}),
        LoggedEntry("warning", "tries: 3", False, {}),
        LoggedEntry("warning", "not %d a number", False, {}),
        LoggedEntry("error", "went wrong", True, {"status": [1]}),
        LoggedEntry("info", "found", False, {"api": "opentable"}),
    ]
    assert "ValueError: broken" in host.logged[5].fields["exc_info"]


def test_plog_binds_values_for_a_while() -> None:
    plog, host = load("plog"), FakeHost()

    @plog.tmp_bind(api="opentable")
    def search(conv: Any, day: str) -> str:
        """Searches."""
        plog.info("searching", day=day)
        return day

    with current.host(host):
        assert search(None, "Friday") == "Friday"
        with plog.tmp_bind(step=1):
            plog.info("inside")
        plog.info("outside")
        plog.bind(a=1).unbind("a").new(b=2).info("new")
    assert [entry.fields for entry in host.logged] == [{"api": "opentable", "day": "Friday"}, {"step": 1}, {}, {"b": 2}]
    assert (search.__name__, search.__doc__) == ("search", "Searches.")


def test_requests_can_be_imported_and_says_that_there_is_no_network() -> None:
    requests = load("requests")
    from requests.adapters import HTTPAdapter
    from requests.auth import HTTPBasicAuth

    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=3))
    session.headers.update({"X-A": "1"})
    session.auth = HTTPBasicAuth("a", "b")
    assert session.headers["x-a"] == "1"
    for use in (
        lambda: requests.get("https://a.b", timeout=1),
        lambda: requests.post("https://a.b", json={}),
        lambda: requests.request("GET", "https://a.b"),
        lambda: session.get("https://a.b"),
        lambda: session.put("https://a.b"),
    ):
        with pytest.raises(SandboxError, match="functions have no network") as raised:
            use()
        assert isinstance(raised.value, requests.exceptions.ConnectionError)
        assert isinstance(raised.value, requests.RequestException)


def test_answers_made_by_hand_work_as_a_mock_needs_them() -> None:
    requests = load("requests")
    response = requests.Response()
    response.status_code, response._content, response.reason, response.url = 404, b'{"a": 1}', "Not Found", "u"
    assert (response.ok, bool(response), response.json(), response.text) == (False, False, {"a": 1}, '{"a": 1}')
    with pytest.raises(requests.HTTPError, match="404 Client Error: Not Found for url: u"):
        response.raise_for_status()
    response._content = b"no json"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()
    assert requests.codes.not_found == 404
