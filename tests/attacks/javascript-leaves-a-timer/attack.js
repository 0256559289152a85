// It returns, and leaves a timer that loops when it is due.

export function javascriptLeavesATimer() {
  setTimeout(() => { for (;;); }, 0);
  return "returned";
}
