// What stands behind a conversation: the contract's imports, as JavaScript calls them.
//
// Inside a component these are the imports of the component; in tests of this package they are a fake. A refusal is
// thrown, as an error whose `payload` is the contract's case.

/**
 * A value of the state.
 *
 * @typedef {{ tag: "json", val: string } | { tag: "opaque", val: { typeName: string, bytes: Uint8Array } }} Value
 */

/**
 * @typedef {object} Attributes
 * @property {string} id
 * @property {string} accountId
 * @property {string} projectId
 * @property {string} env
 * @property {string} channel
 * @property {string} [callerNumber]
 * @property {string} [calleeNumber]
 * @property {string} [language]
 * @property {string} [variantName]
 * @property {string} [currentFlow]
 * @property {string} [currentStep]
 * @property {{ name: string, value: string }[]} sipHeaders
 * @property {string} [integrationAttributes] a JSON object
 * @property {string[]} transcriptAlternatives
 * @property {string} settings a JSON object
 */

/**
 * @typedef {object} LogEntry
 * @property {"info" | "warning" | "error"} level
 * @property {string} content
 * @property {boolean} isPii
 * @property {string} fields a JSON object
 */

/**
 * @typedef {object} HandoffRequest
 * @property {string} destination
 * @property {string} [reason]
 * @property {string} [utterance]
 * @property {string} [sipHeaders] a JSON object
 * @property {string} [route]
 */

/**
 * @typedef {object} Memory
 * @property {() => { key: string, value: string }[]} fields
 */

/**
 * @typedef {object} State
 * @property {(key: string) => Value | undefined} get
 * @property {(key: string, value: Value) => void} set
 * @property {(key: string) => boolean} remove
 * @property {() => { key: string, value: Value }[]} entries
 */

/**
 * @typedef {object} Conversation
 * @property {() => Attributes} attributes
 * @property {() => { role: "user" | "agent", text: string }[]} history
 * @property {() => { name: string, value?: string }[]} metricEvents
 * @property {(text: string) => void} say
 * @property {(entry: LogEntry) => void} log
 * @property {(name: string, value: string | undefined, writeOnce: boolean) => void} writeMetric
 * @property {(request: HandoffRequest) => void} handoff
 * @property {(name: string, args: string) => void} act
 * @property {(name: string, args: string) => string} request
 */

/**
 * @typedef {object} Host
 * @property {Memory} memory
 * @property {State} state
 * @property {Conversation} conversation
 */

export {};
