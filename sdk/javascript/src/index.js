// What functions import from `agent-memory`.

export {
  AgentMemoryError,
  ArgumentsError,
  KeyTooLongError,
  NestedValueError,
  NotAnsweredError,
  NotJsonError,
  OpaqueValueError,
  RequestError,
  SandboxError,
  SetError,
  StateTooLargeError,
  ValueTooLargeError,
} from "./errors.js";
export { tool } from "./functions.js";
export {
  CartesiaVoice,
  CustomVoice,
  ElevenLabsVoice,
  GoogleVoice,
  HumeVoice,
  MinimaxVoice,
  PlayHTVoice,
  RimeVoice,
  Voice,
  VoiceWeighting,
} from "./voices.js";
