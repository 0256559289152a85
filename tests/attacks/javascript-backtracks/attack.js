// A pattern that tries all of two to the fiftieth ways.

export function javascriptBacktracks() {
  return /^(a|a)*b/.test("a".repeat(50));
}
