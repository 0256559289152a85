"""Conversations, agents and memory, as the service has them."""

from __future__ import annotations

import json
import time
import uuid
from types import TracebackType
from typing import Any, Literal, cast
from urllib.parse import quote

import httpx

from .problem import Problem
from .types import AgentDescription, CommitReport, EndResult, Erasure, Export, MemoryField, Tool, TurnResult

Kind = Literal["phone", "custom"]

#: How often a request is sent that gets no answer, or is told to come again.
_ATTEMPTS = 4

#: What says that the same request may do better in a moment.
_AGAIN = frozenset({429, 502, 503, 504})


class Client:
    """A service. It may be used by several threads at once."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def agent(self, account: str, project: str, environment: str) -> Agent:
        """An agent, which need not be there yet."""
        return Agent(self, account, project, environment)

    def agents(self) -> list[dict[str, str]]:
        """The agents that the token may see."""
        return cast("list[dict[str, str]]", self._request("GET", "/v1/agents")["agents"])

    def analytics(self, **query: str) -> dict[str, Any]:
        """Repeat callers in figures. `query`: account, project, environment, channel, from_, to."""
        parameters = {name.rstrip("_"): value for name, value in query.items()}
        return cast("dict[str, Any]", self._request("GET", "/v1/analytics", params=parameters))

    def _request(self, method: str, path: str, *, once: str | None = None, **options: Any) -> Any:
        """Sends a request until it is answered, if sending it twice does no harm."""
        is_safe = method in ("GET", "PUT", "DELETE") or once is not None
        headers = {"Idempotency-Key": once} if once is not None else {}
        for attempt in range(1, _ATTEMPTS + 1):
            may_repeat = is_safe and attempt < _ATTEMPTS
            try:
                response = self._http.request(method, path, headers=headers, **options)
            except httpx.TransportError:
                if not may_repeat:
                    raise
                time.sleep(0.1 * 2**attempt)
                continue
            if may_repeat and _may_do_better(response):
                time.sleep(min(float(response.headers.get("Retry-After", 1)), 5.0))
                continue
            if response.is_success:
                return response.json() if response.content else None
            raise Problem.of(response)
        raise AssertionError("the last attempt returns or raises")


def _may_do_better(response: httpx.Response) -> bool:
    """Whether the same request may do better in a moment, as one does that other calls were faster than."""
    is_busy = response.status_code == 409 and "Retry-After" in response.headers
    return is_busy or response.status_code in _AGAIN


class Agent:
    """An agent of the service."""

    def __init__(self, client: Client, account: str, project: str, environment: str) -> None:
        self._client = client
        self._path = "/v1/agents/" + "/".join(quote(part, safe="") for part in (account, project, environment))

    def publish(self, functions: bytes, configuration: dict[str, Any] | None = None) -> AgentDescription:
        """Publishes a component, from `agent-memory build`. Running conversations go on with theirs."""
        form = {"configuration": json.dumps(configuration or {})}
        files = {"functions": ("agent.wasm", functions, "application/wasm")}
        path = self._path
        return cast("AgentDescription", self._client._request("PUT", path, data=form, files=files, timeout=300.0))

    def describe(self) -> AgentDescription:
        """The version that conversations begin with."""
        return cast("AgentDescription", self._client._request("GET", self._path))

    def remove(self) -> None:
        """Removes the agent. Running conversations go on for up to a week."""
        self._client._request("DELETE", self._path)

    def tools(self) -> list[Tool]:
        """The functions, in the form in which language models are given tools."""
        return cast("list[Tool]", self._client._request("GET", f"{self._path}/tools"))

    def start(self, **conversation: Any) -> Conversation:
        """Starts a conversation. The arguments are those of the API: caller_number, channel, id and so on."""
        once = str(uuid.uuid4())
        started = self._client._request("POST", f"{self._path}/conversations", once=once, json=conversation)
        return Conversation(self._client, self._path, started["conversation"], started["turn"])

    def conversation(self, id: str) -> Conversation:
        """A conversation that is going on, wherever it began."""
        return Conversation(self._client, self._path, id, None)

    def read_memory(self, identifier: str, *, kind: Kind = "phone") -> dict[str, MemoryField]:
        """What is remembered of a caller."""
        body = {"identifier": identifier, "kind": kind}
        answer = self._client._request("POST", f"{self._path}/memory/read", json=body)
        return cast("dict[str, MemoryField]", answer["fields"])

    def patch_memory(self, identifier: str, fields: dict[str, Any], *, kind: Kind = "phone") -> CommitReport:
        """Puts values into a caller's memory: all of them, or none."""
        given = {key: {"value": value} for key, value in fields.items()}
        body = {"identifier": identifier, "kind": kind, "fields": given}
        answer = self._client._request("POST", f"{self._path}/memory/patch", json=body)
        return cast("CommitReport", answer["commit"])

    def erase_memory(self, identifier: str, *, kind: Kind = "phone", key: str | None = None) -> Erasure:
        """Erases a caller, or one of the caller's keys. Tells how much that was, with a receipt."""
        body = {"identifier": identifier, "kind": kind, "key": key}
        return cast("Erasure", self._client._request("POST", f"{self._path}/memory/erase", json=body))

    def export_memory(self, identifier: str, *, kind: Kind = "phone") -> Export:
        """All that is held on a caller."""
        body = {"identifier": identifier, "kind": kind}
        return cast("Export", self._client._request("POST", f"{self._path}/memory/export", json=body))


class Conversation:
    """A conversation."""

    def __init__(self, client: Client, agent: str, id: str, turn: TurnResult | None) -> None:
        self._client = client
        self._path = f"{agent}/conversations/{quote(id, safe='')}"
        #: Its id, by which another process can go on with it: `agent.conversation(id)`.
        self.id = id
        #: What `start_function` did, if it ran.
        self.start_turn = turn

    def call(self, function: str, /, **arguments: Any) -> TurnResult:
        """Calls a function. One that fails is a result too: look at its `outcome`."""
        body = {"function": function, "arguments": arguments}
        answer = self._client._request("POST", f"{self._path}/calls", once=str(uuid.uuid4()), json=body)
        return cast("TurnResult", answer["turn"])

    def preview(self) -> CommitReport:
        """What the end would commit if it came now."""
        return cast("CommitReport", self._client._request("POST", f"{self._path}/preview", once="preview", json={})["commit"])

    def end(self, *, qa: str | None = None, handoff: dict[str, str] | None = None) -> EndResult:
        """Ends the conversation, exactly once, however often it is said: again, `turn` is None."""
        body = {"outcome": {"qa": qa, "handoff": handoff}}
        return cast("EndResult", self._client._request("POST", f"{self._path}/end", once="end", json=body))

    def add_outcome(self, *, qa: str | None = None, handoff: dict[str, str] | None = None) -> bool:
        """Adds an outcome that became known after the end. Tells whether the caller's record has changed."""
        body = {"qa": qa, "handoff": handoff}
        return cast("bool", self._client._request("PUT", f"{self._path}/outcome", json=body)["changed"])
