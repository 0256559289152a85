"""The host of a component: its imports."""

from __future__ import annotations

from componentize_py_types import Err
from wit_world.imports import conversation, memory, state

from ..errors import (
    KeyTooLongError,
    NestedValueError,
    NotAnsweredError,
    NotJsonError,
    OpaqueValueError,
    RequestError,
    SetError,
    StateTooLargeError,
    ValueTooLargeError,
)
from ..host import Attributes, Json, LogLevel, Opaque, Value

_LEVELS = {
    "info": conversation.LogLevel.INFO,
    "warning": conversation.LogLevel.WARNING,
    "error": conversation.LogLevel.ERROR,
}


class ComponentHost:
    """Calls the contract's functions."""

    def memory_fields(self) -> list[tuple[str, str]]:
        return [(field.key, field.value) for field in memory.fields()]

    def state_entries(self) -> list[tuple[str, Value]]:
        return [(entry.key, _from_contract(entry.value)) for entry in state.entries()]

    def state_set(self, key: str, value: Value) -> None:
        try:
            state.set(key, _to_contract(value))
        except Err as error:
            raise _set_error(key, error.value) from None

    def state_remove(self, key: str) -> bool:
        removed: bool = state.remove(key)
        return removed

    def attributes(self) -> Attributes:
        found = conversation.attributes()
        return Attributes(
            id=found.id,
            account_id=found.account_id,
            project_id=found.project_id,
            env=found.env,
            channel=found.channel,
            caller_number=found.caller_number,
            callee_number=found.callee_number,
            language=found.language,
            variant_name=found.variant_name,
            current_flow=found.current_flow,
            current_step=found.current_step,
            sip_headers=[(header.name, header.value) for header in found.sip_headers],
            integration_attributes=found.integration_attributes,
            transcript_alternatives=found.transcript_alternatives,
            settings=found.settings,
        )

    def history(self) -> list[tuple[str, str]]:
        user = conversation.Role.USER
        return [("user" if said.role == user else "agent", said.text) for said in conversation.history()]

    def metric_events(self) -> list[tuple[str, str | None]]:
        return [(event.name, event.value) for event in conversation.metric_events()]

    def say(self, text: str) -> None:
        conversation.say(text)

    def log(self, level: LogLevel, content: str, is_pii: bool, fields: str) -> None:
        conversation.log(conversation.LogEntry(_LEVELS[level], content, is_pii, fields))

    def write_metric(self, name: str, value: str | None, write_once: bool) -> None:
        conversation.write_metric(name, value, write_once)

    def handoff(
        self,
        destination: str,
        reason: str | None,
        utterance: str | None,
        sip_headers: str | None,
        route: str | None,
    ) -> None:
        conversation.handoff(conversation.HandoffRequest(destination, reason, utterance, sip_headers, route))

    def act(self, name: str, arguments: str) -> None:
        conversation.act(name, arguments)

    def request(self, name: str, arguments: str) -> str:
        try:
            answer: str = conversation.request(name, arguments)
            return answer
        except Err as error:
            problem = error.value
            if isinstance(problem, conversation.RequestError_Unanswered):
                raise NotAnsweredError(name) from None
            raise RequestError(f"`{name}` was not answered: {problem.value}") from None


def _to_contract(value: Value) -> object:
    if isinstance(value, Json):
        return state.Value_Json(value.text)
    return state.Value_Opaque(state.OpaqueValue(value.type_name, value.bytes))


def _from_contract(value: object) -> Value:
    if isinstance(value, state.Value_Json):
        return Json(value.value)
    opaque = value.value  # type: ignore[attr-defined]
    return Opaque(opaque.type_name, opaque.bytes)


def _set_error(key: str, error: object) -> SetError:
    why = error.value  # type: ignore[attr-defined]
    if isinstance(error, state.SetError_Nested):
        return NestedValueError(key, why.path)
    if isinstance(error, state.SetError_Opaque):
        return OpaqueValueError(key, why.type_name)
    if isinstance(error, state.SetError_KeyTooLong):
        return KeyTooLongError(key, why.actual, why.limit)
    if isinstance(error, state.SetError_ValueTooLarge):
        return ValueTooLargeError(key, why.actual, why.limit)
    if isinstance(error, state.SetError_StateTooLarge):
        return StateTooLargeError(key, why.actual, why.limit)
    return NotJsonError(key, why.problem)
