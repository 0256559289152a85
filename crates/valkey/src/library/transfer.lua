-- Puts a caller's record in the place of the one that is there. It has no time to live: a sweep deletes it.
local function restore_caller(keys, args)
  local base, identity, first_due = keys[1], args[1], args[2]
  local caller, erasures = base .. 'c' .. identity, base .. 'e' .. identity
  for _, name in ipairs(call('HKEYS', caller)) do
    if name:sub(1, 1) ~= 'm' then call('HDEL', caller, name) end
  end
  call('DEL', erasures)
  for at = 3, #args, 3 do
    call('HSET', args[at] == 'c' and caller or erasures, args[at + 1], args[at + 2])
  end
  call('PERSIST', caller)
  call('ZADD', base .. 'C', first_due, identity)
  return true
end

local function restore_mark(keys, args)
  local base = keys[1]
  local conversation, found = unpack(args)
  call('SET', base .. 'm' .. conversation, found)
  local expires = found:sub(2, 9)
  if found:sub(1, 1) == 'M' then
    local identity = found:sub(10, 41)
    local caller = base .. 'c' .. identity
    call('HSET', caller, 'm' .. conversation, expires)
    call('PERSIST', caller)
    call('ZADD', base .. 'C', 'LT', score(expires), identity)
  else
    call('ZADD', base .. 'V', score(expires), conversation)
  end
  return true
end

local function restore_row(keys, args)
  local base, interaction = keys[1], args[1]
  call('HSET', base .. 'r' .. interaction, args[2], args[3])
  call('PERSIST', base .. 'r' .. interaction)
  call('ZADD', base .. 'R', score(args[3]:sub(1, 8)), interaction)
  return true
end

local function drop_rows(keys, args)
  call('ZREM', keys[1] .. 'R', args[1])
  return call('DEL', keys[1] .. 'r' .. args[1])
end

local function restore_session(keys, args)
  local base = keys[1]
  local conversation, session = unpack(args)
  drop_session(base, conversation)
  call('SET', base .. 's' .. conversation, session)
  call('ZADD', base .. 'S', score(session:sub(17, 24)), conversation)
  if session:sub(25, 25) == '\1' then
    call('ZADD', base .. 'O', score(session:sub(26, 33)), conversation)
  end
  return true
end

local function restore_version(keys, args)
  local base = keys[1]
  local agent, version, value = unpack(args)
  call('HSET', base .. 'v', agent .. version, value)
  if value:sub(33, 33) == '\0' then
    call('HSET', base .. 't', agent, version)
  elseif call('HGET', base .. 't', agent) == version then
    call('HDEL', base .. 't', agent)
  end
  return true
end

-- Raises the count of erasures.
local function raise_erasures(keys, args)
  local held = call('GET', keys[1] .. 'erasures') or '0'
  if tonumber(args[1]) > tonumber(held) then
    call('SET', keys[1] .. 'erasures', args[1])
  end
  return true
end
