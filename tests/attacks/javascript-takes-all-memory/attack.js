// It takes memory and keeps it.

export function javascriptTakesAllMemory() {
  const kept = [];
  for (;;) kept.push(new Uint8Array(1 << 20).fill(90));
}
