// Each of its microtasks makes another, so that the engine never gets to anything else.

export async function javascriptLoopsInMicrotasks() {
  for (;;) await null;
}
