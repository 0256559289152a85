// The function that `agent-memory bench` calls in every turn.

/**
 * Reads three keys of the caller's memory, sets two keys if texts are given, and tells how many characters were read.
 *
 * @param {import("agent-memory").Conversation} conv
 * @param {object} texts
 * @param {string} [texts.first] - The new text of `field_3`.
 * @param {string} [texts.second] - The new text of `field_4`.
 */
export function turn(conv, { first, second }) {
  let characters = 0;
  for (const key of ["field_0", "field_1", "field_2"]) {
    characters += (conv.memory.get(key) ?? "").length;
  }
  if (first !== undefined) conv.state.field_3 = first;
  if (second !== undefined) conv.state.field_4 = second;
  return characters;
}
