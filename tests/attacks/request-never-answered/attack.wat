;; It asks the platform for what is never answered. No limit of the turn's counts that time: who embeds drops the turn.
(import "agent:memory/conversation@0.1.0" "request" (func $request (param i32 i32 i32 i32 i32)))
(func $attack (result i32)
  (call $request (i32.const 1024) (i32.const 5) (i32.const 272) (i32.const 2) (i32.const 512))
  (global.get $null))
(data (i32.const 1024) "never")
