/** Nobody asks for it. */
export default function weval() {
  throw new Error("weval is not installed");
}
