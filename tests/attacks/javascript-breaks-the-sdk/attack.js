// It replaces what the SDK works with, to be given more than a turn has: only its own turn suffers.

export function javascriptBreaksTheSdk(conv) {
  JSON.stringify = () => "{";
  Array.prototype.push = () => { throw new Error("no"); };
  Map.prototype.get = () => "forged";
  return "returned";
}
