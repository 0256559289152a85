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

-- Sets a pointer that lives until it is swept, and answers with the one that was there.
local function restore_pointer(keys, args)
  local conversation, pointer, due_at = unpack(args)
  call('ZADD', keys[1] .. 'P', due_at, conversation)
  return call('SET', keys[1] .. 'p' .. conversation, pointer, 'GET')
end

local function restore_row(keys, args)
  local base, interaction = keys[1], args[1]
  call('HSET', base .. 'r' .. interaction, args[2], args[3])
  call('PERSIST', base .. 'r' .. interaction)
  call('ZADD', base .. 'R', score(args[3]:sub(1, 8)), interaction)
  return true
end

local function drop_rows(keys, args)
  local base, interaction, touch = keys[1], args[1], args[2]
  call('ZREM', base .. 'R', interaction)
  local dropped = call('DEL', base .. 'r' .. interaction)
  if dropped == 0 then cover(base, touch) end
  return dropped
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

-- Raises a number.
local function raise(keys, args)
  local name, number, touch = unpack(args)
  local held = call('GET', keys[1] .. name) or '0'
  if tonumber(number) > tonumber(held) then
    call('SET', keys[1] .. name, number)
  else
    cover(keys[1], touch)
  end
  return true
end

-- Claims the store for keys, unless others have. Answers with what stands.
local function claim_keys(keys, args)
  local wanted, touch = unpack(args)
  local stands = call('GET', keys[1] .. 'keys')
  if stands then
    cover(keys[1], touch)
    return stands
  end
  call('SET', keys[1] .. 'keys', wanted)
  return wanted
end
